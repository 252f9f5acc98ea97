r"""Compressed manifests: `DCM\x01`, then a PA30 delta against the manifest dictionary.

The dictionary is a piece of Microsoft's servicing stack and comes from the image that is serviced;
`dictionary_of` takes it out of wcp.dll.
"""

from __future__ import annotations

from wimdock.delta.application import apply_delta
from wimdock.delta.layout import MANIFEST_MAGIC
from wimdock.errors import MissingDictionary

MOST_MANIFEST_BYTES = 64 * 1024 * 1024
"""The largest manifest that is decoded; the largest one seen in Windows 11 has 3.3 MB."""


def is_compressed_manifest(data: bytes) -> bool:
    """Tell whether a manifest is compressed and needs the dictionary."""
    return data.startswith(MANIFEST_MAGIC)


def decode_manifest(
    data: bytes, dictionary: bytes | None, *, max_size: int = MOST_MANIFEST_BYTES
) -> bytes:
    """Give the XML of a manifest; one that is not compressed passes through as it is.

    Raises MissingDictionary where one is needed and there is none, DeltaError for a damaged one. A
    delta in a manifest carries no hash: whether the XML is right is for the catalog to say.
    """
    if not is_compressed_manifest(data):
        return data
    if dictionary is None:
        message = "The package has compressed manifests, and there is no dictionary to read them."
        raise MissingDictionary(message)
    return apply_delta(data[len(MANIFEST_MAGIC) :], dictionary, max_size=max_size)
