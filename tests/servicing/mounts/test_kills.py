"""Killed at every step: what is left is told truthfully, can be cleared away, and nothing is lost.

A forked process does the work and kills itself (SIGKILL) at its n-th step: the beginning or the end
of a function that writes, removes, mounts or unmounts, and the moment right after wimlib's program
was started, which then goes on by itself. n grows until the work gets to its end.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

import pytest

from tests.servicing.mounts_at_hand import daemon_of, kill_daemon, mounts_below, wait_for
from tests.servicing.surroundings import quick
from wimdock.errors import CommitFailed, ImageBusy, UnsupportedImage, WimdockError
from wimdock.events import Reporter
from wimdock.paths import ImagePath
from wimdock.servicing.mounts import (
    MountState,
    cleanup_mountpoints,
    is_mount_point,
    mount,
    remount,
    unmount,
)
from wimdock.servicing.mounts.record import Phase, read_record
from wimdock.wim import Archive, layout
from wimdock.wim.generations import read_generations
from wimdock.wim.rollback import list_generations, rollback
from wimdock.wim.transaction import Transaction
from wimdock.wim.verification import verify

_STEPS = frozenset(
    {
        "write_record",
        "remove_record",
        "make_staging",
        "remove_staging",
        "begin_commit",
        "settle",
        "write_generations",
        "detach",
        "end_mount",
        "wait_until_gone",
        "Disk.write_at",
        "Disk.replace",
        "mkdir",
        "Path.mkdir",
        "Popen.__init__",
        "failure",
    }
)
_NEW = ImagePath(r"\new.txt")


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do work in a process that kills itself at its step; tell whether it got so far."""
    pid = os.fork()
    if pid == 0:
        left = step

        def count(frame: FrameType, event: str, _argument: object) -> None:
            nonlocal left
            if event in ("call", "return") and frame.f_code.co_qualname in _STEPS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.setprofile(count)
            work()
        except WimdockError:
            os._exit(3)
        except BaseException:  # noqa: BLE001 - a forked test must never go on as a test
            os._exit(4)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def every_kill(work: Callable[[], object], place: Path) -> Iterator[int]:
    """Kill work at each of its steps, and give the number whenever it was."""
    step = 1
    while killed_at(step, work):
        settle_down(place)
        yield step
        step += 1
    assert step > len(_STEPS) // 2


def settle_down(place: Path) -> None:
    """Wait until no program that was started goes on by itself."""
    wait_for(lambda: not _busy(place))


def _busy(place: Path) -> bool:
    """Tell whether wimlib's program still mounts or unmounts: not the process of a mount."""
    wanted = os.fsencode(place)
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if wanted in words and (entry / "cwd").readlink() != Path("/"):
                return True
            if wanted in words and b"unmount" in words:
                return True
    return is_mount_point(place) and not _has_daemon(place)


def _has_daemon(place: Path) -> bool:
    try:
        daemon_of(place)
    except AssertionError:
        # The process of a mount that ends is gone a moment before the mount is.
        time.sleep(0.05)
        return is_mount_point(place)
    return True


def problems_of(image: Path) -> list[str]:
    with Archive.open(image) as archive:
        return [f.text for f in verify(archive, Reporter()).findings if f.severity == "error"]


def holds_change(image: Path) -> bool:
    with Archive.open(image) as archive:
        return archive.image(1).lookup(_NEW) is not None


def told_truthfully(place: Path) -> None:
    """Make sure that what is listed is what the kernel says."""
    found = [each for each in mounts_below(place.parent) if each.directory == place]
    if is_mount_point(place):
        assert [each.state for each in found] == [MountState.OK]
        assert found[0].owner == "wimdock"
    else:
        assert all(each.state is not MountState.OK and each.note for each in found)


def recovered(place: Path, step: int) -> None:
    """Clear away what is left, in one of three ways in turn."""
    match step % 3:
        case 0:
            cleanup_mountpoints(quick())
        case 1 if mounts_below(place.parent):
            unmount(place, commit=False, world=quick())
        case 2:
            cleanup_mountpoints(quick())
            cleanup_mountpoints(quick())
    if is_mount_point(place):
        unmount(place, commit=False, world=quick())


def clean(image: Path, place: Path) -> None:
    """Make sure that nothing is left and that everything works again."""
    assert not is_mount_point(place)
    assert mounts_below(place.parent) == ()
    assert read_record(place) is None
    assert not list(image.parent.glob("*staging*"))
    assert problems_of(image) == []
    assert list_generations(image)[1] is not None
    with Transaction.begin(image):
        pass


def test_mounting_killed_at_every_step(image: Path, place: Path) -> None:
    before = image.read_bytes()
    for step in every_kill(lambda: mount(image, 1, place, writable=True, world=quick()), place):
        told_truthfully(place)
        recovered(place, step)
        clean(image, place)
        assert image.read_bytes() == before
    unmount(place, commit=False, world=quick())


def test_discarding_killed_at_every_step(image: Path, place: Path) -> None:
    before = image.read_bytes()

    def prepared() -> None:
        mount(image, 1, place, writable=True, world=quick())
        (place / "new.txt").write_text("new")

    prepared()
    for step in every_kill(lambda: unmount(place, commit=False, world=quick()), place):
        told_truthfully(place)
        recovered(place, step)
        clean(image, place)
        assert image.read_bytes() == before
        prepared()


def test_committing_killed_at_every_step(image: Path, place: Path) -> None:
    original, length = image.read_bytes(), image.stat().st_size
    sidecar = image.with_name(f"{image.name}.generations")
    record = sidecar.read_bytes()

    def prepared() -> None:
        image.write_bytes(original)
        sidecar.write_bytes(record)
        mount(image, 1, place, writable=True, world=quick())
        (place / "new.txt").write_text("new")

    outcomes = set()
    prepared()
    for step in every_kill(lambda: unmount(place, commit=True, world=quick()), place):
        told_truthfully(place)
        if step % 2 and mounts_below(place.parent):
            was_live = is_mount_point(place)
            try:
                assert unmount(place, commit=True, world=quick()).committed
            except CommitFailed:
                assert not was_live
                assert not holds_change(image)
            else:
                assert holds_change(image)
        recovered(place, step)
        clean(image, place)
        outcomes.add(holds_change(image))
        if holds_change(image):
            assert list_generations(image)[1] == read_generations(image)[-1]
            rollback(image)
        assert image.read_bytes()[:length] == original
        prepared()
    assert outcomes == {True, False}


def test_clearing_away_killed_at_every_step(image: Path, place: Path) -> None:
    before = image.read_bytes()

    def prepared() -> None:
        mount(image, 1, place, writable=True, world=quick())
        (place / "new.txt").write_text("new")
        kill_daemon(place)

    prepared()
    work: Callable[[], object] = lambda: cleanup_mountpoints(quick())  # noqa: E731 - typed
    for step in every_kill(work, place):
        for each in mounts_below(place.parent):
            assert each.state is not MountState.OK
        if is_mount_point(place):
            assert mounts_below(place.parent)
        if step % 2 and mounts_below(place.parent):
            remount(place, world=quick())
        recovered(place, step)
        clean(image, place)
        assert image.read_bytes() == before
        prepared()
    clean(image, place)


def is_being_written(image: Path) -> bool:
    with image.open("rb") as file:
        return bool(file.read(208)[16] & layout.FLAG_WRITE_IN_PROGRESS)


@pytest.mark.parametrize("way", ["discard", "commit", "cleanup", "remount"])
def test_the_process_of_a_mount_killed_while_it_commits(way: str, image: Path, place: Path) -> None:
    before = image.read_bytes()
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_bytes(os.urandom(24 << 20))
    pid = os.fork()
    if pid == 0:
        code = 4
        try:
            unmount(place, commit=True, world=quick())
        except CommitFailed as error:
            code = 5 if "lost" in error.message else 4
        finally:
            os._exit(code)
    wait_for(lambda: is_being_written(image))
    with pytest.raises(ImageBusy, match="another wimdock"):
        unmount(place, commit=False, world=quick())
    if way != "discard":  # its wimdock dies with it, and cannot clear away
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    kill_daemon(place)
    if way == "discard":
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
        assert mounts_below(place.parent) == ()
    else:
        settle_dead(place)
        assert is_being_written(image)
        with pytest.raises(UnsupportedImage), Transaction.begin(image):
            pass
        (found,) = mounts_below(place.parent)
        assert found.record is not None
        assert found.record.phase is Phase.COMMITTING
        assert found.state is not MountState.OK
        match way:
            case "commit":
                with pytest.raises(CommitFailed, match="are lost") as caught:
                    unmount(place, commit=True, world=quick())
                assert caught.value.hresult == 0xC142011D
            case "cleanup":
                (cleared,) = cleanup_mountpoints(quick())
                assert "its unfinished commit taken back" in cleared.done
            case _:
                remount(place, world=quick())
                unmount(place, commit=False, world=quick())
    clean(image, place)
    assert not is_being_written(image)
    assert image.read_bytes()[: len(before)] == before


def settle_dead(place: Path) -> None:
    """Wait until the program that asked for a commit has seen that nobody answers."""
    wait_for(lambda: not any(b"unmount" in words for words in _commands(place)))


def _commands(place: Path) -> Iterator[list[bytes]]:
    wanted = os.fsencode(place)
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if wanted in words:
                yield words


def test_a_commit_that_goes_on_without_us(image: Path, place: Path) -> None:
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_bytes(os.urandom(24 << 20))
    pid = os.fork()
    if pid == 0:
        unmount(place, commit=True, world=quick())
        os._exit(0)
    wait_for(lambda: is_being_written(image))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for found in mounts_below(place.parent):  # on a quick machine it may be over by now
        assert found.state in (MountState.OK, MountState.INVALID)
        assert "may be committing" in found.note or "cut short" in found.note
    wait_for(lambda: not is_mount_point(place))
    (found,) = mounts_below(place.parent)
    assert found.state is MountState.INVALID
    assert list_generations(image)[1] is None
    done = unmount(place, commit=True, world=quick())
    assert done.committed
    assert done.generation == list_generations(image)[1]
    clean(image, place)
    assert holds_change(image)


def test_a_process_that_hangs(image: Path, place: Path) -> None:
    mount(image, 1, place, writable=True, world=quick())
    keeper = daemon_of(place)
    os.kill(keeper, signal.SIGSTOP)
    try:
        (found,) = mounts_below(place.parent)
        assert (found.state, found.owner) == (MountState.OK, "wimdock")
        assert "does not answer" in found.note
        for commit in (True, False):
            with pytest.raises(ImageBusy, match="does not answer") as caught:
                unmount(place, commit=commit, world=quick())
            assert f"process {keeper} (wimlib-imagex)" in caught.value.hint
    finally:
        os.kill(keeper, signal.SIGCONT)
    (found,) = mounts_below(place.parent)
    assert (found.state, found.note) == (MountState.OK, "")
    assert unmount(place, commit=True, world=quick()).committed
