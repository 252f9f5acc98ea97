"""Relative calls of x86 programs: restored after expanding, where the header's E8 flag is set.

The maker of the delta replaced what follows each byte E8, a 32-bit offset from the place of the
call, by the place that is called, because that repeats. The scan goes over the whole target, code
or not, and leaves the last ten bytes alone; it is that of LZX ([MS-PATCH]) with the
size of the target as the size of the translation, and without LZX's frames of 32 KiB.
"""

from __future__ import annotations

import struct

_CALL = b"\xe8"
_OPERAND = struct.Struct("<i")
_CALL_SIZE = 5
_TAIL = 10
_MODULUS = 1 << 32
_LARGEST = (1 << 31) - 1


def restore_calls(target: bytes) -> bytes:
    """Give the target with the operands of its calls relative again; of the same size."""
    size = len(target)
    last = size - _TAIL
    if last <= 0 or size > _LARGEST:
        return target
    restored = bytearray(target)
    at = restored.find(_CALL, 0, last)
    while at >= 0:
        (place,) = _OPERAND.unpack_from(restored, at + 1)
        if -at <= place < size:
            offset = place - at if place >= 0 else place + size
            restored[at + 1 : at + _CALL_SIZE] = (offset % _MODULUS).to_bytes(4, "little")
        at = restored.find(_CALL, at + _CALL_SIZE, last)
    return bytes(restored)
