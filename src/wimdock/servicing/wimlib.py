"""`wimlib-imagex`: the one place that runs it, for mounting, exporting and splitting.

What it fails with becomes an error of ours (`wimdock.servicing.wimlib_failure`). What it writes is
made in a workspace beside the target and renamed when it is whole: whoever is killed, wimdock or
the program, leaves no half file under the target's name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from wimdock.errors import MissingLibrary, StorageError, UsageError
from wimdock.events import Reporter
from wimdock.files import naming, open_file, read_at, real_path, refuse_special
from wimdock.servicing.options import Surroundings
from wimdock.servicing.wimlib_failure import PROGRAM, failure
from wimdock.servicing.workspace import open_workspace

COMPRESSIONS = ("lzx", "xpress", "lzms", "none")
_ALL = "all"
_UNITS = {"bytes": 0, "KiB": 10, "MiB": 20, "GiB": 30}
_PROGRESS = re.compile(r"(\d+) (bytes|KiB|MiB|GiB) of (\d+) (bytes|KiB|MiB|GiB) \((\d+)%\)")
_LINE_END = re.compile(rb"[\r\n]")
_PIECE = 4096
_SAID = 8192
_PERCENT = 100


def require_program() -> str:
    """Give the path of the program; MissingLibrary where it is not installed."""
    found = shutil.which(PROGRAM)
    if found is None:
        message = f"{PROGRAM} is not installed, which mounts, exports and splits images"
        hint = "Install the system package wimtools, and fuse3 for mounting."
        raise MissingLibrary(message, hint=hint)
    return found


def mount(image: Path, index: int, directory: Path, *, staging: Path | None = None) -> None:
    """Mount an image: read/write where a folder for its changed files is given.

    Its process goes on in the background until the image is unmounted.
    """
    words: list[str | Path] = ["mount" if staging is None else "mountrw"]
    words += [image, str(index), directory]
    if staging is not None:
        words.append(f"--staging-dir={staging}")
    _run(words, Reporter())


def unmount(directory: Path, *, commit: bool, reporter: Reporter) -> None:
    """Unmount, and put the changes into the image file first where `commit` says so."""
    _run(["unmount", directory, *(["--commit"] if commit else [])], reporter)


def export(  # noqa: PLR0913 - a file and how it is to be
    source: Path,
    target: Path,
    world: Surroundings,
    *,
    index: int | None = None,
    compression: str | None = None,
    chunk_size: int | None = None,
    check: bool | None = None,
    name: str | None = None,
) -> Path:
    """Write one image, or all of them, to a new and compact file; give its path.

    `compression` is one of COMPRESSIONS, that of the source unless given; `chunk_size` in bytes;
    `check` with or without an integrity table, as the source has it unless given; `name` for the
    one image. Committed is the rename at the end; before it nothing has the target's name.
    """
    source, target = _checked(source, target)
    if compression is not None and compression not in COMPRESSIONS:
        message = f"{compression!r} is no compression of WIM files"
        raise UsageError(message, hint=f"Take one of {', '.join(COMPRESSIONS)}.")
    options = [f"--compress={compression.upper()}"] if compression not in (None, "none") else []
    options += ["--compress=none"] if compression == "none" else []
    options += [f"--chunk-size={chunk_size}"] if chunk_size is not None else []
    options += ["--check"] if (_has_integrity(source) if check is None else check) else []
    named = [name] if name is not None and index is not None else []
    with (
        world.reporter.step(f"Export to {target.name}"),
        open_workspace(target.parent) as workspace,
    ):
        made = workspace / target.name
        chosen = _ALL if index is None else str(index)
        _run(["export", source, chosen, made, *named, *options], world.reporter)
        _flush(made, world)
        world.disk.replace(made, target)
    return target


def split(source: Path, target: Path, size: int, world: Surroundings) -> tuple[Path, ...]:
    """Write an image file in parts of at most `size` bytes; give the parts, the first one first.

    `target` names the first part (`install.swm`, then `install2.swm` and so on). A file of the
    image that is larger makes a part that is larger. The first part gets its name last, and nobody
    opens a set without it.
    """
    source, target = _checked(source, target)
    if size < 1 << 20:
        message = f"{size:,} bytes are too few for a part"
        raise UsageError(message, hint="Give at least 1 MiB.")
    with (
        world.reporter.step(f"Split into {target.name}"),
        open_workspace(target.parent) as workspace,
    ):
        made = workspace / target.name
        options = ["--check"] if _has_integrity(source) else []
        _run(["split", source, made, f"{size / (1 << 20):.6f}", *options], world.reporter)
        parts = [made, *_further_parts(made)]
        targets = [target.parent / part.name for part in parts]
        for place in targets:
            _refuse_existing(place)
        for part in parts:
            _flush(part, world)
        moved: list[Path] = []
        try:
            for part, place in reversed(list(zip(parts, targets, strict=True))):
                world.disk.replace(part, place)
                moved.append(place)
        except BaseException:
            for place in moved:
                with suppress(OSError):
                    place.unlink()
            raise
    return tuple(targets)


def _checked(source: Path, target: Path) -> tuple[Path, Path]:
    """Give both paths, real; refuse what would fail before anything is made."""
    require_program()
    source, target = real_path(source), real_path(target)
    refuse_special(source)
    _refuse_existing(target)
    if not target.parent.is_dir():
        message = f"there is no folder {target.parent} for {target.name}"
        raise StorageError(message, hint="Make the folder first.", hresult=0x80070003)
    return source, target


def _has_integrity(source: Path) -> bool:
    """Tell whether a file has an integrity table; the program gives new files none unasked."""
    from wimdock.wim import layout
    from wimdock.wim.header import Header

    fd = open_file(source)
    try:
        with naming(source):
            return bool(Header.parse(read_at(fd, layout.HEADER_SIZE, 0)).integrity.size)
    finally:
        os.close(fd)


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        message = f"{path} exists already"
        raise StorageError(message, hint="Name a file that is not there yet.", hresult=0x800700B7)


def _further_parts(first: Path) -> list[Path]:
    """Give the parts after the first as wimlib numbers them: name2.swm, name3.swm and so on."""
    found = []
    number = 2
    while (part := first.with_name(f"{first.stem}{number}{first.suffix}")).exists():
        found.append(part)
        number += 1
    return found


def _flush(path: Path, world: Surroundings) -> None:
    fd = open_file(path)
    try:
        world.disk.flush(fd)
    finally:
        os.close(fd)


def _run(words: Sequence[str | Path], reporter: Reporter) -> None:
    """Run the program, tell its progress, and raise what it failed with."""
    command = [require_program(), *(os.fspath(word) for word in words)]
    environment = os.environ | {"LC_ALL": "C.UTF-8", "WIMLIB_IMAGEX_USE_UTF8": "1"}
    try:
        process = subprocess.Popen(  # noqa: S603 - paths are whole arguments, and no shell reads them
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    except OSError as error:
        message = f"{command[0]} cannot be run: {error.strerror}"
        raise MissingLibrary(message, hint="Install the system package wimtools anew.") from error
    with process:
        try:
            said = _listen(process.stdout, reporter)
            status = process.wait()
        except BaseException:
            process.kill()
            raise
    if status:
        raise failure(command, status, said)


def _listen(stream: IO[bytes] | None, reporter: Reporter) -> str:
    """Report the progress that the program prints; give the end of what else it said."""
    said: list[str] = []
    rest = b""
    while stream is not None and (piece := os.read(stream.fileno(), _PIECE)):
        *lines, rest = _LINE_END.split(rest + piece)
        for line in lines:
            _hear(line, reporter, said)
    _hear(rest, reporter, said)
    return "\n".join(said)[-_SAID:]


def _hear(line: bytes, reporter: Reporter, said: list[str]) -> None:
    text = line.decode("utf-8", "backslashreplace").strip()
    found = _PROGRESS.search(text)
    if found is None:
        if text:
            said.append(text)
        return
    total = int(found[3]) << _UNITS[found[4]]
    # The numbers are cut to whole units: the percentage tells more of a large file.
    done = max(int(found[1]) << _UNITS[found[2]], total * int(found[5]) // _PERCENT)
    reporter.progress(min(done, total), total)
