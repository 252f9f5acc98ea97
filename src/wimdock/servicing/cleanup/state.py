"""The state of a package's mount directory, and what it rests on.

Mounted is what the kernel's table of mounts says is mounted, by whomever, here or in another mount
namespace. Proved unmounted is only what lies on a file system that no DISM can have mounted an
image in; on a disk that Windows uses, a folder that holds something is never proved, whatever the
marks. An empty folder holds nothing that could be lost, and removing it fails where it was not
empty.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.servicing.cleanup.change import change_of
from wimdock.servicing.cleanup.dism_mark import find_mark
from wimdock.servicing.cleanup.entries import Entry, Kind
from wimdock.servicing.cleanup.measure import Measure
from wimdock.servicing.cleanup.staged import PackageState, StagedPackage
from wimdock.servicing.cleanup.volume import Volume
from wimdock.servicing.mount_table import Mount

if TYPE_CHECKING:
    from wimdock.servicing.mounts import Mounted


@dataclass(frozen=True, slots=True)
class View:
    """What the system says while a staging folder is looked at.

    `mounts` are those at and below the staging folder, `beside` those that are in it and have
    another path, `elsewhere` those of other mount namespaces, `known` what wimdock and wimlib know
    of; `deep` asks for sizes and changes as well.
    """

    volume: Volume
    mounts: Sequence[Mount] = ()
    beside: Sequence[Mount] = ()
    elsewhere: Sequence[tuple[int, Path]] = ()
    known: Sequence[Mounted] = ()
    deep: bool = True

    def at_or_below(self, folder: Path) -> list[Mount]:
        """Give the mounts at or below a folder."""
        return [mount for mount in self.mounts if mount.directory.is_relative_to(folder)]


def state_of(package: StagedPackage, entries: Sequence[Entry], view: View) -> StagedPackage:
    """Complete a package: its state, the reason for it, and with `view.deep` what would be lost."""
    directory = next((e.path for e in entries if e.kind is Kind.MOUNT_DIRECTORY), None)
    images = tuple(e.path.name for e in entries if e.kind is Kind.IMAGE)
    package = replace(
        package,
        mount_directory=directory or package.mount_directory,
        image=images[0] if images else "",
        images=images,
    )
    package = _judged(package, directory, view)
    return _measured(package, entries, view) if view.deep else package


def is_of(package: StagedPackage, point: Path) -> bool:
    """Tell whether a mount of another namespace is one in a package, as far as its path says."""
    return package.path.name in point.parts


def _judged(package: StagedPackage, directory: Path | None, view: View) -> StagedPackage:
    known = _known(package.mount_directory, view)
    mounts = view.at_or_below(package.path)
    if mounts:
        return _mounted(package, mounts, known)
    elsewhere = next(((pid, point) for pid, point in view.elsewhere if is_of(package, point)), None)
    if elsewhere is not None:
        reason = f"process {elsewhere[0]} sees it mounted at {elsewhere[1]}, in a view of its own"
        return replace(package, state=PackageState.MOUNTED_BY_OTHER, reason=reason)
    if directory is None:
        state, reason = PackageState.ABSENT, "there is no mount directory"
        if known is not None:
            state, reason = (
                PackageState.STALE,
                "a record of a mount is left, but no mount directory",
            )
        return replace(package, state=state, reason=reason, mounted=known)
    return _unmounted(package, directory, known, view)


def _known(directory: Path, view: View) -> Mounted | None:
    """Give what is known of a mount directory: what is live there before a record of what was."""
    found = [each for each in view.known if each.directory == directory]
    return next((each for each in found if each.is_live), found[0] if found else None)


def _mounted(
    package: StagedPackage, mounts: Sequence[Mount], known: Mounted | None
) -> StagedPackage:
    others = [mount for mount in mounts if mount.directory != package.mount_directory]
    here = [mount for mount in mounts if mount.directory == package.mount_directory]
    if others or not here[-1].is_wim:
        mount = (others or here)[-1]
        reason = f"a file system of the type {mount.kind} is mounted at {mount.directory}"
        return replace(package, state=PackageState.MOUNTED_BY_OTHER, reason=reason)
    ours = known is not None and known.record is not None
    state = PackageState.MOUNTED_BY_WIMDOCK if ours else PackageState.MOUNTED_BY_WIMLIB
    reason = "an image is mounted here" + (", twice over" if len(here) > 1 else "")
    life = _life(package.mount_directory)
    reason += {"dead": "; its process is gone", "silent": "; it does not answer"}.get(life, "")
    image = f"image {known.index} of {known.image.name}" if known and known.image else package.image
    record = known.record if known else None
    return replace(
        package,
        state=state,
        reason=reason,
        mounted=known,
        image=image,
        since=record.since if record else None,
        typed=record.typed if record else "",
        is_silent=life == "silent",
    )


def _unmounted(
    package: StagedPackage, directory: Path, known: Mounted | None, view: View
) -> StagedPackage:
    if not view.volume.is_ours_alone:
        mark = find_mark(directory)
        if mark is not None:
            return replace(
                package,
                state=PackageState.MOUNTED_BY_DISM,
                reason=mark.seen,
                image=mark.image or package.image,
                typed=mark.directory,
            )
    try:
        with os.scandir(directory) as found:
            is_empty = next(found, None) is None
    except OSError as error:
        reason = f"it cannot be looked into: {error.strerror}"
        return replace(package, state=PackageState.UNPROVED, reason=reason)
    if is_empty and known is None:
        return replace(
            package, state=PackageState.EMPTY, reason="nothing is mounted, nothing in it"
        )
    if not is_empty and not view.volume.is_ours_alone:
        reason = f"it holds files, and lies on {view.volume.name}: DISM may have an image there"
        return replace(package, state=PackageState.UNPROVED, reason=reason)
    reason = "nothing is mounted, but files are in it"
    if is_empty:
        reason = "nothing is mounted, but a record of a mount is left"
    return replace(
        package,
        state=PackageState.STALE,
        reason=reason,
        mounted=known,
        typed=known.record.typed if known and known.record else "",
    )


def _life(directory: Path) -> str:
    from wimdock.servicing.mounts.probe import ask

    return ask(directory).life.value


def _measured(package: StagedPackage, entries: Sequence[Entry], view: View) -> StagedPackage:
    if sys.platform == "win32":  # nothing is deleted there, and a mounted image is large
        return package
    counted = Measure()
    points = {mount.directory for mount in view.mounts}
    in_mount = 0
    for entry in entries:
        before = counted.files
        if entry.path not in points:
            counted.add(entry.path)
        if entry.kind is Kind.MOUNT_DIRECTORY:
            in_mount = counted.files - before
    package = replace(
        package,
        size=counted.size,
        files=counted.files,
        since=package.since or counted.changed,
        unreadable=tuple(counted.unreadable),
        files_in_mount=in_mount,
    )
    if not package.state.can_be_discarded or package.mounted is None or package.is_silent:
        return package
    record = package.mounted.record
    written = [entry.path for entry in entries if entry.kind is Kind.CHANGES]
    if record is not None and record.staging is not None:
        written = [path for path in written if path != record.staging] + [record.staging]
    return replace(package, change=change_of(package.mounted, written))
