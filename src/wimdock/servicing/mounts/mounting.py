"""Mounting an image, and mounting again what lost its process.

Order: everything is checked; the record is written; the folder for changes is made; wimlib mounts;
the mount is asked what it is; the record is completed. A crash leaves a record, which `list_mounts`
tells truthfully: with a mount behind it the image is mounted, without one mounting was cut short.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from wimdock.errors import MountError, NotMounted, WimdockError
from wimdock.files import naming, real_path
from wimdock.reparse.hosts import Build
from wimdock.servicing import wimlib
from wimdock.servicing.mounts.clearing import clear
from wimdock.servicing.mounts.ending import end_mount, wait_until_free
from wimdock.servicing.mounts.listing import MountState, mounted_at
from wimdock.servicing.mounts.mountinfo import mount_at, place_of
from wimdock.servicing.mounts.probe import Life, ask
from wimdock.servicing.mounts.record import (
    MountRecord,
    Phase,
    remove_record,
    working_on,
    write_record,
)
from wimdock.servicing.mounts.refusal import refuse_directory, refuse_image, refuse_taken
from wimdock.servicing.mounts.staging import make_staging, remove_staging, staging_path
from wimdock.servicing.options import Surroundings, surroundings

_PATIENCE = 5.0


def mount(
    image: Path,
    index: int,
    directory: Path,
    *,
    writable: bool = False,
    host: Build | None = None,
    typed: str = "",
    world: Surroundings | None = None,
) -> MountRecord:
    """Mount an image of a file in an empty folder and give the record of it.

    `host` makes a commit end as that host's would, `typed` is the folder as DISM's syntax had it.
    Raises, before anything is touched, MountError or AlreadyMounted for the folder, an ImageError,
    ImageBusy or AlreadyMounted for the image, MissingLibrary without wimlib-imagex.
    """
    world = world or surroundings()
    wimlib.require_program()
    image, directory = real_path(image), place_of(directory)
    with working_on(directory):
        refuse_directory(directory, image)
        refuse_image(image, index, writable=writable)
        refuse_taken(image, index, writable=writable)
        record = MountRecord(
            directory,
            image,
            index,
            writable,
            world.clock.now(),
            host,
            typed,
            staging=staging_path(image, directory) if writable else None,
        )
        return _mount(record, world)


def remount(directory: Path, *, world: Surroundings | None = None) -> MountRecord:
    """Mount again what our record says was mounted here and has lost its process.

    What was changed in a read/write mount and not committed was lost with the process. NotMounted
    without a record, MountError 0xC1420123 where the mount is as it should be.
    """
    world = world or surroundings()
    wimlib.require_program()
    directory = place_of(directory)
    with working_on(directory):
        found = mounted_at(directory)
        if found is None or found.record is None:
            message = f"wimdock has no record of a mount in {directory}"
            raise NotMounted(message)
        if found.state is MountState.OK:
            message = f"{directory} is mounted as it should be"
            raise MountError(message, hint="There is nothing to mount again.", hresult=0xC1420123)
        record = found.record
        clear(found, world)
        fresh = replace(
            record,
            since=world.clock.now(),
            phase=Phase.MOUNTING,
            inode=None,
            header="",
            generation=None,
        )
        try:
            refuse_directory(directory, record.image)
            refuse_image(record.image, record.index, writable=record.writable)
            refuse_taken(record.image, record.index, writable=record.writable)
            return _mount(fresh, world)
        except WimdockError:
            # What cannot be mounted again now can be later: it is still listed as such.
            write_record(fresh, world.disk)
            raise


def _mount(record: MountRecord, world: Surroundings) -> MountRecord:
    write_record(record, world.disk)
    made = False
    try:
        with world.reporter.step(f"Mount image {record.index} of {record.image.name}") as step:
            if record.staging is not None:
                make_staging(record.staging)
                made = True
            wimlib.mount(record.image, record.index, record.directory, staging=record.staging)
            _confirm(record)
            step.result = "read/write" if record.writable else "read-only"
        mounted = _identified(record.in_phase(Phase.MOUNTED))
        write_record(mounted, world.disk)
    except BaseException:
        _undo(record, world, made=made)
        raise
    return mounted


def _identified(record: MountRecord) -> MountRecord:
    """Note which file was mounted, while wimlib's lock keeps others from writing it."""
    from wimdock.wim import Archive

    with naming(record.image), Archive.open(record.image) as archive:
        header = hashlib.sha256(archive.raw_header).hexdigest()
        return replace(record, inode=os.fstat(archive.fd).st_ino, header=header)


def _confirm(record: MountRecord) -> None:
    """Make sure that what is mounted is what was asked for."""
    answer = ask(record.directory)
    point = mount_at(record.directory)
    answered = answer.life is Life.ANSWERS and answer.index == record.index
    if point is None or not answered or answer.writable != record.writable:
        message = f"wimlib said that it had mounted {record.directory}, but it is not so"
        raise MountError(message, hint="`wimdock mounts` shows what is there.")


def _undo(record: MountRecord, world: Surroundings, *, made: bool) -> None:
    """Take back a mount that failed or was interrupted, or leave it recorded."""
    with suppress(WimdockError, OSError):
        end_mount(record.directory, world.reporter)
        if made and not wait_until_free(record.staging, _PATIENCE):
            return
        if made:
            remove_staging(record)
        remove_record(record, world.disk)
