"""Ending a mount: wimlib's process is asked to, a dead one is detached; never lazily.

What is in use is refused by the system (EBUSY) and stays as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from wimdock.errors import ImageBusy, MissingLibrary, MountError, MountInUse
from wimdock.events import Reporter
from wimdock.servicing import wimlib
from wimdock.servicing.mounts.holders import holders, keeper_of
from wimdock.servicing.mounts.mountinfo import mount_at, wait_for_ends
from wimdock.servicing.mounts.probe import Life, ask

_PATIENCE = 30.0
_PAUSE = 0.02


def end_mount(directory: Path, reporter: Reporter) -> None:
    """End the WIM mount at a folder and lose its changes; nothing happens where there is none.

    MountInUse where something in it is held open, MountError where it does not go away.
    """
    point = mount_at(directory)
    if point is None:
        return
    if not point.is_wim:
        message = f"what is mounted in {directory} is no WIM image"
        raise MountError(message, hint="wimdock leaves it alone.")
    match ask(directory).life:
        case Life.DEAD:
            if not wait_for_ends((directory,)):
                detach(directory)
        case Life.SILENT:
            if not wait_for_ends((directory,)):
                raise silent(directory)
        case _:
            wimlib.unmount(directory, commit=False, reporter=reporter)
    wait_until_gone(directory)


def silent(directory: Path) -> ImageBusy:
    """Give the error for a mount whose process does not answer: whoever asked it would hang."""
    message = f"{directory} does not answer: it may be committing"
    keeper = keeper_of(directory)
    hint = "Wait a while, then run the command again."
    if keeper is not None:
        hint += f" If it hangs for good, end process {keeper.process} ({keeper.name})."
    return ImageBusy(message, hint=hint)


def detach(directory: Path) -> None:
    """Take a mount whose process is dead out of the tree of folders."""
    command = _detaching(directory)
    done = subprocess.run(  # noqa: S603 - a path is a whole argument, and no shell reads it
        command, capture_output=True, text=True, errors="backslashreplace", check=False
    )
    if done.returncode == 0 or mount_at(directory) is None:
        return
    said = done.stderr.strip() or f"{command[0]} ended with {done.returncode}"
    if "busy" in said.lower() or holders(directory):
        message = f"{directory} is in use: {said}"
        raise MountInUse(message)
    message = f"{directory} cannot be unmounted: {said}"
    raise MountError(message, hint="Run the command as the user who mounted it, or as root.")


def _detaching(directory: Path) -> list[str]:
    """Give the command: umount for root, FUSE's own for others, who may not use umount."""
    programs = ("umount",) if os.geteuid() == 0 else ("fusermount3", "fusermount")
    for program in programs:
        found = shutil.which(program)
        if found is not None:
            options = [] if program == "umount" else ["-u"]
            return [found, *options, "--", os.fspath(directory)]
    message = f"{programs[0]} is not installed, which unmounts {directory}"
    raise MissingLibrary(message, hint="Install the system package fuse3 (or fuse).")


def wait_until_gone(directory: Path, patience: float = _PATIENCE) -> None:
    """Wait until the mount is out of the tree: wimlib's process ends after it has answered."""
    end = time.monotonic() + patience
    while mount_at(directory) is not None:
        if time.monotonic() > end:
            message = f"{directory} is still mounted after {patience:.0f} seconds"
            raise MountError(message, hint="`wimdock mounts` shows what is there.")
        time.sleep(_PAUSE)


def wait_until_free(folder: Path | None, patience: float = _PATIENCE) -> bool:
    """Wait until no process holds a folder open any more; tell whether that came to be."""
    end = time.monotonic() + patience
    while folder is not None and folder.exists() and holders(folder):
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True
