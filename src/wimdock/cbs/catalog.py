"""Catalogs (.cat): PKCS#7-signed lists of the hashes of other files.

The list is read and its integrity checked against the signer's message digest. The signature itself
and its chain are not verified here: whoever reports on a package says so.
"""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass
from typing import Any

from wimdock.cbs.der import OBJECT_ID, OCTET_STRING, SEQUENCE, SET, items, object_id
from wimdock.errors import CorruptPackage, MalformedPackage

MAX_CATALOG = 64 << 20

_SIGNED_DATA = "signed_data"
_TRUST_LIST = "1.3.6.1.4.1.311.10.1"
_INDIRECT_DATA = object_id("1.3.6.1.4.1.311.2.1.4")
_PE_IMAGE = object_id("1.3.6.1.4.1.311.2.1.15")
_SHA1_SIZE = 20
_LENGTHS = {_SHA1_SIZE: "sha1", 32: "sha256", 48: "sha384", 64: "sha512"}
# A trust list holds these SEQUENCEs before anything optional: usage, algorithm, members.
_MEMBERS = 2
_ATTRIBUTE_PARTS = 2
_INDIRECT_PARTS = 2
_HEX_PER_BYTE = 2

# What asn1crypto raises for input of every kind: it has no error class of its own.
_PARSER_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The hashes that a catalog lists.

    `digests` holds those of whole files; those of programs as Authenticode hashes them (which
    leaves parts of the file out) are in `image_digests`.
    """

    digests: frozenset[bytes]
    image_digests: frozenset[bytes]

    @property
    def algorithms(self) -> frozenset[str]:
        """The algorithms of the hashes of whole files."""
        return frozenset(_LENGTHS[len(digest)] for digest in self.digests)

    @property
    def usable(self) -> frozenset[bytes]:
        """The hashes of whole files that count.

        SHA-1 counts only in a catalog that lists nothing better, as those of older systems do.
        """
        better = frozenset(digest for digest in self.digests if len(digest) > _SHA1_SIZE)
        return better or self.digests

    def covers(self, data: bytes) -> bool:
        """Tell whether the hash of `data` is listed."""
        return not self.usable.isdisjoint(digests_of(data))


def digests_of(data: bytes) -> tuple[bytes, ...]:
    """Give the hashes of `data` under which a catalog can list it, the strongest first."""
    return tuple(
        hashlib.new(name, data, usedforsecurity=False).digest()
        for _length, name in sorted(_LENGTHS.items(), reverse=True)
    )


def parse_catalog(data: bytes, what: str) -> Catalog:
    """Read a catalog; `what` names it in errors.

    Raises MalformedPackage for what is no catalog, CorruptPackage where the list is not the one
    that was signed.
    """
    if len(data) > MAX_CATALOG:
        message = f"{what} is larger than any real catalog ({len(data)} bytes)"
        raise MalformedPackage(message)
    try:
        return _read_list(_signed_content(data, what), what)
    except _PARSER_ERRORS as error:
        message = f"{what} is no catalog that can be read: {str(error)[:200]}"
        raise MalformedPackage(message) from error


def _signed_content(data: bytes, what: str) -> bytes:
    """Take the signed list out of its envelope: the content of its outer SEQUENCE."""
    from asn1crypto import cms

    envelope = cms.ContentInfo.load(data)
    if envelope["content_type"].native != _SIGNED_DATA:
        message = f"{what} is no catalog: it is not signed data"
        raise MalformedPackage(message)
    signed = envelope["content"]
    inner = signed["encap_content_info"]
    if inner["content_type"].dotted != _TRUST_LIST:
        message = f"{what} is no catalog: it is no list of hashes"
        raise MalformedPackage(message)
    content = bytes(inner["content"].contents)
    for signer in signed["signer_infos"]:
        _check_digest(signer, content, what)
    return content


def _check_digest(signer: Any, content: bytes, what: str) -> None:
    algorithm = signer["digest_algorithm"]["algorithm"].native
    if algorithm not in _LENGTHS.values():
        return
    actual = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    for attribute in signer["signed_attrs"]:
        if attribute["type"].native == "message_digest":
            if attribute["values"][0].native != actual:
                message = f"{what} does not hold the list that was signed"
                raise CorruptPackage(message)
            return


def _read_list(content: bytes, what: str) -> Catalog:
    """Read a CertificateTrustList: usage, identifier, time, algorithm, then the members."""
    sequences = [body for tag, body in items(content) if tag == SEQUENCE]
    files: set[bytes] = set()
    images: set[bytes] = set()
    for tag, member in items(sequences[_MEMBERS] if len(sequences) > _MEMBERS else b""):
        if tag != SEQUENCE:
            message = f"{what} lists something that is no hash"
            raise MalformedPackage(message)
        digest, is_image = _read_member(member)
        if digest is not None:
            (images if is_image else files).add(digest)
    return Catalog(frozenset(files), frozenset(images))


def _read_member(member: bytes) -> tuple[bytes | None, bool]:
    digest: bytes | None = None
    is_image = False
    for tag, body in items(member):
        if tag == OCTET_STRING:
            digest = _subject_digest(body)
        elif tag == SET:
            for _tag, attribute in items(body):
                found = _indirect_digest(attribute)
                if found is not None:
                    digest, is_image = found
    return digest, is_image


def _subject_digest(subject: bytes) -> bytes | None:
    """Give the digest that names a member: its bytes, or (older catalogs) its hex in UTF-16."""
    if len(subject) in _LENGTHS:
        return subject
    text = subject.decode("utf-16-le", errors="replace").rstrip("\0")
    if len(text) / _HEX_PER_BYTE in _LENGTHS and set(text) <= set(string.hexdigits):
        return bytes.fromhex(text)
    return None


def _indirect_digest(attribute: bytes) -> tuple[bytes, bool] | None:
    """Read an SpcIndirectDataContent attribute: what it is of, then algorithm and digest."""
    parts = list(items(attribute))
    if len(parts) != _ATTRIBUTE_PARTS or parts[0] != (OBJECT_ID, _INDIRECT_DATA):
        return None
    for _tag, indirect in items(parts[1][1]):
        bodies = [body for _tag, body in items(indirect)]
        if len(bodies) != _INDIRECT_PARTS:
            continue
        is_image = (OBJECT_ID, _PE_IMAGE) in items(bodies[0])
        for tag, body in items(bodies[1]):
            if tag == OCTET_STRING and len(body) in _LENGTHS:
                return body, is_image
    return None
