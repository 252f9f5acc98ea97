"""The security descriptors of an image: a table at the start of its metadata.

Entries refer to a descriptor by its number; -1 stands for none. Descriptors are self-relative
([MS-DTYP] 2.4.6) and never interpreted here.
"""

from __future__ import annotations

import struct

from wimdock.errors import MalformedImage
from wimdock.wim import layout


def read_security(metadata: bytes | bytearray) -> tuple[tuple[bytes, ...], int]:
    """Give the descriptors and the offset of the root entry behind them."""
    if len(metadata) < layout.SECURITY.size:
        message = "the metadata ends before its security descriptors"
        raise MalformedImage(message)
    total, count = layout.SECURITY.unpack_from(metadata)
    length = max(layout.aligned(total), layout.SECURITY.size)
    at = layout.SECURITY.size + count * 8
    if length > len(metadata) or at > length:
        message = f"{count} security descriptors in {total} bytes do not fit into the metadata"
        raise MalformedImage(message)
    sizes = struct.unpack_from(f"<{count}Q", metadata, layout.SECURITY.size)
    descriptors = []
    for size in sizes:
        if at + size > length:
            message = "a security descriptor is longer than its table"
            raise MalformedImage(message)
        descriptors.append(bytes(metadata[at : at + size]))
        at += size
    return tuple(descriptors), length


def write_security(descriptors: list[bytes]) -> bytes:
    """Give the table, padded to 8 bytes."""
    count = len(descriptors)
    sizes = struct.pack(f"<{count}Q", *(len(descriptor) for descriptor in descriptors))
    body = sizes + b"".join(descriptors)
    total = layout.aligned(layout.SECURITY.size + len(body))
    return (layout.SECURITY.pack(total, count) + body).ljust(total, b"\0")
