"""The hash that a component manifest gives for a file: asmv2:hash with XML-DSig elements inside."""

from __future__ import annotations

import base64
import binascii
import hashlib

from wimdock.cbs.assembly import Surprises, describe
from wimdock.cbs.component_manifest import FileDigest
from wimdock.cbs.element import Element
from wimdock.errors import MalformedPackage

_ALGORITHMS = {
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
    "http://www.w3.org/2000/09/xmldsig#sha256": "sha256",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
# The only transform that hashes the file as it is.
_IDENTITY_TRANSFORM = "urn:schemas-microsoft-com:HashTransforms.Identity"


def read_digest(
    children: list[Element], name: str, what: str, surprises: Surprises
) -> FileDigest | None:
    """Read the hash among the children of a `file` element.

    None (and a record) where it is of a kind that is not known; MalformedPackage, naming the
    manifest by `what`, where it is no hash.
    """
    hashes = [child for child in children if child.name == "hash"]
    if not hashes:
        return None
    found = hashes[0]
    names = [part.name for part in found.walk()]
    if len(hashes) > 1 or len(set(names)) < len(names):
        surprises.add(f"assembly/file/hash ({name})", "several hashes or transforms")
        return None
    parts = {part.name: part for part in found.walk()}
    transform, method = parts.get("Transform"), parts.get("DigestMethod")
    value = parts.get("DigestValue")
    algorithm = _ALGORITHMS.get(method.get("Algorithm") if method else "")
    plain = transform is None or transform.get("Algorithm") == _IDENTITY_TRANSFORM
    if algorithm is None or value is None or not plain:
        surprises.add(f"assembly/file/hash ({name})", describe(found))
        return None
    message = f"{what} holds a hash of {name} that is none"
    try:
        digest = base64.b64decode(value.text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedPackage(message) from error
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise MalformedPackage(message)
    return FileDigest(algorithm, digest)
