"""Raw reparse data of every kind, header included, after [MS-FSCC] 2.1.2."""

from __future__ import annotations

import struct
import uuid

MOUNT_POINT = 0xA0000003
SYMLINK = 0xA000000C
HSM2 = 0x80000006
DEDUP = 0x80000013
NFS = 0x80000014
WOF = 0x80000017
WCI_1 = 0x90001018
CLOUD = 0x9000001A
CLOUD_6 = 0x9000601A
APPEXECLINK = 0x8000001B
PROJFS = 0x9000001C
STORAGE_SYNC = 0x8000001E
WCI_TOMBSTONE = 0xA000001F
LX_SYMLINK = 0xA000001D
THIRD_PARTY = 0x0000001F

_HEADER = struct.Struct("<IHH")


def microsoft(tag: int, data: bytes) -> bytes:
    """Give a Microsoft reparse point: tag, length, reserved, data."""
    return _HEADER.pack(tag, len(data), 0) + data


def third_party(tag: int, guid: uuid.UUID, data: bytes) -> bytes:
    """Give a third-party reparse point: a GUID stands between header and data."""
    return _HEADER.pack(tag, len(data), 0) + guid.bytes_le + data


def _names(substitute: str, printed: str) -> tuple[bytes, bytes]:
    first = substitute.encode("utf-16-le")
    second = printed.encode("utf-16-le")
    # Windows ends both names with a NUL that no length counts.
    buffer = first + b"\0\0" + second + b"\0\0"
    return struct.pack("<HHHH", 0, len(first), len(first) + 2, len(second)), buffer


def symlink(substitute: str, printed: str | None = None, *, relative: bool) -> bytes:
    """Give a symbolic link; the printed name is the substitute name unless given."""
    lengths, buffer = _names(substitute, substitute if printed is None else printed)
    return microsoft(SYMLINK, lengths + struct.pack("<I", int(relative)) + buffer)


def junction(substitute: str, printed: str | None = None) -> bytes:
    """Give a junction or, with a volume as its target, a mount point."""
    lengths, buffer = _names(substitute, substitute if printed is None else printed)
    return microsoft(MOUNT_POINT, lengths + buffer)


def app_exec_link(package: str, entry_point: str, executable: str, kind: str = "0") -> bytes:
    """Give a Store application's alias."""
    texts = "".join(f"{text}\0" for text in (package, entry_point, executable, kind))
    return microsoft(APPEXECLINK, struct.pack("<I", 3) + texts.encode("utf-16-le"))


def lx_symlink(target: str) -> bytes:
    """Give a symbolic link of WSL: a version and the target in UTF-8."""
    return microsoft(LX_SYMLINK, struct.pack("<I", 2) + target.encode())


def wof_file(algorithm: int = 1) -> bytes:
    """Give the mark of a file that the overlay filter compresses (provider 2: file)."""
    return microsoft(WOF, struct.pack("<IIII", 1, 2, 1, algorithm))


def wci(layer: uuid.UUID, name: str) -> bytes:
    """Give a container's placeholder: version, GUID of the layer, name there."""
    text = name.encode("utf-16-le")
    data = struct.pack("<II", 1, 0) + layer.bytes_le + struct.pack("<H", len(text)) + text
    return microsoft(WCI_1, data)


def cloud(tag: int, payload: bytes) -> bytes:
    """Give a cloud file's placeholder; its data is the provider's own."""
    return microsoft(tag, struct.pack("<I", 0x01) + b"FeRp" + payload)


def dedup(stream_map: bytes) -> bytes:
    """Give a deduplicated file's mark with its stream map."""
    return microsoft(DEDUP, struct.pack("<II", 0x02, len(stream_map)) + stream_map)
