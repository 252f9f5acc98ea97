"""Security catalogs: a list of hashes (a CTL) in a PKCS#7 envelope, signed by a key of the lab.

The envelope is assembled with asn1crypto; key, certificate and signature come from openssl. No
root that Windows knows stands behind it: such a catalog shows that hashes are read and compared.
"""

from __future__ import annotations

import functools
import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from asn1crypto import core, x509

from tests.lab.tool import run

_SEQUENCE, _SET, _CONTEXT_0, _OCTETS, _UTF_16, _UTC_TIME = 0x30, 0x31, 0xA0, 0x04, 0x1E, 0x17
_LONG = 0x80
_NULL = b"\x05\x00"
_NO_LINK = b"\xa2\x02\x80\x00"
_MOMENT = b"200102030405Z"
_FILE_FLAGS = 0x10010001

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_SHA1 = "1.3.14.3.2.26"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_RSA = "1.2.840.113549.1.1.1"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_CTL = "1.3.6.1.4.1.311.10.1"
_CATALOG_LIST = "1.3.6.1.4.1.311.12.1.1"
_MEMBER_V2 = "1.3.6.1.4.1.311.12.1.3"
_NAME_VALUE = "1.3.6.1.4.1.311.12.2.1"
_INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4"
_CAB_DATA = "1.3.6.1.4.1.311.2.1.25"


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    size = (length.bit_length() + 7) // 8
    head = bytes([length]) if length < _LONG else bytes([_LONG | size]) + length.to_bytes(size)
    return bytes([tag]) + head + content


def _oid(dotted: str) -> bytes:
    dumped: bytes = core.ObjectIdentifier(dotted).dump()
    return dumped


def _number(number: int) -> bytes:
    dumped: bytes = core.Integer(number).dump()
    return dumped


def _algorithm(dotted: str) -> bytes:
    return _der(_SEQUENCE, _oid(dotted), _NULL)


def _member(name: str, digest: bytes, algorithm: str) -> bytes:
    """Give one entry: the hash as tag, and the attributes that say what it is the hash of."""
    value = name.encode("utf-16-le") + b"\0\0"
    named = _der(
        _SEQUENCE,
        _der(_UTF_16, "File".encode("utf-16-be")),
        _number(_FILE_FLAGS),
        _der(_OCTETS, value),
    )
    hashed = _der(
        _SEQUENCE,
        _der(_SEQUENCE, _oid(_CAB_DATA), _NO_LINK),
        _der(_SEQUENCE, _algorithm(algorithm), _der(_OCTETS, digest)),
    )
    return _der(
        _SEQUENCE,
        _der(_OCTETS, digest),
        _der(
            _SET,
            _der(_SEQUENCE, _oid(_INDIRECT_DATA), _der(_SET, hashed)),
            _der(_SEQUENCE, _oid(_NAME_VALUE), _der(_SET, named)),
        ),
    )


def hash_list(files: Mapping[str, bytes], algorithm: str = "sha256") -> bytes:
    """Give the list of hashes alone, in DER."""
    dotted = {"sha1": _SHA1, "sha256": _SHA256}[algorithm]
    members = [
        _member(name, hashlib.new(algorithm, content).digest(), dotted)
        for name, content in files.items()
    ]
    return _der(
        _SEQUENCE,
        _der(_SEQUENCE, _oid(_CATALOG_LIST)),
        _der(_OCTETS, hashlib.sha256(repr(sorted(files)).encode()).digest()[:16]),
        _der(_UTC_TIME, _MOMENT),
        _der(_SEQUENCE, _oid(_MEMBER_V2), _NULL),
        _der(_SEQUENCE, *members),
    )


def catalog(files: Mapping[str, bytes], algorithm: str = "sha256", *, signed: bool = True) -> bytes:
    """Give a catalog over the files' contents; without a signature where `signed` is false."""
    listed = hash_list(files, algorithm)
    digests, certificates, signers = b"", b"", b""
    if signed:
        key, certificate = _signer()
        digests = _algorithm(_SHA256)
        certificates = _der(_CONTEXT_0, certificate.dump())
        signers = _signer_info(key, certificate, listed)
    data = _der(
        _SEQUENCE,
        _number(1),
        _der(_SET, digests),
        _der(_SEQUENCE, _oid(_CTL), _der(_CONTEXT_0, listed)),
        certificates,
        _der(_SET, signers),
    )
    return _der(_SEQUENCE, _oid(_SIGNED_DATA), _der(_CONTEXT_0, data))


def _signer_info(key: bytes, certificate: x509.Certificate, listed: bytes) -> bytes:
    # The digest is over the list without its outermost tag and length ([RFC 2315] 9.3).
    inner = core.Sequence.load(listed).contents
    digest = _der(_OCTETS, hashlib.sha256(inner).digest())
    attributes = _der(
        _SET,
        _der(_SEQUENCE, _oid(_CONTENT_TYPE), _der(_SET, _oid(_CTL))),
        _der(_SEQUENCE, _oid(_MESSAGE_DIGEST), _der(_SET, digest)),
    )
    return _der(
        _SEQUENCE,
        _number(1),
        _der(_SEQUENCE, certificate.issuer.dump(), _number(certificate.serial_number)),
        _algorithm(_SHA256),
        bytes([_CONTEXT_0]) + attributes[1:],
        _algorithm(_RSA),
        _der(_OCTETS, _sign(key, attributes)),
    )


@functools.cache
def _signer() -> tuple[bytes, x509.Certificate]:
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.der")
        run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650",
            "-subj", "/CN=wimdock test lab", "-keyout", key, "-outform", "DER", "-out", certificate,
        )  # fmt: skip
        return key.read_bytes(), x509.Certificate.load(certificate.read_bytes())


def _sign(key: bytes, message: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key.pem")
        path.write_bytes(key)
        return run("openssl", "dgst", "-sha256", "-sign", path, stdin=message)
