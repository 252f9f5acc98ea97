"""Files on disk: locks, durable writes, atomic replacement.

Every byte that wimdock writes for keeps goes through a `Disk`, so that a fault test can stop it at
each single write, flush and rename. `Disk` turns the operating system's errors into ours. What
locks files is imported where it is used: Windows has none of it, and the doctor runs there too.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wimdock.errors import ImageBusy, ImageError, RegistryError, StorageError

_PIECE = 1 << 20


def storage_error(error: OSError, path: str | os.PathLike[str]) -> StorageError:
    """Give our error for one of the operating system, naming the file."""
    reason = error.strerror or str(error)
    hresults = {
        errno.ENOSPC: 0x80070070,
        errno.EDQUOT: 0x80070070,
        errno.ENOENT: 0x80070002,
        errno.ENOTDIR: 0x80070003,
        errno.EACCES: 0x80070005,
        errno.EPERM: 0x80070005,
        errno.EROFS: 0x80070013,
        errno.EEXIST: 0x800700B7,
        errno.EISDIR: 0x80070005,
        errno.ELOOP: 0x80070781,
    }
    hints = {
        errno.ENOSPC: "Free space on that disk, then run the command again; nothing was lost.",
        errno.EDQUOT: "Free space within the quota, then run the command again; nothing was lost.",
        errno.ENOENT: "Check the path.",
        errno.ENOTDIR: "Check the path.",
        errno.EISDIR: "Name a file, not a folder.",
        errno.EACCES: "Check the permissions of the file and its folder.",
        errno.EPERM: "Check the permissions of the file and its folder.",
        errno.EROFS: "The file system is read-only: work on a copy elsewhere.",
        errno.EEXIST: "Name a file that does not exist yet.",
        errno.ELOOP: "The symbolic links lead in a circle: name the file itself.",
    }
    return StorageError(
        f"{os.fspath(path)}: {reason}",
        hint=hints.get(error.errno or 0),
        hresult=hresults.get(error.errno or 0),
    )


class Disk:
    """The primitive operations by which anything durable is written.

    All raise StorageError. None of them is retried here.
    """

    def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write all of `data` at `offset`."""
        view = memoryview(data).cast("B")
        while len(view):
            try:
                written = os.pwrite(fd, view, offset)
            except OSError as error:
                raise storage_error(error, name_of(fd)) from error
            view = view[written:]
            offset += written

    def flush(self, fd: int) -> None:
        """Wait until the file's data and length are on the disk."""
        try:
            os.fsync(fd)
        except OSError as error:
            raise storage_error(error, name_of(fd)) from error

    def truncate(self, fd: int, length: int) -> None:
        """Set the file's length."""
        try:
            os.ftruncate(fd, length)
        except OSError as error:
            raise storage_error(error, name_of(fd)) from error

    def replace(self, source: Path, target: Path) -> None:
        """Rename `source` over `target`, atomically, and flush the folder."""
        try:
            source.replace(target)
        except OSError as error:
            raise storage_error(error, target) from error
        self.flush_folder(target.parent)

    def remove(self, folder: int, name: str, *, is_folder: bool) -> None:
        """Remove a name from an open folder: never what a link leads to, and no folder with files.

        `is_folder` says what it must be; something else that stands there by now is left alone.
        """
        try:
            if is_folder:
                os.rmdir(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)
        except OSError as error:
            raise storage_error(error, Path(name_of(folder), name)) from error

    def flush_folder(self, folder: Path) -> None:
        """Wait until the folder's entries are on the disk."""
        try:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise storage_error(error, folder) from error
        try:
            os.fsync(fd)
        except OSError as error:
            raise storage_error(error, folder) from error
        finally:
            os.close(fd)

    def replace_contents(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        """Make `path` hold exactly `data`: the old content or the new one survives a crash.

        Order: a temporary file beside it is written and flushed, then renamed over `path`. An error
        or an interrupt takes the temporary file away again; a crash leaves it to the next time.
        """
        temporary = path.with_name(f".{path.name}.new")
        try:
            fd = open_file(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)
            try:
                self.write_at(fd, data, 0)
                self.flush(fd)
            finally:
                os.close(fd)
            self.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def name_of(fd: int) -> str:
    """Give the path of an open file, as far as the system tells."""
    try:
        return str(Path(f"/proc/self/fd/{fd}").readlink())
    except OSError:
        return f"file descriptor {fd}"


def open_file(path: Path | str, flags: int = os.O_RDONLY, mode: int = 0o644) -> int:
    """Open a file and give its descriptor; raise StorageError where that fails."""
    try:
        return os.open(path, flags | os.O_CLOEXEC, mode)
    except OSError as error:
        raise storage_error(error, path) from error


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Let errors about an image file, or about what is in it, begin with its path.

    The readers of formats take no path and cannot name it; what names the file already stays.
    """
    try:
        yield
    except (ImageError, RegistryError) as error:
        if Path(path).name not in error.message:
            error.message = f"{path}: {error.message}"
        raise


def refuse_special(path: Path) -> None:
    """Raise StorageError where a folder, a pipe or a device stands: some block when opened."""
    try:
        special = path.exists() and not path.is_file()
    except OSError as error:
        raise storage_error(error, path) from error
    if special:
        message = f"{path} is no plain file"
        hint = "Name a file, not a folder or a pipe."
        raise StorageError(message, hint=hint, hresult=0x80070005)


def read_at(fd: int, size: int, offset: int) -> bytes:
    """Read up to `size` bytes at `offset`; fewer only at the end of the file."""
    pieces: list[bytes] = []
    while size:
        try:
            piece = os.pread(fd, min(size, 1 << 30), offset)
        except OSError as error:
            raise storage_error(error, name_of(fd)) from error
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
        offset += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _holder_of(path: Path) -> str:
    """Name the process that holds a lock on `path`, as far as the system tells."""
    try:
        inode = path.stat().st_ino
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if "->" not in fields and fields[5].rsplit(":", 1)[-1] == str(inode):
                return _process(int(fields[4])) or _opener_of(path) or "another process"
    except (OSError, ValueError, IndexError):
        pass
    return "another process"


def _process(pid: int) -> str | None:
    """Name a process by its number and program; None where it has ended."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return f"process {pid} ({name})"


def _opener_of(path: Path) -> str | None:
    """Name a process that has `path` open.

    A lock belongs to an open file and outlives the process that took it: a program that goes into
    the background, as a mount does, holds it under another number than the one in /proc/locks.
    """
    wanted = os.fspath(real_path(path))
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        with suppress(OSError):
            if any(os.fspath(fd.readlink()) == wanted for fd in (process / "fd").iterdir()):
                return _process(int(process.name))
    return None


@contextmanager
def exclusive_lock(fd: int, path: Path) -> Iterator[None]:
    """Hold the advisory lock that wimlib takes too, or raise ImageBusy naming the holder."""
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            message = f"{path} is locked by {_holder_of(path)}"
            raise ImageBusy(message) from error
        raise storage_error(error, path) from error
    try:
        if not _stands_at(fd, path):
            # Whoever held the lock before put another file in its place: `fd` is the old one.
            message = f"{path} was replaced by another program just now"
            raise ImageBusy(message, hint="Run the command again.")
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)


def _stands_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except OSError:
        return False


def real_path(path: Path | str) -> Path:
    """Give the absolute path of the file itself, symbolic links followed; it need not exist."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError) as error:  # Python 3.12 and older tell a loop by RuntimeError
        loop = (
            error if isinstance(error, OSError) else OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        )
        raise storage_error(loop, path) from error


def own_path(path: Path | str) -> Path:
    """Give the absolute path of a name itself: links before it are followed, it is not.

    `..` is taken as the system takes it, from where a link before it leads.
    """
    named = Path(path)
    if named.name in {"", ".."}:
        return real_path(named)
    return real_path(named.parent) / named.name


def copy_file(source: Path, target: Path, disk: Disk) -> None:
    """Copy a file's content, sharing its blocks where the file system can; flush it.

    Nobody but the user can read the copy: who may read `source` is not known here.
    """
    reader = open_file(source)
    try:
        writer = open_file(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            size = os.fstat(reader).st_size
            if not _reflink(reader, writer):
                _copy_bytes(reader, writer, size, disk)
            disk.flush(writer)
        finally:
            os.close(writer)
    finally:
        os.close(reader)


_FICLONE = 0x40049409


def _reflink(reader: int, writer: int) -> bool:
    import fcntl

    try:
        fcntl.ioctl(writer, _FICLONE, reader)
    except OSError:
        return False
    return True


def _copy_bytes(reader: int, writer: int, size: int, disk: Disk) -> None:
    offset = 0
    while offset < size:
        piece = read_at(reader, min(_PIECE * 4, size - offset), offset)
        if not piece:
            break
        disk.write_at(writer, piece, offset)
        offset += len(piece)
