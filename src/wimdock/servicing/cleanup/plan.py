"""What cleaning up would do, and what stands in its way: decided from what was found, nothing else.

A staging folder is cleaned up as a whole or not begun: with one obstacle in it, nothing in it is
unmounted and nothing deleted. Folders on other drives do not depend on each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import (
    ImageBusy,
    StagingError,
    StorageError,
    UnrecognisedContent,
    WimdockError,
)
from wimdock.servicing.cleanup.staged import PackageState, StagedPackage, StagingFolder

_SHOWN = 20
_ON_WINDOWS = (
    "Run there what --print-commands gives; when nothing is mounted any more, run this again."
)


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """What is to be done with one staging folder.

    `unmounts` are the packages whose mount, or record of one, is ended first, with the changes
    discarded. `obstacles` are the errors for which nothing is done.
    """

    folder: StagingFolder
    unmounts: tuple[StagedPackage, ...]
    obstacles: tuple[WimdockError, ...]


@dataclass(frozen=True, slots=True)
class CleanupPlan:
    """What is to be done with every staging folder that was found."""

    folders: tuple[FolderPlan, ...]

    @property
    def obstacles(self) -> tuple[WimdockError, ...]:
        """Give all that stands in the way."""
        return tuple(error for folder in self.folders for error in folder.obstacles)


def plan_cleanup(folders: Sequence[StagingFolder]) -> CleanupPlan:
    """Plan the clean-up of staging folders; reads nothing."""
    return CleanupPlan(tuple(_plan(folder) for folder in folders))


def _plan(folder: StagingFolder) -> FolderPlan:
    unmounts = tuple(
        package
        for package in folder.packages
        if package.state.can_be_discarded or package.mounted is not None
    )
    return FolderPlan(folder, unmounts, tuple(_obstacles(folder)))


def _obstacles(folder: StagingFolder) -> Iterator[WimdockError]:
    if folder.unknown:
        yield _unrecognised(folder.unknown)
    for package in folder.packages:
        yield from _of_package(package)
    for point in folder.mounts:
        message = f"something is mounted at {point}"
        yield StagingError(message, hint="Unmount it yourself, then run the command again.")
    yield from _forbidden(folder)


def _of_package(package: StagedPackage) -> Iterator[WimdockError]:
    if package.state is PackageState.MOUNTED_BY_DISM:
        message = f"{package.mount_directory} is mounted by DISM: {package.reason}"
        yield StagingError(message, hint=_ON_WINDOWS)
    elif package.state is PackageState.UNPROVED:
        message = f"{package.mount_directory} cannot be proved unmounted: {package.reason}"
        yield StagingError(message, hint=_ON_WINDOWS)
    elif package.state is PackageState.MOUNTED_BY_OTHER:
        message = f"{package.path} holds a mount that is not ours: {package.reason}"
        yield StagingError(message, hint="Unmount it yourself, then run the command again.")
    elif package.is_silent:
        message = f"{package.mount_directory} does not answer: it may be committing"
        yield ImageBusy(message, hint="Wait a while, then run the command again.")


def _forbidden(folder: StagingFolder) -> Iterator[WimdockError]:
    if folder.read_only:
        message = f"{folder.path} is on a read-only file system"
        hint = "Mount it for writing, then run the command again."
        yield StorageError(message, hint=hint, hresult=0x80070013)
    for path in () if folder.read_only else folder.unwritable:
        message = f"{path}: nothing can be deleted from this folder"
        hint = "Run the command as the user who owns it; `lsattr` shows what is immutable."
        yield StorageError(message, hint=hint, hresult=0x80070005)
    unreadable = [text for package in folder.packages for text in package.unreadable]
    for text in (*folder.unreadable, *unreadable):
        hint = "Check the permissions, or run the command as the user who owns it."
        yield StorageError(text, hint=hint, hresult=0x80070005)


def _unrecognised(unknown: Sequence[Path]) -> UnrecognisedContent:
    names = ", ".join(str(path) for path in unknown[:_SHOWN])
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    message = f"not recognised, and so nothing is unmounted or deleted: {names}{more}"
    return UnrecognisedContent(message)
