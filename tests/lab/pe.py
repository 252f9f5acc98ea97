"""Small, valid 64-bit DLLs that hold resources and nothing else ([PE-COFF])."""

from __future__ import annotations

import struct

_FILE_ALIGNMENT = 0x200
_SECTION_ALIGNMENT = 0x1000
_HEADERS = 0x200
_RESOURCES_AT = 0x1000
_SUBDIRECTORY = 0x80000000
_RESOURCE_DIRECTORY_INDEX = 2

MANIFEST_DICTIONARY_TYPE = 614


def library(resources: dict[tuple[int, int, int], bytes]) -> bytes:
    """Give a DLL with resources, by type, identifier and language."""
    section = _resource_section(resources)
    stored = -(-len(section) // _FILE_ALIGNMENT) * _FILE_ALIGNMENT
    extent = -(-len(section) // _SECTION_ALIGNMENT) * _SECTION_ALIGNMENT
    dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, 0xF0, 0x2022)
    optional = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII",
        0x20B, 14, 0, 0, stored, 0, 0, _RESOURCES_AT, 0x180000000,
        _SECTION_ALIGNMENT, _FILE_ALIGNMENT, 10, 0, 10, 0, 10, 0, 0,
        _RESOURCES_AT + extent, _HEADERS, 0, 3, 0x160,
        0x100000, 0x1000, 0x100000, 0x1000, 0, 16,
    )  # fmt: skip
    directories = [(0, 0)] * 16
    directories[_RESOURCE_DIRECTORY_INDEX] = (_RESOURCES_AT, len(section))
    optional += b"".join(struct.pack("<II", *directory) for directory in directories)
    header = struct.pack(
        "<8sIIIIIIHHI",
        b".rsrc", len(section), _RESOURCES_AT, stored, _HEADERS, 0, 0, 0, 0, 0x40000040,
    )  # fmt: skip
    head = (dos + coff + optional + header).ljust(_HEADERS, b"\0")
    return head + section.ljust(stored, b"\0")


def servicing_stack_library(dictionary: bytes) -> bytes:
    """Give a wcp.dll that holds a manifest dictionary where the real one does."""
    return library({(MANIFEST_DICTIONARY_TYPE, 1, 1033): dictionary})


def _directory(count: int) -> bytes:
    return struct.pack("<IIHHHH", 0, 0, 0, 0, 0, count)


def _resource_section(resources: dict[tuple[int, int, int], bytes]) -> bytes:
    """Lay out three levels of directories, the data entries, then the data."""
    types = sorted({kind for kind, _, _ in resources})
    names = sorted({(kind, name) for kind, name, _ in resources})
    leaves = sorted(resources)
    sizes = [16 + 8 * len(types)]
    sizes += [16 + 8 * sum(1 for kind, _ in names if kind == one) for one in types]
    sizes += [16 + 8 * sum(1 for leaf in leaves if leaf[:2] == one) for one in names]
    starts = [sum(sizes[:index]) for index in range(len(sizes) + 1)]
    entries_at = starts[-1]
    data_at = entries_at + 16 * len(leaves)

    second = {one: starts[1 + index] for index, one in enumerate(types)}
    third = {one: starts[1 + len(types) + index] for index, one in enumerate(names)}
    tree = _directory(len(types))
    tree += b"".join(struct.pack("<II", one, _SUBDIRECTORY | second[one]) for one in types)
    for one in types:
        below = [name for name in names if name[0] == one]
        tree += _directory(len(below))
        tree += b"".join(struct.pack("<II", name[1], _SUBDIRECTORY | third[name]) for name in below)
    for name in names:
        found = [leaf for leaf in leaves if leaf[:2] == name]
        tree += _directory(len(found))
        tree += b"".join(
            struct.pack("<II", leaf[2], entries_at + 16 * leaves.index(leaf)) for leaf in found
        )
    data = b""
    for leaf in leaves:
        address = _RESOURCES_AT + data_at + len(data)
        tree += struct.pack("<IIII", address, len(resources[leaf]), 0, 0)
        data += resources[leaf] + bytes(-len(resources[leaf]) % 8)
    return tree + data
