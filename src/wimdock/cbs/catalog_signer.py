"""Who a catalog says that it was signed by: the name in the signer's own certificate.

Neither the signature nor the chain above that certificate is verified. The name is what the file
says of itself, no more, and whoever shows it says so.
"""

from __future__ import annotations

from wimdock.cbs.catalog import MAX_CATALOG

# What asn1crypto raises for input of every kind: it has no error class of its own.
_PARSER_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)
_LONGEST_NAME = 200


def signer_name(data: bytes) -> str:
    """Give the common name of the first signer of a catalog; "" where it tells none."""
    if len(data) > MAX_CATALOG:
        return ""
    try:
        return _signer_name(data)[:_LONGEST_NAME]
    except _PARSER_ERRORS:
        return ""


def _signer_name(data: bytes) -> str:
    from asn1crypto import cms

    signed = cms.ContentInfo.load(data)["content"]
    for signer in signed["signer_infos"]:
        if signer["sid"].name != "issuer_and_serial_number":
            continue
        wanted = signer["sid"].chosen
        for choice in signed["certificates"]:
            if choice.name != "certificate":
                continue
            certificate = choice.chosen
            same_serial = certificate.serial_number == wanted["serial_number"].native
            if same_serial and certificate.issuer == wanted["issuer"]:
                name = certificate.subject.native.get("common_name")
                return name if isinstance(name, str) else ""
    return ""
