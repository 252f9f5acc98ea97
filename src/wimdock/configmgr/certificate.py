"""Trust in the AdminService's certificate: always checked, against the system's authorities or one.

A site signs the certificate of its providers itself (SMS Issuing). Whoever has that certificate, as
PEM or as the DER file that the console exports, names it with --ca. Nothing switches checking off.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from wimdock.errors import UntrustedCertificate, UsageError
from wimdock.files import storage_error

_LARGEST = 1 << 20
_EXPIRED = 10
_NOT_YET_VALID = 9
_WRONG_NAMES = (62, 64)  # host name, address
_SELF_SIGNED = 18


def trust(ca: Path | None) -> ssl.SSLContext:
    """Give the context that checks certificate and name: against `ca` alone where one is given.

    Raises StorageError where the file cannot be read, UsageError where it holds no certificate.
    """
    if ca is None:
        return ssl.create_default_context()
    try:
        with ca.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise storage_error(error, ca) from error
    message = f"{ca} holds no certificate"
    hint = "Give the authority's certificate as PEM or DER, such as the SMS Issuing certificate."
    if len(data) > _LARGEST or not data.strip():  # without data, the system's would be taken
        raise UsageError(message, hint=hint)
    try:
        given = data.decode("ascii") if b"-----BEGIN" in data else data
        context = ssl.create_default_context(cadata=given)
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(message, hint=hint) from error
    if not context.get_ca_certs():
        raise UsageError(message, hint=hint)
    return context


def refused(error: ssl.SSLCertVerificationError, host: str) -> UntrustedCertificate:
    """Give our error for a certificate that did not pass, with what to do about it."""
    code = error.verify_code
    if code == _EXPIRED:
        message = f"the certificate of {host} has expired"
        hint = "Renew it on the provider, and check the clock of this machine."
    elif code == _NOT_YET_VALID:
        message = f"the certificate of {host} is not valid yet"
        hint = "Check the clocks of this machine and of the provider."
    elif code in _WRONG_NAMES:
        message = f"the certificate that was shown is for another name than {host}"
        hint = "Name the provider as its certificate does, usually by its full name."
    elif code == _SELF_SIGNED:
        message = f"the certificate of {host} is signed by itself and not known here"
        hint = "Export it, check it, and give it with --ca FILE."
    else:
        message = f"the certificate of {host} is not signed by an authority that is trusted here"
        hint = (
            "Export the SMS Issuing certificate (console: Administration, Security, Certificates), "
            "or that of your own authority, and give it with --ca FILE."
        )
    return UntrustedCertificate(message, hint=hint)
