"""Unmounting: with the changes put into the image file, or without.

Order of a commit: refusals; the sidecar and our record say that a commit begins; wimlib commits and
ends; the sidecar gets the new generation; what the mount left is removed, our record last. See
`wimdock.servicing.mounts.commit` for what a crash leaves.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from wimdock.errors import (
    CommitFailed,
    MountError,
    MountInUse,
    NotMounted,
    StorageError,
    WimdockError,
)
from wimdock.files import naming
from wimdock.servicing import wimlib
from wimdock.servicing.mounts.clearing import clear
from wimdock.servicing.mounts.commit import begin_commit, check_committed, settle
from wimdock.servicing.mounts.ending import end_mount, silent, wait_until_free, wait_until_gone
from wimdock.servicing.mounts.holders import refuse_in_use
from wimdock.servicing.mounts.listing import Mounted, MountState, mounted_at
from wimdock.servicing.mounts.mountinfo import mount_at, mount_points, place_of
from wimdock.servicing.mounts.probe import Life, ask
from wimdock.servicing.mounts.record import (
    MountRecord,
    Phase,
    remove_record,
    working_on,
    write_record,
)
from wimdock.servicing.mounts.refusal import typed
from wimdock.servicing.mounts.staging import changes_size, remove_staging
from wimdock.servicing.options import Surroundings, surroundings
from wimdock.wim.generations import Generation

_DISK_FULL = 0x80070070


@dataclass(frozen=True, slots=True)
class Unmounted:
    """What was unmounted; `generation` is the one that a commit made, None where nothing changed.

    `note` says in a sentence what is worth knowing; `image` and `index` are None where a mount that
    is not ours did not tell them.
    """

    directory: Path
    image: Path | None
    index: int | None
    committed: bool
    generation: Generation | None = None
    note: str = ""


def unmount(directory: Path, *, commit: bool, world: Surroundings | None = None) -> Unmounted:
    """End a mount; `commit` puts its changes into the image file, else they are lost.

    NotMounted where there is none, MountInUse (naming processes) where somebody works in it,
    CommitFailed where the changes cannot be put in: then it stays mounted. Without `commit`, what
    is left of a mount whose process has died goes too.
    """
    world = world or surroundings()
    wimlib.require_program()
    directory = place_of(directory)
    if mount_at(directory) is None and mounted_at(directory) is None:
        raise _not_mounted(directory)
    with working_on(directory):
        found = mounted_at(directory)
        if found is None:
            raise _not_mounted(directory)
        if found.record is not None and found.state is not MountState.OK:
            return _end_stale(found, world, commit=commit)
        refuse_in_use(directory)
        if commit:
            return _commit(found, world)
        return _discard(found, world)


def _not_mounted(directory: Path) -> NotMounted:
    outer = [p.directory for p in mount_points() if p.is_wim and p.directory in directory.parents]
    if outer:
        message = f"{directory} lies in a mounted image; it was mounted in {outer[-1]}"
        return NotMounted(message, hint=f"Name {outer[-1]} instead.")
    if mount_at(directory) is not None:
        message = f"what is mounted in {directory} is no WIM image"
        return NotMounted(message)
    message = f"no image is mounted in {directory}"
    return NotMounted(message)


def _discard(found: Mounted, world: Surroundings) -> Unmounted:
    record = found.record
    if record is not None:
        _note_discarding(record, world)
    with world.reporter.step(f"Unmount {found.directory}"):
        try:
            end_mount(found.directory, world.reporter)
        except WimdockError:
            if record is not None:
                write_record(record, world.disk)
            raise
        if record is not None:
            _forget(record, world)
    return Unmounted(found.directory, found.image, found.index, committed=False)


def _note_discarding(record: MountRecord, world: Surroundings) -> None:
    """Record that a mount is being discarded; a full disk is no reason to keep it.

    Discarding may be what frees the disk. A crash then leaves the record of a mount that is gone.
    """
    try:
        write_record(record.in_phase(Phase.DISCARDING), world.disk)
    except StorageError as error:
        if error.hresult != _DISK_FULL:
            raise


def _end_stale(found: Mounted, world: Surroundings, *, commit: bool) -> Unmounted:
    record = found.record
    cut_short = record is not None and record.phase is Phase.COMMITTING
    if commit and not cut_short:
        message = f"{found.directory} cannot be committed: {_lowered(found.note)}"
        command = f"wimdock unmount {typed(found.directory)} --discard"
        hint = f"`{command}` clears it away; the image is whole."
        raise CommitFailed(message, hint=hint, hresult=0xC1510114)
    cleared = clear(found, world)
    generation = cleared.settled.generation
    if commit and cleared.settled.unclear:
        message = f"{found.image} was written by others since: nobody can tell if it was committed"
        hint = f"Look at it with `wimdock generations {typed(found.image)}` and `wimdock inspect`."
        raise CommitFailed(message, hint=hint, hresult=0xC142011D)
    if commit and generation is None:
        message = f"the changes made in {found.directory} are lost: its process ended too early"
        hint = f"{found.image} is as it was before. Mount it and make them again."
        raise CommitFailed(message, hint=hint, hresult=0xC142011D)
    note = "" if generation is None else "It had been committed before it was cut short."
    return Unmounted(
        found.directory, found.image, found.index, generation is not None, generation, note
    )


def _lowered(note: str) -> str:
    text = note.rstrip(".") or "it is not mounted any more"
    return text[0].lower() + text[1:]


def _commit(found: Mounted, world: Surroundings) -> Unmounted:
    record = found.record
    if not found.writable:
        message = f"{found.directory} is mounted read-only: there is nothing to commit"
        hint = f"`wimdock unmount {typed(found.directory)} --discard` ends it."
        raise CommitFailed(message, hint=hint, hresult=0xC142010C)
    if record is None:
        message = f"{found.directory} was not mounted by wimdock, which does not commit it"
        hint = f"Commit it with: wimlib-imagex unmount {typed(found.directory)} --commit"
        raise MountError(message, hint=hint, hresult=0x80070005)
    if ask(record.directory).life is not Life.ANSWERS:
        raise silent(record.directory)
    _refuse_changed(record)
    _refuse_host(record)
    number = begin_commit(record.image, world)
    record = replace(record, phase=Phase.COMMITTING, generation=number)
    write_record(record, world.disk)
    with world.reporter.step(f"Commit {record.directory}") as step:
        try:
            wimlib.unmount(record.directory, commit=True, reporter=world.reporter)
        except WimdockError as error:
            _failed(record, world, error)
        wait_until_gone(record.directory)
        settled = settle(record, world, certain=True)
        _forget(record, world)
        if settled.generation is None:
            message = f"wimlib said that it had committed {record.directory}, but nothing changed"
            hint = "The image is as it was. Mount it again."
            raise CommitFailed(message, hint=hint, hresult=0x8007001F)
        check_committed(record)
        step.result = f"generation {settled.generation.number}"
    return Unmounted(record.directory, record.image, record.index, True, settled.generation)  # noqa: FBT003


def _refuse_changed(record: MountRecord) -> None:
    """Refuse where another file took the image's place: wimlib would write into that one."""
    from wimdock.wim import Archive

    try:
        same = record.image.stat().st_ino == record.inode
        with naming(record.image), Archive.open(record.image) as archive:
            same = same and hashlib.sha256(archive.raw_header).hexdigest() == record.header
    except (OSError, WimdockError):
        same = False
    if not same:
        message = f"{record.image} was changed or replaced after it was mounted"
        hint = f"Save what you need, then `wimdock unmount {typed(record.directory)} --discard`."
        raise CommitFailed(message, hint=hint, hresult=0xC1420122)


def _refuse_host(record: MountRecord) -> None:
    """End a commit as the host would that the record names: with 0x800700A1 where it cannot."""
    if record.host is None:
        return
    from wimdock.image.reparse_points import reparse_points
    from wimdock.servicing.preflight.host import Ability, judge_host
    from wimdock.wim import Archive

    with naming(record.image), Archive.open(record.image) as archive:
        verdict = judge_host(reparse_points(archive.image(record.index)), record.host)
    if verdict.ability is Ability.CANNOT:
        which = "a reparse point" if verdict.strong == 1 else f"{verdict.strong:,} reparse points"
        message = f"{record.host.name} cannot commit {record.directory}: it does not know {which}"
        hint = (
            f"`wimdock unmount {typed(record.directory)} --discard` is the only way out; "
            "committing fails again."
        )
        raise CommitFailed(message, hint=hint)


def _failed(record: MountRecord, world: Surroundings, error: WimdockError) -> None:
    """Raise what a commit failed with; return where it was made in spite of the failure."""
    if mount_at(record.directory) is not None and ask(record.directory).life is Life.ANSWERS:
        write_record(replace(record, phase=Phase.MOUNTED, generation=None), world.disk)
        if isinstance(error, MountInUse):
            raise error
        message = f"{record.directory} cannot be committed and stays mounted: {error.message}"
        hint = "Check the image's disk and try again; --discard gives the changes up."
        if shutil.disk_usage(record.image.parent).free < changes_size(record):
            hint = "Free space on the image's disk and try again; --discard gives the changes up."
            raise CommitFailed(message, hint=hint, hresult=_DISK_FULL) from error
        raise CommitFailed(message, hint=hint, hresult=error.hresult) from error
    found = mounted_at(record.directory)
    if found is None or found.state is MountState.OK:
        raise error
    cleared = clear(found, world)
    if cleared.settled.generation is None:
        message = f"{record.directory} was not committed, and its changes are lost: {error.message}"
        hint = f"{record.image} is as it was before. Mount it and make them again."
        raise CommitFailed(message, hint=hint, hresult=0xC142011D) from error
    write_record(record, world.disk)


def _forget(record: MountRecord, world: Surroundings) -> None:
    """Remove what a mount leaves, its record last; what cannot be removed stays recorded."""
    if not wait_until_free(record.staging):
        message = f"wimlib still works in {record.staging}"
        raise StorageError(message, hint="`wimdock mounts --cleanup` removes it later.")
    remove_staging(record)
    remove_record(record, world.disk)
