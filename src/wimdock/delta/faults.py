"""Every way in which a PA30 delta can break its format."""

from __future__ import annotations

from enum import StrEnum

from wimdock.errors import DeltaError

DOWNLOAD_AGAIN = "Download the update again."


class Fault(StrEnum):
    """What is wrong with a delta; completes the sentence "The delta is malformed: ..."."""

    TRUNCATED = "it ends too early"
    LONG_NUMBER = "a number in it has more than 64 bits"
    NEGATIVE_SIZE = "a size in it is negative"
    HASH_SIZE = "its hash has not the size that its algorithm gives"
    PREPARATION = "it prepares a basis that is to stay as it is"
    LONG_CODE = "a code in it is longer than 16 bits or shorter than none"
    INCOMPLETE_CODE = "a code in it is incomplete or has too many symbols"
    MISSING_CODE = "it uses a code that is not there"
    BLOCK_COUNT = "it has no blocks or too many of them"
    BLOCK_LENGTHS = "a block in it has codes for too many symbols"
    BLOCK_REPEATS = "a block in it repeats a code length before the first"
    RIFT_COUNT = "its rift table is too long"
    COPY_SOURCE = "it copies from outside of what is there"
    COPY_LENGTH = "a copy in it has an impossible length"
    OVERLONG = "it makes more than it says"


def malformed(fault: Fault) -> DeltaError:
    """Give the error for a delta with this fault."""
    return DeltaError(f"The delta is malformed: {fault}.", hint=DOWNLOAD_AGAIN)
