"""Which files are read for a log or a folder, and in which order."""

from __future__ import annotations

import gzip
import lzma
import os
from functools import partial
from pathlib import Path

import pytest

from wimdock.doctor.logs import find_logs, read_logs
from wimdock.errors import LogError, StorageError


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}\r\n", "utf-8")


def _tell(told: list[str], path: Path, why: str) -> None:
    assert path.is_file()
    told.append(why)


def names(*paths: Path, companions: bool = True) -> list[str]:
    return [file.path.name for file in find_logs(paths, companions=companions).files]


def test_older_files_come_first(tmp_path: Path) -> None:
    make(
        tmp_path, "Mgr.log", "Mgr.lo_", "Mgr-20240102-000000.log", "Mgr-20231231-235959.log",
        "Mgr.log.2", "Mgr.log.10", "Mgr.log.1", "Mgr2.log", "Other.lo_", "Mgr-2024.log",
    )  # fmt: skip
    assert names(tmp_path / "Mgr.log") == [
        "Mgr-20231231-235959.log", "Mgr-20240102-000000.log", "Mgr.log.10", "Mgr.log.2",
        "Mgr.log.1", "Mgr.lo_", "Mgr.log",
    ]  # fmt: skip
    assert names(tmp_path / "Mgr.log", companions=False) == ["Mgr.log"]
    assert names(tmp_path / "Mgr.lo_") == ["Mgr.lo_"]
    assert names(tmp_path / "Mgr.lo_", tmp_path / "Mgr.log")[0] == "Mgr.lo_"
    assert len(names(tmp_path / "Mgr.lo_", tmp_path / "Mgr.log", tmp_path / "Mgr.log")) == 7


def test_persisted_logs_and_cabinets(tmp_path: Path) -> None:
    make(
        tmp_path, "CBS.log", "CbsPersist_20240102030405.log", "CbsPersist_20230102030405.log",
        "CbsPersist_20220102030405.cab", "dism.log", "dism.log.bak",
    )  # fmt: skip
    found = find_logs([tmp_path / "CBS.log", tmp_path / "dism.log"])
    assert [file.path.name for file in found.files] == [
        "CbsPersist_20230102030405.log", "CbsPersist_20240102030405.log", "CBS.log",
        "dism.log.bak", "dism.log",
    ]  # fmt: skip
    assert [path.name for path, _ in found.unread] == ["CbsPersist_20220102030405.cab"]
    told: list[Path] = []
    list(read_logs([tmp_path / "CBS.log"], on_trouble=lambda path, _: told.append(path)))
    assert told == [tmp_path / "CbsPersist_20220102030405.cab"]


def test_folders(tmp_path: Path) -> None:
    make(tmp_path, "OFFLINESERVICINGMGR.LOG", "Logs/DISM/dism.log", "Logs/CBS/CBS.log", "x.log")
    assert names(tmp_path) == ["OFFLINESERVICINGMGR.LOG", "dism.log", "CBS.log"]
    assert names(tmp_path / "Logs") == ["dism.log", "CBS.log"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(LogError):
        find_logs([empty])


def test_records_of_a_family_in_order_with_progress(tmp_path: Path) -> None:
    make(tmp_path, "dism.log", "dism.log.bak")
    seen: list[tuple[int, int]] = []
    found = list(read_logs([tmp_path], on_progress=lambda done, total: seen.append((done, total))))
    assert [record.text for record in found] == ["text of dism.log.bak", "text of dism.log"]
    assert [Path(record.file).name for record in found] == ["dism.log.bak", "dism.log"]
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert seen[-1] == (size, size)


def test_compressed_logs(tmp_path: Path) -> None:
    text = b"".join(b"line %d\r\n" % number for number in range(5000))
    (tmp_path / "dism.log.gz").write_bytes(gzip.compress(text))
    (tmp_path / "CBS.log.xz").write_bytes(lzma.compress(text))
    found = list(read_logs([tmp_path]))
    assert [record.text for record in found] == [f"line {n}" for n in range(5000)] * 2


@pytest.mark.parametrize("suffix", ["gz", "xz"])
def test_damaged_compressed_logs_say_so(tmp_path: Path, suffix: str) -> None:
    text = os.urandom(100_000).hex().encode()
    text = b"\r\n".join(text[at : at + 50] for at in range(0, len(text), 50))
    whole = (gzip if suffix == "gz" else lzma).compress(text)
    path = tmp_path / f"x.log.{suffix}"
    middle = len(whole) // 2
    for data in (whole[:middle], b"no such thing" * 5, whole[:middle] + bytes(50) + whole[middle:]):
        path.write_bytes(data)
        told: list[str] = []
        list(read_logs([path], on_trouble=partial(_tell, told)))
        assert len(told) == 1
    path.write_bytes(b"")
    assert list(read_logs([path])) == []


def test_what_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "no.log", tmp_path / "no" / "x.log"):
        with pytest.raises(StorageError):
            read_logs([path])
    with pytest.raises(LogError):
        read_logs([Path("a\0b.log")])
    loop = tmp_path / "loop.log"
    loop.symlink_to(loop)
    with pytest.raises(StorageError):
        read_logs([loop])


def test_a_log_of_nothing(tmp_path: Path) -> None:
    for data in (
        b"",
        b"\n",
        b"\r\n\r\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\0" * 100,
        b"\xff",
        b"\0",
    ):
        path = tmp_path / "x.log"
        path.write_bytes(data)
        assert [record.text for record in read_logs([path])] in ([], ["ÿ"])


def test_of_a_folder_it_is_told_what_is_not_read(tmp_path: Path) -> None:
    names = ("dism.log", "dism.log.bak", "win7_dism.log", "Dism-old.log", "smsexec.log", "a.txt")
    for name in names:
        (tmp_path / name).write_text("x\n")
    found = find_logs([tmp_path])
    assert [each.path.name for each in found.files] == ["dism.log.bak", "dism.log"]
    unread = {path.name: why for path, why in found.unread}
    assert unread.keys() == {"win7_dism.log", "Dism-old.log", tmp_path.name}
    assert unread[tmp_path.name].startswith("2 other files in it")
    assert find_logs([tmp_path / "dism.log"]).unread == ()
