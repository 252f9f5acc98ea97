"""Where extracted contents are kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wimdock.cbs import spool as module
from wimdock.cbs.spool import MAX_KEPT_FILE, Spool, on_disk
from wimdock.errors import MalformedPackage, StorageError


def test_small_files_stay_in_memory_and_others_go_to_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "new" / "folder")
    small = spool.put("..\\name.dll", 6, [b"one", b"two"])
    large = spool.put("large.dll", MAX_KEPT_FILE + 1, [bytes(MAX_KEPT_FILE), b"1"])
    assert small.content == b"onetwo"
    assert on_disk(large) == tmp_path / "new" / "folder" / "000000"
    for file in (small, large):
        data = file.read(1 << 20)
        assert file.digests(["sha1", "sha256"]) == {
            "sha1": hashlib.sha1(data).digest(),  # noqa: S324 - what lists of hashes hold
            "sha256": hashlib.sha256(data).digest(),
        }
        with pytest.raises(MalformedPackage, match="larger"):
            file.read(5)
    with pytest.raises(MalformedPackage):
        on_disk(small)


def test_what_others_open_by_path_is_always_on_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for name in ("update.MUM", "a.cat", "b.cab"):
        assert on_disk(spool.put(name, 1, [b"x"])).read_bytes() == b"x"


def test_what_is_kept_in_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KEPT", 10)
    spool = Spool(tmp_path)
    kept = [isinstance(spool.put(f"{n}", 4, [b"four"]).content, bytes) for n in range(4)]
    assert kept == [True, True, False, False]


@pytest.mark.parametrize("name", ["a.dll", "a.mum"])
@pytest.mark.parametrize("blocks", [[], [b"12"], [b"1234"], [b"12", b"34"]])
def test_a_size_that_is_not_kept_is_noticed(tmp_path: Path, name: str, blocks: list[bytes]) -> None:
    with pytest.raises(MalformedPackage, match="size"):
        Spool(tmp_path).put(name, 3, blocks)


def test_what_the_disk_refuses_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    spool = Spool(tmp_path / "file")
    with pytest.raises(StorageError):
        spool.put("a.mum", 1, [b"x"])
    with pytest.raises(StorageError):
        spool.make_room(1)
    gone = Spool(tmp_path / "folder").put("a.mum", 1, [b"x"])
    on_disk(gone).unlink()
    with pytest.raises(StorageError):
        gone.read(10)
    with pytest.raises(StorageError):
        gone.digests(["sha1"])
