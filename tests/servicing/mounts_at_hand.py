"""Mounts in tests: what they need of the machine, who keeps one, and an end of all that is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.conftest import skip_or_fail
from wimdock.servicing.mounts import Mounted, list_mounts
from wimdock.servicing.mounts.mountinfo import mount_points

PATIENCE = 20.0


def need_mounting() -> None:
    """Skip the test where nothing can be mounted."""
    if shutil.which("wimlib-imagex") is None:
        skip_or_fail("wimlib-imagex is not installed")
    if not Path("/dev/fuse").exists() or os.geteuid() != 0:
        skip_or_fail("mounting needs root and /dev/fuse")


def daemon_of(directory: Path) -> int:
    """Give the number of the process that keeps an image mounted."""
    wanted = os.fsencode(directory)
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if wanted in words and {b"mount", b"mountrw"} & set(words):
                return int(entry.name)
    message = f"no process keeps {directory} mounted"
    raise AssertionError(message)


def kill_daemon(directory: Path) -> None:
    """Kill that process at once, and wait until it is gone."""
    pid = daemon_of(directory)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: _is_dead(pid))


def _is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def wait_for(happened: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until something is so; fail where it never is."""
    end = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.002)


def umount(directory: Path) -> None:
    """Unmount behind wimdock's back; whoever lists all mounts makes one busy for a moment."""
    words = ("umount", directory)
    wait_for(lambda: subprocess.run(words, capture_output=True, check=False).returncode == 0)


def end_all(folder: Path) -> None:
    """Unmount whatever a test left mounted below a folder."""
    for point in reversed(mount_points()):
        if folder in point.directory.parents:
            for words in (["wimlib-imagex", "unmount"], ["umount"]):
                subprocess.run([*words, point.directory], capture_output=True, check=False)
                time.sleep(0.05)


def mounts_below(folder: Path) -> tuple[Mounted, ...]:
    """Give the mounts below a folder: other tests, in other processes, have theirs elsewhere."""
    return tuple(each for each in list_mounts() if folder in each.directory.parents)


def names_in(directory: Path) -> dict[str, tuple[int, int, float]]:
    """Give every name in a mounted image, with its mode, size and time; no link is followed."""
    found = {}
    for path in sorted(directory.rglob("*")):
        facts = path.lstat()
        found[str(path.relative_to(directory))] = facts.st_mode, facts.st_size, facts.st_mtime
    return found
