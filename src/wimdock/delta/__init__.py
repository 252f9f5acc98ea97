"""PA30 deltas and compressed manifests: applying them, and knowing beforehand which it can."""

from wimdock.delta.application import apply_delta
from wimdock.delta.dictionary import dictionary_of
from wimdock.delta.header import DeltaHeader, read_header, unsupported_reason
from wimdock.delta.manifest import decode_manifest, is_compressed_manifest

__all__ = [
    "DeltaHeader",
    "apply_delta",
    "decode_manifest",
    "dictionary_of",
    "is_compressed_manifest",
    "read_header",
    "unsupported_reason",
]
