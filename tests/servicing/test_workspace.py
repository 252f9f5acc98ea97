"""The workspace: gone after every run, also after one that could not take it away itself."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.lab.lab import Lab
from tests.servicing import workspace_holder
from tests.servicing.surroundings import cabinet_of, put_in, quick
from wimdock.errors import StorageError
from wimdock.servicing.workspace import open_workspace


def start_holder(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that holds a workspace in a folder; give it and the workspace."""
    process = subprocess.Popen(
        (sys.executable, workspace_holder.__file__, folder),
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")},
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_is_empty_private_and_gone_afterwards(tmp_path: Path) -> None:
    with open_workspace(tmp_path) as first, open_workspace(tmp_path) as second:
        assert first != second
        assert list(first.iterdir()) == []
        assert first.parent.stat().st_mode & 0o77 == 0
        (first / "file").write_bytes(b"x")
        (first / "folder").mkdir()
    assert list(tmp_path.iterdir()) == []


def test_it_is_gone_after_an_error(tmp_path: Path) -> None:
    def stop(folder: Path) -> None:
        (folder / "file").write_bytes(b"x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), open_workspace(tmp_path) as folder:
        stop(folder)
    assert list(tmp_path.iterdir()) == []


def test_it_lies_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with open_workspace() as folder:
        assert folder.is_relative_to(tmp_path)


def test_what_a_killed_run_left_is_removed_and_what_is_in_use_stays(tmp_path: Path) -> None:
    killed, abandoned = start_holder(tmp_path)
    alive, in_use = start_holder(tmp_path)
    try:
        (abandoned / "file").write_bytes(b"x" * 1000)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert abandoned.exists()
        with open_workspace(tmp_path) as mine:
            assert not abandoned.parent.exists()
            assert in_use.exists()
            assert {path.name for path in tmp_path.iterdir()} == {
                mine.parent.name,
                in_use.parent.name,
            }
    finally:
        for process in (killed, alive):
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def test_a_run_that_is_told_to_end_while_it_clears_up_does_so_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = shutil.rmtree
    told: list[Path] = []

    def interrupted(path: Path, *, ignore_errors: bool = False) -> None:
        if not told:
            told.append(path)
            raise KeyboardInterrupt
        remove(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), open_workspace(tmp_path):
        pass
    assert told
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_of_a_killed_run_is_removed(tmp_path: Path) -> None:
    """It was killed before it could lock its workspace, or after it took the lock away."""
    (tmp_path / "wimdock-run-abcd1234").mkdir()
    with open_workspace(tmp_path):
        assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_gone_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tempfile.mkdtemp
    gone: list[str] = []

    def lose(**options: object) -> str:
        folder: str = make(**options)  # type: ignore[call-overload]
        if not gone:
            gone.append(folder)
            Path(folder).rmdir()
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", lose)
    with open_workspace(tmp_path) as folder:
        assert folder.exists()
    assert gone


def test_other_folders_stay(tmp_path: Path) -> None:
    """A name alone does not make a workspace; nor does a link to one."""
    for name in ("wimdock-run-mine", "wimdock-lab-0", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x")
    (tmp_path / "other" / "run.lock").write_bytes(b"")
    (tmp_path / "wimdock-run-link").symlink_to(tmp_path / "other")
    (tmp_path / "wimdock-run-file").write_bytes(b"")
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    with open_workspace(tmp_path):
        pass
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's folder")
def test_other_users_folders_stay(tmp_path: Path) -> None:
    folder = tmp_path / "wimdock-run-theirs"
    folder.mkdir()
    (folder / "run.lock").write_bytes(b"")
    os.chown(folder, 1234, 1234)
    with open_workspace(tmp_path):
        pass
    assert folder.exists()


def test_a_folder_that_another_run_took_for_abandoned_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other run may come between the making of the lock's file and its locking."""
    lock = fcntl.flock
    stolen: list[str] = []

    def steal(fd: int, operation: int) -> None:
        if len(stolen) < 2:
            folder = str(Path(f"/proc/self/fd/{fd}").readlink().parent)
            stolen.append(folder)
            shutil.rmtree(folder)
            if len(stolen) == 2:
                raise BlockingIOError(11, "Resource temporarily unavailable")
        lock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", steal)
    with open_workspace(tmp_path) as folder:
        assert folder.exists()
        assert [str(path) for path in tmp_path.iterdir()] == [str(folder.parent)]
        assert str(folder.parent) not in stolen
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int, _operation: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    with open_workspace(tmp_path) as first, open_workspace(tmp_path) as second:
        assert first.exists()
        assert second.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_takes_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(StorageError), open_workspace(place):
            pass


def test_a_run_clears_up_what_a_killed_one_left(lab: Lab, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    killed, abandoned = start_holder(place)
    killed.kill()
    killed.wait()
    assert killed.stdout is not None
    killed.stdout.close()
    assert abandoned.exists()
    put_in(lab.copy("xpress", tmp_path), [cabinet_of("plain", tmp_path)], world=quick(place))
    assert list(place.iterdir()) == []
