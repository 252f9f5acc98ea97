"""Errors of mounted images and of staging folders."""

from __future__ import annotations

from wimdock.errors.base import WimdockError


class MountError(WimdockError):
    """An image cannot be mounted or unmounted."""

    exit_code = 50
    hresult = 0x8007001F
    default_hint = "`wimdock mounts` lists what is mounted where."


class NotMounted(MountError):
    """No image is mounted in this folder."""

    exit_code = 51
    hresult = 0xC142010B


class AlreadyMounted(MountError):
    """The image is mounted read/write already, or the folder holds another mount."""

    exit_code = 52
    hresult = 0xC1420127
    default_hint = (
        "`wimdock mounts` lists what is mounted where; "
        "`wimdock unmount DIR --discard` ends a mount that is left over."
    )


class MountInUse(MountError):
    """Programs hold files in the mounted image open."""

    exit_code = 53
    hresult = 0xC1420117
    default_hint = "End the programs that work in the folder, then unmount again."


class CommitFailed(MountError):
    """The changes to a mounted image cannot be committed; it stays mounted."""

    exit_code = 54
    hresult = 0x800700A1
    default_hint = "`wimdock unmount DIR --discard` is the only way out; committing fails again."


class StagingError(WimdockError):
    """A staging folder of Configuration Manager cannot be used."""

    exit_code = 55
    hresult = 0x80070005


class LeftoversInTheWay(StagingError):
    """An earlier run left something behind with which a new one would fail."""

    exit_code = 56
    hresult = 0x800700B7
    default_hint = "`wimdock cleanup STAGING` shows what is left and clears it away."


class UnrecognisedContent(StagingError):
    """A staging folder holds something that no run leaves there; nothing was deleted."""

    exit_code = 57
    hresult = 0x80070091
    default_hint = "Look at what it is and move it away yourself, then run the command again."
