"""What keeps a run from being played, found before anything is made.

A rehearsal clears and replaces files in the folders of its place, as a run does. What is named to
it must not lie there: the only copy of an image is never one of those files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from wimdock.configmgr.staging import staging_place
from wimdock.errors import (
    MountError,
    StagingError,
    StorageError,
    UnrecognisedContent,
    UnsupportedPackage,
    UsageError,
)
from wimdock.files import real_path, refuse_special, storage_error
from wimdock.rehearsal.options import RehearsalOptions
from wimdock.rehearsal.place import Place
from wimdock.rehearsal.staged_files import StagedFiles
from wimdock.servicing import wimlib
from wimdock.servicing.cleanup import Leftover
from wimdock.servicing.mounts import is_mount_point
from wimdock.servicing.options import ServiceOptions, Surroundings, surroundings
from wimdock.servicing.service import service

_FUSE = Path("/dev/fuse")
_LONGEST_NAME = 200
"""In bytes: servicing puts files beside an image whose names are longer than its own."""


def is_content(update: Path) -> bool:
    """Tell by its name whether a file is what Scheduled Updates can install."""
    return update.suffix.lower() in (".cab", ".msu")


def refuse_files(image: Path, updates: Sequence[Path]) -> None:
    """Raise StorageError or UsageError for files that are not there, or cannot be told apart."""
    for path in (image, *updates):
        refuse_special(path)
        if not path.exists():
            raise storage_error(FileNotFoundError(2, os.strerror(2)), path)
    names = [update.name.lower() for update in updates]
    if len(set(names)) < len(names):
        message = "two updates have the same file name"
        raise UsageError(message, hint="Give each update once, or rename one of them.")
    if image.suffix.lower() != ".wim":
        message = f"{image} is not named like an image file of Configuration Manager"
        raise UsageError(message, hint="Give its name the ending .wim.")
    if len(os.fsencode(image.name)) > _LONGEST_NAME:
        message = f"the name of {image} is too long: the copy gets files with longer names"
        hint = f"Give it a name of at most {_LONGEST_NAME} bytes."
        raise StorageError(message, hint=hint, hresult=0x800700CE)


def refuse_root(place: Place) -> None:
    """Raise UsageError where a staging folder is given for the root of its drive."""
    outer = staging_place(str(place.root))
    if outer is not None:
        message = f"{place.root} lies in a staging folder, and is no drive's root"
        raise UsageError(message, hint=f"Name the folder that holds it: --staging {outer.root}.")


def refuse_overlap(place: Place, files: StagedFiles, named: Sequence[Path]) -> None:
    """Raise where playing the run would write over what is not a rehearsal's own.

    StagingError for a folder that is a symbolic link; UsageError for a file among `named` that lies
    where a run clears up; UnrecognisedContent for an image file that no rehearsal put there.
    """
    for folder in place.folders:
        if folder.is_symlink():
            message = f"{folder} is a symbolic link, and none is followed here"
            raise StagingError(message, hint="Remove the link, or use another --staging DIR.")
    for path in named:
        real = real_path(path)
        inside = next((each for each in place.folders if real.is_relative_to(each)), None)
        if inside is not None or any(_is_same(real, each) for each in files.replaced):
            message = f"{path} lies where a rehearsal replaces files: {inside or place.root}"
            hint = "Copy it elsewhere and name the copy; nothing was touched."
            raise UsageError(message, hint=hint)
    if files.result.exists() and not place.history.exists():
        message = f"{files.result} stands there, and no rehearsal put it there"
        hint = "Move it away, or use another --staging DIR; nothing was touched."
        raise UnrecognisedContent(message, hint=hint)


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False


def refuse_strangers(leftovers: Sequence[Leftover]) -> None:
    """Raise UnrecognisedContent where all that is in the way is what no run leaves.

    A run fails on a mount or on what is left of one; nobody knows that it fails on other things.
    """
    if leftovers and all(_is_stranger(each) for each in leftovers):
        hint = "Move it away, or use another --staging DIR; nothing was touched."
        raise UnrecognisedContent(leftovers[0].text, hint=hint)


def _is_stranger(leftover: Leftover) -> bool:
    return leftover.state is None and not is_mount_point(leftover.path)


def need_mounting() -> None:
    """Refuse where nothing can be mounted."""
    wimlib.require_program()
    if not os.access(_FUSE, os.R_OK | os.W_OK):
        message = f"a rehearsal mounts the image, and {_FUSE} cannot be used"
        hint = "Load the kernel's fuse module, or run where FUSE is allowed; nothing was touched."
        raise MountError(message, hint=hint, hresult=0x80070005)


def refuse_unplayable(
    image: Path, indexes: tuple[int, ...], options: RehearsalOptions, world: Surroundings
) -> None:
    """Raise UnsupportedPackage for an update that Windows could install and wimdock cannot."""
    updates = tuple(update for update in options.updates if is_content(update))
    if not updates:
        return
    asked = ServiceOptions(
        indexes=indexes,
        dry_run=True,
        continue_on_error=True,
        allow_unsigned=options.allow_unsigned,
        dictionary=options.dictionary,
    )
    with world.reporter.step("See whether the updates can be played"):
        report = service(image, updates, asked, surroundings(workspace=world.workspace))
    for result in report.results:
        if isinstance(result.error, UnsupportedPackage):
            result.error.hint = "wimdock cannot play this update; leave it out of the rehearsal."
            raise result.error
