"""/Mount-Image, /Unmount-Image, /Remount-Image, /Commit-Image: through the mounts room."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from wimdock.cli.dism.syntax import refuse_service
from wimdock.errors import CommitFailed, CorruptImage, MountError, WimdockError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wimdock.cli.dism.session import Session

_PROVIDER = "DISM WIM Provider"


def mount_image(session: Session) -> None:
    """Mount an image read/write, or with /ReadOnly for reading only, as DISM does."""
    from wimdock.cli.dism.catalog import read_catalog
    from wimdock.servicing.mounts import mount

    image, directory = session.path("ImageFile", "WimFile"), session.path("MountDir")
    index = session.image_index(read_catalog(image))
    world = session.surroundings()
    if session.line.has("CheckIntegrity"):
        session.screen.line("Checking image")
        _check_integrity(image, session)
        session.screen.step_done()
    session.screen.line("Mounting image")
    session.log.note(_PROVIDER, f"Mounting image {index} of {image} in {directory}")
    mount(
        image,
        index or 1,
        directory,
        writable=not session.line.has("ReadOnly"),
        typed=session.line.text("MountDir"),
        world=world,
    )
    session.screen.step_done()


def unmount_image(session: Session) -> None:
    """Unmount: with /Commit the changes go into the image file first, with /Discard they are lost.

    A commit fails as it would on the host that the mount's record plays.
    """
    from wimdock.servicing.mounts import unmount

    directory, commit = session.path("MountDir"), session.line.has("Commit")
    if commit:
        _keeps_integrity(session, directory)
        session.screen.line("Saving image")
    else:
        session.screen.line("Unmounting image")
    kept = "committed" if commit else "discarded"
    session.log.note(_PROVIDER, f"Unmounting {directory}; its changes are to be {kept}")
    with _logging_failure(session, commit=commit):
        done = unmount(directory, commit=commit, world=session.surroundings())
    session.screen.step_done()
    if commit:
        session.screen.line("Unmounting image")
        session.screen.step_done()
    if done.note:
        session.log.note(_PROVIDER, done.note)
        session.screen.line(done.note)


def remount_image(session: Session) -> None:
    """Mount again what has lost its process; what had not been committed is gone, and said so."""
    from wimdock.servicing.mounts import remount

    directory = session.path("MountDir")
    session.screen.line("Remounting image")
    session.log.note(_PROVIDER, f"Mounting again what was mounted in {directory}")
    record = remount(directory, world=session.surroundings())
    session.screen.step_done()
    if record.writable:
        session.screen.line("What had not been committed when the mount was lost is not in it.")


def commit_image(session: Session) -> None:
    """Put the changes into the image file and leave it mounted.

    wimlib can commit only what it unmounts: the image is unmounted with its changes and mounted
    again in the same folder. What has the folder open stops it before anything is done.
    """
    from wimdock.servicing.mounts import mount, unmount
    from wimdock.servicing.mounts.mountinfo import place_of
    from wimdock.servicing.mounts.record import read_record

    directory = session.path("MountDir")
    _keeps_integrity(session, directory)
    record = read_record(place_of(directory))
    session.screen.line("Saving image")
    session.log.note(_PROVIDER, f"Committing {directory}")
    world = session.surroundings()
    with _logging_failure(session, commit=True):
        unmount(directory, commit=True, world=world)
    if record is None:  # it came after we looked, and whoever mounted it knows how
        message = f"the changes in {directory} are committed, but it is not mounted again"
        raise MountError(message, hint="Mount it anew: nothing is lost.")
    try:
        mount(
            record.image,
            record.index,
            record.directory,
            writable=True,
            host=record.host,
            typed=record.typed,
            world=world,
        )
    except WimdockError as error:
        message = f"the changes are committed, but the image is not mounted again: {error.message}"
        hint = f"Mount it anew: nothing is lost. {error.hint}"
        raise MountError(message, hint=hint, hresult=error.hresult) from error
    session.screen.step_done()


@contextmanager
def _logging_failure(session: Session, *, commit: bool) -> Iterator[None]:
    """Write the stack of the failure that the article is about, line for line, into the log."""
    try:
        yield
    except CommitFailed as error:
        from wimdock.doctor.logs.commit_failure import BAD_PATHNAME

        if commit and error.hresult == BAD_PATHNAME:
            session.log.commit_failed(BAD_PATHNAME)
        raise


def _check_integrity(image: Path, session: Session) -> None:
    """Compare a file with its integrity table; CorruptImage where they differ."""
    from wimdock.files import naming
    from wimdock.wim import Archive
    from wimdock.wim.integrity import chunk_bounds, hash_chunk, read_integrity

    with naming(image), Archive.open(image) as archive:
        if not archive.header.integrity.size:
            why = f"{image} has no integrity table; `wimdock verify` checks every hash of a file"
            refuse_service("/CheckIntegrity for this file", why)
        table, end = read_integrity(archive, archive.header), archive.header.blob_table.end
        for chunk in range(len(table)):
            session.screen.bar.show(chunk, len(table))
            if hash_chunk(archive.fd, table.chunk_size, chunk, end) != table[chunk]:
                start, stop = chunk_bounds(table.chunk_size, chunk, end)
                message = f"the bytes {start:,} to {stop:,} are not as the integrity table has them"
                raise CorruptImage(message)


def _keeps_integrity(session: Session, directory: Path) -> None:
    """Refuse /CheckIntegrity of a commit where the file has no integrity table to be kept."""
    if not session.line.has("CheckIntegrity"):
        return
    from wimdock.servicing.mounts.mountinfo import place_of
    from wimdock.servicing.mounts.record import read_record
    from wimdock.wim import Archive

    record = read_record(place_of(directory))
    if record is None:  # the commit itself will say what is wrong
        return
    with Archive.open(record.image) as archive:
        if not archive.header.integrity.size:
            why = (
                f"a commit keeps the integrity table of a file and adds none, and {record.image} "
                "has none"
            )
            refuse_service("/CheckIntegrity for this file", why)
