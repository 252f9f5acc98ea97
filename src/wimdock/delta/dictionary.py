"""The manifest dictionary: a resource of the servicing stack's wcp.dll."""

from __future__ import annotations

import struct
from types import ModuleType, SimpleNamespace
from typing import Any

from wimdock.errors import DeltaError, MissingDictionary

RESOURCE_TYPE = 614
"""The resource type, a number of Microsoft's own, under which wcp.dll keeps the dictionary."""

MOST_DICTIONARY_BYTES = 16 * 1024 * 1024
"""A larger resource is no dictionary; that of Windows 11 has 9,066 bytes."""

_FAULTS_OF_PEFILE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What a hostile program can make pefile raise besides its own error."""

_NO_RESOURCES = SimpleNamespace(entries=())
_ELSEWHERE = "Name the dictionary with --manifest-dictionary FILE."


def dictionary_of(wcp_dll: bytes) -> bytes:
    """Give the manifest dictionary out of a wcp.dll.

    Raises DeltaError where the file is no program that can be read, and MissingDictionary where it
    has no such resource.
    """
    import pefile

    try:
        return _dictionary_in(pefile, wcp_dll)
    except (pefile.PEFormatError, *_FAULTS_OF_PEFILE) as error:
        message = "wcp.dll, which should hold the manifest dictionary, is damaged."
        raise DeltaError(message, hint=_ELSEWHERE) from error


def _dictionary_in(pefile: ModuleType, wcp_dll: bytes) -> bytes:
    program = pefile.PE(data=wcp_dll, fast_load=True)
    try:
        program.parse_data_directories(
            directories=[pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_RESOURCE"]]
        )
        for kind in getattr(program, "DIRECTORY_ENTRY_RESOURCE", _NO_RESOURCES).entries:
            if kind.id == RESOURCE_TYPE:
                return _first_resource(program, kind)
    finally:
        program.close()
    message = f"wcp.dll has no resource of type {RESOURCE_TYPE}, so no manifest dictionary."
    raise MissingDictionary(message, hint=_ELSEWHERE)


def _first_resource(program: Any, kind: Any) -> bytes:
    place = kind.directory.entries[0].directory.entries[0].data.struct
    size = place.Size
    if size > MOST_DICTIONARY_BYTES:
        message = f"The manifest dictionary in wcp.dll has {size:,} bytes: that cannot be."
        raise DeltaError(message, hint=_ELSEWHERE)
    data = bytes(program.get_data(place.OffsetToData, size))
    if len(data) != size:
        message = "The manifest dictionary in wcp.dll is cut off."
        raise DeltaError(message, hint=_ELSEWHERE)
    return data
