"""Imports that are stopped, killed or have no room, and several at once: nothing half counts."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import event

from tests.faults.disk import CountingDisk, FullDisk, StoppingDisk
from tests.site.updates.import_process import start
from tests.site.updates.library_state import check_library, files_of, rows_of, small_update
from wimdock.errors import DatabaseUnavailable, StorageError
from wimdock.site.opening import Place, open_site
from wimdock.site.site import Site
from wimdock.site.updates.importing import ImportOptions, ImportState, import_updates


def operations(site: Site, cabinet: Path) -> list[str]:
    """Import a file and give the operations on the disk."""
    counting = CountingDisk(quick=True)
    (done,) = import_updates(site, cabinet, ImportOptions(disk=counting))
    assert done.state is ImportState.IMPORTED
    return counting.operations


def test_a_stop_at_every_operation(site: Site, tmp_path: Path) -> None:
    cabinets = [small_update(tmp_path / f"{n}.cab", f"10.0.19041.{n}") for n in range(1, 12)]
    first = operations(site, cabinets.pop())
    assert first.count("write") == 1
    assert first[-2:] == ["rename", "flush folder"]
    assert len(first) < len(cabinets)
    for at in range(len(first)):
        cabinet = cabinets.pop()
        before = len(rows_of(site))
        disk = StoppingDisk(at, torn=True, quick=True)
        (failed,) = import_updates(site, cabinet, ImportOptions(disk=disk))
        assert isinstance(failed.error, StorageError)
        assert len(rows_of(site)) == before
        (done,) = import_updates(site, cabinet)
        assert done.state is ImportState.IMPORTED
        check_library(site)


def test_a_disk_that_is_full(site: Site, tmp_path: Path) -> None:
    cabinet = small_update(tmp_path / "a.cab")
    for at in range(3):
        options = ImportOptions(disk=FullDisk(at, quick=True))
        (failed,) = import_updates(site, cabinet, options)
        assert failed.error is not None
        assert failed.error.hresult == 0x80070070
        assert (rows_of(site), files_of(site)) == ([], {})
    assert import_updates(site, cabinet)[0].state is ImportState.IMPORTED
    check_library(site)


@pytest.mark.faults
def test_a_process_that_is_killed_at_every_operation(site: Site, tmp_path: Path) -> None:
    count = len(operations(site, small_update(tmp_path / "first.cab", "10.0.19041.99")))
    for at in range(count):
        cabinet = small_update(tmp_path / f"{at}.cab", f"10.0.19041.{at + 1}")
        process = start(site.folder, cabinet, at)
        process.communicate("go\n", timeout=60)
        # Folders are made once: later imports have fewer operations, and come to their end.
        killed = process.returncode == -signal.SIGKILL
        assert killed or process.returncode == 0
        assert len(rows_of(site)) == 1 + at + (not killed)
        (done,) = import_updates(site, cabinet)
        assert done.state is (ImportState.IMPORTED if killed else ImportState.KNOWN)
        check_library(site)
    assert not list((site.library / "incoming").iterdir())


def test_a_database_that_goes_away_before_the_row(site: Site, tmp_path: Path) -> None:
    cabinet = small_update(tmp_path / "a.cab")

    def fail(*_arguments: object) -> None:
        message = "the row cannot be made now"
        raise RuntimeError(message)

    event.listen(site.database._writing, "before_cursor_execute", fail)
    with pytest.raises((RuntimeError, DatabaseUnavailable)):
        import_updates(site, cabinet)
    event.remove(site.database._writing, "before_cursor_execute", fail)
    assert rows_of(site) == []
    assert len(files_of(site)) == 1
    small = small_update(tmp_path / "b.cab", "10.0.19041.2")
    assert import_updates(site, small)[0].state is ImportState.IMPORTED
    check_library(site)


def test_several_processes_import_one_file(site: Site, tmp_path: Path) -> None:
    cabinet = small_update(tmp_path / "a.cab")
    processes = [start(site.folder, cabinet) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = Counter(process.communicate(timeout=60)[0].strip() for process in processes)
    assert said == {"imported": 1, "known already": 2}
    again = open_site(Place(site.folder))
    assert len(rows_of(again)) == 1
    again.close()
    check_library(site)


def test_a_file_that_is_changed_while_it_is_imported(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cabinet = small_update(tmp_path / "a.cab")
    other = small_update(tmp_path / "b.cab", "10.0.19041.2")

    class Changing(CountingDisk):
        def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
            assert data != other.read_bytes()
            super().write_at(fd, other.read_bytes(), offset)

    monkeypatch.setattr("wimdock.files._reflink", lambda *_: False)
    (failed,) = import_updates(site, cabinet, ImportOptions(disk=Changing(quick=True)))
    assert isinstance(failed.error, StorageError)
    assert "changed while it was read" in failed.error.message
    assert (rows_of(site), files_of(site)) == ([], {})
