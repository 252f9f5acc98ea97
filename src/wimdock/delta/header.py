"""The header of a PA30 delta, and the two buffers that follow it.

"PA30" | FILETIME of the target, 8 bytes | stream of bits:
    numbers: set of file types, file type, flags, target size, hash algorithm
    buffers: target hash, what prepares the basis, the patch
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from wimdock.clock import from_filetime
from wimdock.delta.bits import BitReader
from wimdock.delta.faults import DOWNLOAD_AGAIN, Fault, malformed
from wimdock.delta.layout import (
    FILE_TYPE_RAW,
    FILE_TYPE_SET_REVERSAL,
    FILE_TYPES,
    FLAG_E8,
    HASH_NAMES,
    MAGIC,
    MAGIC_OF_OTHERS,
    STREAM_OFFSET,
    TIME_OFFSET,
)
from wimdock.errors import DeltaError, UnsupportedDelta

_ELSEWHERE = "Service this update with DISM on a Windows host; nothing was touched."


@dataclass(frozen=True, slots=True)
class DeltaHeader:
    """What a PA30 delta says about itself.

    `target_size` is in bytes; `hash_algorithm` is the number that Windows knows it by (CALG_MD5 is
    0x8003), 0 where there is no hash; `target_hash` is the hash of the whole target.
    """

    target_time: datetime | None
    file_type_set: int
    file_type: int
    flags: int
    target_size: int
    hash_algorithm: int
    target_hash: bytes

    @property
    def file_type_name(self) -> str:
        """RAW, I386, AMD64 and so on, or the number where it has no name."""
        return FILE_TYPES.get(self.file_type, f"0x{self.file_type:X}")

    @property
    def hash_name(self) -> str:
        """The hash algorithm's name as hashlib knows it; empty for none and for unknown ones."""
        return HASH_NAMES.get(self.hash_algorithm, "")

    @property
    def needs_pe_transform(self) -> bool:
        """Whether the basis is a program to be rewritten first, which wimdock cannot do."""
        return self.file_type != FILE_TYPE_RAW

    @property
    def restores_calls(self) -> bool:
        """Whether the target is one with x86 calls to be made relative again."""
        return bool(self.flags & FLAG_E8)

    @property
    def unsupported(self) -> str:
        """Why wimdock cannot apply the delta, in a few words; empty when it can."""
        if self.file_type_set & FILE_TYPE_SET_REVERSAL:
            return "a reversal delta"
        if self.needs_pe_transform:
            return f"a PE transform ({self.file_type_name})"
        if self.hash_algorithm and not self.hash_name:
            return f"hash algorithm 0x{self.hash_algorithm:X}"
        return ""

    def check_supported(self) -> None:
        """Raise UnsupportedDelta when wimdock cannot apply the delta."""
        if reason := self.unsupported:
            raise _unsupported(reason)

    def check_target(self, target: bytes) -> None:
        """Raise DeltaError when a target has not the hash that was promised, if any was."""
        if not self.hash_name:
            return
        found = hashlib.new(self.hash_name, target, usedforsecurity=False).digest()
        if found != self.target_hash:
            message = (
                f"What the delta made has not the {self.hash_name.upper()} that it promises: "
                "the delta or its basis is damaged, or the basis is another file's."
            )
            raise DeltaError(message, hint=DOWNLOAD_AGAIN)


@dataclass(frozen=True, slots=True)
class Delta:
    """A delta taken apart: its header, what prepares the basis (empty for RAW), the patch."""

    header: DeltaHeader
    preparation: bytes
    patch: bytes


def read_header(delta: bytes) -> DeltaHeader:
    """Read the header of a delta.

    UnsupportedDelta for the other formats of this family, DeltaError for what is none.
    """
    header, _ = _read_header(delta)
    return header


def read_delta(delta: bytes) -> Delta:
    """Take a delta apart; errors as with `read_header`."""
    header, reader = _read_header(delta)
    if header.file_type_set & FILE_TYPE_SET_REVERSAL:
        return Delta(header, b"", reader.buffer())
    preparation = reader.buffer()
    return Delta(header, preparation, reader.buffer())


def unsupported_reason(delta: bytes) -> str:
    """Say in a few words what wimdock lacks to apply a delta; empty when it lacks nothing.

    For the checks that list everything unsupported before anything is touched. DeltaError where
    the data is no delta at all.
    """
    return MAGIC_OF_OTHERS.get(delta[: len(MAGIC)]) or read_header(delta).unsupported


def _unsupported(reason: str) -> UnsupportedDelta:
    message = f"The delta needs {reason}, which wimdock does not have."
    return UnsupportedDelta(message, hint=_ELSEWHERE)


def _read_header(delta: bytes) -> tuple[DeltaHeader, BitReader]:
    magic = delta[: len(MAGIC)]
    if magic in MAGIC_OF_OTHERS:
        raise _unsupported(MAGIC_OF_OTHERS[magic])
    if magic != MAGIC:
        message = "The data is no PA30 delta."
        raise DeltaError(message, hint=DOWNLOAD_AGAIN)
    if len(delta) < STREAM_OFFSET:
        raise malformed(Fault.TRUNCATED)
    target_time = from_filetime(int.from_bytes(delta[TIME_OFFSET:STREAM_OFFSET], "little"))
    reader = BitReader(delta[STREAM_OFFSET:])
    file_type_set = reader.number()
    file_type = reader.number()
    flags = reader.number()
    target_size = reader.size()
    hash_algorithm = reader.number()
    target_hash = reader.buffer()
    header = DeltaHeader(
        target_time, file_type_set, file_type, flags, target_size, hash_algorithm, target_hash
    )
    name = header.hash_name
    if name and len(target_hash) != hashlib.new(name, usedforsecurity=False).digest_size:
        raise malformed(Fault.HASH_SIZE)
    return header, reader
