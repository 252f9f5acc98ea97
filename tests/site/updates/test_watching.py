"""The watched folder: complete files import by themselves, each is tried once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.site.conftest import SetClock
from tests.site.updates.library_state import check_library, messages_of, rows_of, small_update
from wimdock.errors import MalformedPackage, StorageError
from wimdock.site.models import WatchedFile, WatchState
from wimdock.site.site import Site
from wimdock.site.updates.importing import ImportState
from wimdock.site.updates.retiring import retire
from wimdock.site.updates.watching import _alone, watch_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the folder that is watched."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def states(site: Site) -> dict[str, WatchState]:
    with site.reading() as session:
        return {Path(row.path).name: row.state for row in session.scalars(select(WatchedFile))}


def test_a_complete_file_is_imported_once(site: Site, folder: Path, clock: SetClock) -> None:
    (folder / "deep").mkdir()
    small_update(folder / "deep" / "a.cab")
    (folder / "readme.txt").write_text("no update")
    assert watch_folder(site, folder) == []
    clock.advance(seconds=9)
    assert watch_folder(site, folder) == []
    clock.advance(seconds=1)
    assert [each.state for each in watch_folder(site, folder)] == [ImportState.IMPORTED]
    clock.advance(minutes=5)
    assert watch_folder(site, folder) == []
    assert states(site) == {"a.cab": WatchState.IMPORTED}
    assert len(messages_of(site)) == 1
    assert (folder / "deep" / "a.cab").exists()
    check_library(site)


def test_a_file_that_still_grows_waits(
    site: Site, folder: Path, clock: SetClock, tmp_path: Path
) -> None:
    content = small_update(tmp_path / "a.cab").read_bytes()
    path = folder / "a.cab"
    for end in (100, 200, len(content)):
        path.write_bytes(content[:end])
        assert watch_folder(site, folder) == []
        clock.advance(seconds=30)
    assert [each.state for each in watch_folder(site, folder)] == [ImportState.IMPORTED]
    check_library(site)


def test_a_file_that_cannot_be_imported_is_tried_again_when_it_changes(
    site: Site, folder: Path, clock: SetClock, tmp_path: Path
) -> None:
    path = folder / "a.cab"
    path.write_text("not yet")
    watch_folder(site, folder)
    clock.advance(minutes=1)
    (failed,) = watch_folder(site, folder)
    assert isinstance(failed.error, MalformedPackage)
    for _ in range(3):
        clock.advance(minutes=1)
        assert watch_folder(site, folder) == []
    assert [number for number, _text in messages_of(site)] == [42032]
    assert states(site) == {"a.cab": WatchState.FAILED}
    shutil.copy(small_update(tmp_path / "b.cab"), path)
    watch_folder(site, folder)
    clock.advance(minutes=1)
    assert [each.state for each in watch_folder(site, folder)] == [ImportState.IMPORTED]
    path.unlink()
    assert watch_folder(site, folder) == []
    assert states(site) == {}


def test_a_retired_update_stays_retired(site: Site, folder: Path, clock: SetClock) -> None:
    path = small_update(folder / "a.cab")
    watch_folder(site, folder)
    clock.advance(minutes=1)
    watch_folder(site, folder)
    (row,) = rows_of(site)
    retire(site, [row.id], delete_file=True)
    os.utime(path, (1, 1))
    watch_folder(site, folder)
    clock.advance(minutes=1)
    assert [each.state for each in watch_folder(site, folder)] == [ImportState.KNOWN]
    assert rows_of(site)[0].retired_at is not None


def test_one_process_looks_at_a_time(site: Site, folder: Path, clock: SetClock) -> None:
    small_update(folder / "a.cab")
    watch_folder(site, folder)
    clock.advance(minutes=1)
    with _alone(site) as alone:
        assert alone
        assert watch_folder(site, folder) == []
    assert len(watch_folder(site, folder)) == 1


def test_what_cannot_be_looked_at(site: Site, folder: Path, clock: SetClock) -> None:
    (folder / "gone.cab").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.cab")
    (folder / "folder.cab").mkdir()
    watch_folder(site, folder)
    clock.advance(minutes=1)
    assert watch_folder(site, folder) == []
    assert states(site) == {}
    with pytest.raises(StorageError):
        watch_folder(site, folder / "no such folder")


def test_very_long_and_strange_paths(site: Site, folder: Path, clock: SetClock) -> None:
    deep = folder.joinpath(*["d" * 200] * 15)
    deep.mkdir(parents=True)
    small_update(deep / "a.cab")
    small_update(folder / os.fsdecode(b"b\xff.cab"), "10.0.19041.2")
    watch_folder(site, folder)
    clock.advance(minutes=1)
    done = watch_folder(site, folder)
    assert [each.state for each in done] == [ImportState.IMPORTED] * 2
    check_library(site)
