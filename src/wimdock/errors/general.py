"""Errors of the command line, of missing libraries and of the file system."""

from __future__ import annotations

from wimdock.errors.base import WimdockError


class UsageError(WimdockError):
    """The command line asks for something that makes no sense."""

    exit_code = 2
    hresult = 0x80070057
    default_hint = "Run the command with --help to see what it takes."


class MissingLibrary(WimdockError):
    """A system library that wimdock loads at run time is not installed."""

    exit_code = 3
    hresult = 0x8007007E


class StorageError(WimdockError):
    """The file system refused: disk full, read or write failed, no such file."""

    exit_code = 4
    hresult = 0x8007001D
    default_hint = "Check the disk, its free space and the permissions, then run the command again."


class ImageBusy(StorageError):
    """Somebody else holds the lock on the image file."""

    exit_code = 5
    hresult = 0x80070020
    default_hint = "Wait until the other program has finished, then run the command again."
