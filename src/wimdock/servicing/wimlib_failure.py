"""What `wimlib-imagex` fails with, in our words: its exit statuses are the codes of wimlib.h."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wimdock.errors import (
    AlreadyMounted,
    CorruptImage,
    ImageBusy,
    ImageError,
    MalformedImage,
    MissingLibrary,
    MountError,
    MountInUse,
    NoSuchImage,
    NotAnImage,
    NotMounted,
    StorageError,
    UnsupportedImage,
    WimdockError,
)

PROGRAM = "wimlib-imagex"

_FUSE = 6
_ERRORS: dict[int, tuple[type[WimdockError], int]] = {
    1: (ImageBusy, 0x80070020),
    2: (CorruptImage, 0x8007000D),
    _FUSE: (MountError, 0xC1510112),
    12: (MountError, 0x80070005),
    13: (CorruptImage, 0x80070017),
    17: (MalformedImage, 0x8007000D),
    18: (NoSuchImage, 0xC1510113),
    19: (MalformedImage, 0x8007000D),
    20: (MalformedImage, 0x8007000D),
    21: (MalformedImage, 0x8007000D),
    28: (CorruptImage, 0x80070017),
    33: (UnsupportedImage, 0xC1420130),
    39: (StorageError, 0x8007000E),
    43: (NotAnImage, 0x8007000B),
    47: (StorageError, 0x80070002),
    50: (StorageError, 0x8007001E),
    52: (StorageError, 0x8007001D),
    55: (CorruptImage, 0x80070017),
    65: (MalformedImage, 0x8007000D),
    67: (UnsupportedImage, 0x8007000B),
    68: (UnsupportedImage, 0x80070032),
    71: (UnsupportedImage, 0xC1510111),
    72: (StorageError, 0x8007001D),
    73: (MalformedImage, 0x8007000D),
    74: (UnsupportedImage, 0x80070032),
    79: (MountInUse, 0xC1420117),
    80: (NotMounted, 0xC142010B),
    81: (MountError, 0x80070005),
}


def failure(command: Sequence[str], status: int, said: str) -> WimdockError:
    """Give the error for an exit status of the program, in its own words."""
    verb = f"{PROGRAM} {command[1]}"
    if status < 0:
        message = f"{verb} was killed by signal {-status}"
        return StorageError(message, hint="Run the command again.", hresult=0x800704C7)
    kind, hresult = _ERRORS.get(status, (ImageError, 0x8007000D))
    message = f"{verb} failed: {_words(said) or 'it does not say why'} (its error {status})"
    if status == _FUSE:
        return _fuse_failure(message, said)
    if issubclass(kind, AlreadyMounted | MountInUse | NotMounted | ImageBusy):
        return kind(message, hresult=hresult)
    return kind(
        message, hint=kind.default_hint or "Check the file and the folder.", hresult=hresult
    )


def _fuse_failure(message: str, said: str) -> WimdockError:
    if "fusermount" in said and "No such file" in said:
        hint = "Install the system package fuse3 (or fuse): it lets users mount."
        return MissingLibrary(message, hint=hint)
    hint = "Mounting needs FUSE (/dev/fuse) and the right to use it: run it as root."
    return MountError(message, hint=hint, hresult=0xC1510112)


def _words(said: str) -> str:
    """Give the lines that say what went wrong, without the program's own decoration."""
    lines = [line for line in said.splitlines() if "Exiting with error code" not in line]
    wrong = [line for line in lines if line.startswith(("ERROR", "[ERROR]", "fuse:", "fusermount"))]
    cleaned = [re.sub(r"^\[?(ERROR)\]?:? *", "", line) for line in wrong or lines[-2:]]
    return "; ".join(cleaned[:3])
