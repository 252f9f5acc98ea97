"""Cleaning up staging folders by a plan: unmount, prove, delete, and prove again.

The order, for each staging folder:

1. The folder is locked, against a second clean-up and a rehearsal, and looked at anew. What stands
   in the way, or is mounted and was not in the plan, ends it here: nothing was touched.
2. All mounts of the plan are ended, their changes discarded. One that fails does not keep the
   others from being ended, but nothing in the whole staging folder is deleted after it.
3. The kernel's table of mounts is read again; programs that work in the folder, and locks on copies
   of images, end it here.
4. The mount directories are removed, then the rest of each package, the content folders, the loose
   files, and last the staging folder itself. The table is read again before each of them.
5. The folder is looked for again: it must be gone, and nothing mounted there.

Idempotent by what is on the disk: every step leaves a folder that is still recognised, so a
clean-up that was killed is simply run again. No journal is kept.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path

from wimdock.errors import (
    MountInUse,
    NotMounted,
    StagingError,
    WimdockError,
)
from wimdock.files import open_file, real_path, storage_error
from wimdock.servicing.cleanup.entries import Kind, entries_of
from wimdock.servicing.cleanup.find import look_at
from wimdock.servicing.cleanup.ground import Ground, changed
from wimdock.servicing.cleanup.hold import held, lock_on
from wimdock.servicing.cleanup.leftovers import leftovers_in
from wimdock.servicing.cleanup.mounts_in import mounts_below, mounts_beside, mounts_elsewhere
from wimdock.servicing.cleanup.plan import CleanupPlan, FolderPlan, plan_cleanup
from wimdock.servicing.cleanup.removal import Removal
from wimdock.servicing.cleanup.result import CleanupResult, FolderResult, Proof
from wimdock.servicing.cleanup.staged import PackageState, StagedPackage, StagingFolder
from wimdock.servicing.cleanup.volume import volume_of
from wimdock.servicing.options import Surroundings, surroundings

_WORKING_FILES = frozenset({Kind.CHANGES, Kind.IMAGE, Kind.LOG})
_PATIENCE = 3.0
_PAUSE = 0.05
# How much a mount directory holds; whatever is mounted holds more.
_RANKS = {PackageState.ABSENT: 0, PackageState.EMPTY: 1, PackageState.STALE: 2}


def clean_up(plan: CleanupPlan, world: Surroundings | None = None) -> CleanupResult:
    """Carry a plan out. What goes wrong with one folder is in its result; the others go on."""
    world = world or surroundings()
    return CleanupResult(tuple(_clean(folder, world) for folder in plan.folders))


def _clean(plan: FolderPlan, world: Surroundings) -> FolderResult:
    result = FolderResult(plan)
    if plan.obstacles:
        result.errors += plan.obstacles
        return result
    place = plan.folder.path
    try:
        free = _free(place.parent)
        with world.reporter.step(f"Clean up {place}") as step, held(plan.folder) as opened:
            above, fd = opened
            folder = _looked_at_again(plan)
            _unmount(folder, result, world)
            if result.errors:
                step.result = "stopped: a mount could not be ended"
                return result
            _prove_unmounted(place)
            _refuse_users(folder)
            _refuse_locked(folder)
            removal = Removal(Ground.of(fd), world.disk)
            result.tally = removal.tally
            _delete(folder, above, fd, removal)
            world.disk.flush_folder(place.parent)
        result.proof = _proof(place, free)
    except WimdockError as error:
        result.errors.append(error)
    return result


def _free(folder: Path) -> int:
    try:
        found = os.statvfs(folder)
    except OSError as error:
        raise storage_error(error, folder) from error
    return found.f_bavail * found.f_frsize


def _looked_at_again(plan: FolderPlan) -> StagingFolder:
    """Look at the folder again, now that it is ours; refuse what the plan did not have."""
    folder = look_at(plan.folder.path, deep=False)
    (again,) = plan_cleanup([folder]).folders
    for obstacle in again.obstacles:
        raise obstacle
    before = {package.path: package for package in plan.folder.packages}
    new = [p.path for p in folder.packages if not _was_planned(p, before.get(p.path))]
    new += {*folder.content_folders} - {*plan.folder.content_folders}
    new += {*folder.loose_files} - {*plan.folder.loose_files}
    if new:
        message = f"{new[0]} was not so when the clean-up was planned: a run is going on"
        hint = "Wait until it has ended, then look again with --dry-run."
        raise StagingError(message, hint=hint)
    return folder


def _was_planned(package: StagedPackage, planned: StagedPackage | None) -> bool:
    """Tell whether a package is as it was planned, or holds less by now."""
    if planned is None or _RANKS.get(package.state, 3) > _RANKS.get(planned.state, 3):
        return False
    return not package.state.is_mounted or _began(package) == _began(planned)


def _began(package: StagedPackage) -> object:
    """Give what tells one mount from a later one in the same place, as far as it is known."""
    record = package.mounted.record if package.mounted else None
    return (record.since, record.image) if record else None


def _unmount(folder: StagingFolder, result: FolderResult, world: Surroundings) -> None:
    """End all mounts and forget all records of mounts that are gone; collect what fails."""
    from wimdock.servicing.mounts import clear_stale, unmount

    for record in folder.records:
        try:
            clear_stale(record.directory, world)
        except WimdockError as error:
            result.errors.append(error)
    (plan,) = plan_cleanup([folder]).folders
    for package in plan.unmounts:
        try:
            _refuse_moved(package)
            # Never with commit: after failure 1 it brings the same error back.
            unmount(package.mount_directory, commit=False, world=world)
        except NotMounted:
            continue  # it ended by itself: the table of mounts is read again anyway
        except WimdockError as error:
            result.errors.append(error)
        else:
            result.unmounted.append(package)


def _refuse_moved(package: StagedPackage) -> None:
    """Raise StagingError where a link stands by now, through which another mount would be ended."""
    try:
        real = real_path(package.path) / package.mount_directory.name
        links = [p for p in (package.path, package.mount_directory) if _is_link(p)]
    except OSError as error:
        raise storage_error(error, package.path) from error
    if links or real != package.mount_directory:
        raise changed(package.mount_directory)


def _is_link(path: Path) -> bool:
    """Tell a link; a mount whose process is dead is none, and neither is what is gone."""
    try:
        return stat.S_ISLNK(path.lstat().st_mode)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTCONN, errno.EIO, errno.EACCES}:
            return False
        raise


def _prove_unmounted(place: Path) -> None:
    """Raise StagingError where the kernel has anything mounted at a place or below."""
    for mount in (*mounts_below(place), *mounts_beside(place)):
        message = f"{mount.directory} is still mounted: nothing there is deleted"
        raise StagingError(message, hint="`wimdock mounts` shows what is there.")
    for process, point in mounts_elsewhere(place):
        message = f"process {process} still sees a mount at {point}: nothing there is deleted"
        raise StagingError(message, hint="End that process, then run the command again.")


def _refuse_users(folder: StagingFolder) -> None:
    """Raise MountInUse for programs at work in the folder, as far as this user may see them."""
    from wimdock.servicing.mounts.holders import holders

    end = time.monotonic() + _PATIENCE
    while True:
        # wimlib's process may still be ending; whoever cleans up may stand in the folder.
        users = [user for user in holders(folder.path) if user.process != os.getpid()]
        if not users:
            break
        if time.monotonic() > end:
            names = ", ".join(f"process {u.process} ({u.name}) holds {u.what}" for u in users[:5])
            message = f"{folder.path} is in use: {names}"
            hint = "End these programs, or leave the folder there, then run the command again."
            raise MountInUse(message, hint=hint)
        time.sleep(_PAUSE)


def _refuse_locked(folder: StagingFolder) -> None:
    """Raise ImageBusy where a program holds the lock on a copy of an image.

    The locks are not kept: on a FUSE file system, such as NTFS through ntfs-3g, a file that is open
    while it is deleted stays under another name, and its folder would not be empty.
    """
    entries = [e for p in folder.packages for e in entries_of(p.path, of_package=True)]
    entries += entries_of(folder.path, of_package=False)
    for path in (entry.path for entry in entries if entry.kind is Kind.IMAGE):
        fd = open_file(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            with lock_on(fd, path):
                pass
        finally:
            os.close(fd)


def _delete(folder: StagingFolder, above: int, fd: int, removal: Removal) -> None:
    """Delete the folder: mount directories first, as what is wrong with them shows there."""
    is_ours_alone = volume_of(folder.path).is_ours_alone
    for package in folder.packages:
        _prove_unmounted(package.path)
        with removal.inside(fd, package.path.name) as inner:
            if package.state is PackageState.STALE and is_ours_alone:
                removal.remove(inner, package.mount_directory.name)
            else:  # which the system refuses where it is not empty
                removal.remove_empty(inner, package.mount_directory.name)
    for package in folder.packages:
        _prove_unmounted(package.path)
        with removal.inside(fd, package.path.name) as inner:
            for entry in entries_of(package.path, of_package=True):
                # A mount directory or anything else that came meanwhile stays: so does its folder.
                if entry.kind in _WORKING_FILES:
                    removal.remove(inner, entry.path.name)
        removal.remove_empty(fd, package.path.name)
    for path in (*folder.content_folders, *folder.loose_files):
        _prove_unmounted(path)
        removal.remove(fd, path.name)
    _prove_unmounted(folder.path)
    removal.remove_empty(above, folder.path.name)


def _proof(place: Path, free_before: int) -> Proof:
    return Proof(
        is_gone=not os.path.lexists(place),
        mounts=tuple(mount.directory for mount in mounts_below(place)),
        leftovers=leftovers_in(place),
        free_before=free_before,
        free=_free(place.parent),
    )
