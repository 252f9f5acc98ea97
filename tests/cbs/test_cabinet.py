"""Cabinets: what is extracted, and what is refused before or while it is."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cbs.hostile import spoiled
from tests.lab.package import write_cabinet
from wimdock.cbs.cabinet import extract_cabinet
from wimdock.cbs.contents import Contents, safe_name
from wimdock.cbs.spool import Spool
from wimdock.errors import (
    MalformedPackage,
    MissingLibrary,
    StorageError,
    UnsupportedPackage,
    WimdockError,
)

FILES = {
    "update.mum": b"<assembly/>",
    "amd64_one\\deep\\file.dll": bytes(range(256)) * 300,
    "Empty.txt": b"",
    "amd64_one.manifest": b"x" * 70_000,
}


def contents_of(contents: Contents) -> dict[str, bytes]:
    return {file.name: file.read(1 << 20) for file in contents}


@pytest.mark.parametrize("compress", [True, False])
def test_a_cabinet_is_extracted_whole(tmp_path: Path, *, compress: bool) -> None:
    path = write_cabinet(tmp_path / "a.cab", FILES, compress=compress)
    assert contents_of(extract_cabinet(path, Spool(tmp_path / "out"))) == FILES


def test_files_are_found_without_regard_to_case_and_lie_under_numbers(tmp_path: Path) -> None:
    path = write_cabinet(tmp_path / "a.cab", FILES)
    contents = extract_cabinet(path, Spool(tmp_path / "out"))
    assert "UPDATE.MUM" in contents
    assert contents.get("AMD64_one/Deep/FILE.dll") is not None
    assert [name for name, _file in contents.below("amd64_ONE")] == ["deep\\file.dll"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["000000"]


def test_only_what_is_wanted_is_written(tmp_path: Path) -> None:
    path = write_cabinet(tmp_path / "a.cab", FILES)
    contents = extract_cabinet(path, Spool(tmp_path / "out"), lambda name: name.endswith(".mum"))
    assert [file.name for file in contents] == ["update.mum"]
    assert len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize(
    "name",
    [
        "..\\evil.txt",
        "a\\..\\..\\evil.txt",
        "../evil.txt",
        "\\evil.txt",
        "/etc/evil",
        "\\\\server\\share\\evil.txt",
        "C:\\evil.txt",
        "C:evil.txt",
        "file.txt:stream",
        "a\\.\\b",
        "a\\\\b",
        "folder\\",
        "NUL",
        "nul.txt",
        "a\\COM1.dll",
        "con .txt",
        "trailing.",
        "trailing ",
        "what?",
        "control\x07",
        "x" * 300,
    ],
)
def test_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MalformedPackage):
        safe_name(name)
    if len(name) < 250:
        path = write_cabinet(tmp_path / "a.cab", {"good.txt": b"1", name: b"2"})
        with pytest.raises(MalformedPackage):
            extract_cabinet(path, Spool(tmp_path / "out"))
        assert not (tmp_path / "out").exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) in ([], ["a.cab"])


def test_names_that_differ_by_case_are_refused(tmp_path: Path) -> None:
    path = write_cabinet(tmp_path / "a.cab", {"one\\File.txt": b"1", "ONE\\file.TXT": b"2"})
    with pytest.raises(MalformedPackage, match="twice"):
        extract_cabinet(path, Spool(tmp_path / "out"))


@pytest.mark.parametrize("compress", [True, False])
def test_a_cabinet_cut_off_anywhere_is_refused(tmp_path: Path, *, compress: bool) -> None:
    whole = write_cabinet(tmp_path / "a.cab", FILES, compress=compress).read_bytes()
    cut = tmp_path / "cut.cab"
    steps = sorted({*range(200), *range(200, len(whole), max(1, len(whole) // 60))})
    for number, length in enumerate(step for step in steps if step < len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(MalformedPackage):
            extract_cabinet(cut, Spool(tmp_path / f"out{number}"))


def test_a_signed_cabinet_without_the_end_of_its_signature_is_refused(
    shared_data: Path, tmp_path: Path
) -> None:
    whole = (shared_data / "packages" / "OpenSSH-Server-19041.cab").read_bytes()
    path = tmp_path / "cut.cab"
    path.write_bytes(whole[:-1])
    with pytest.raises(MalformedPackage, match="cut off"):
        extract_cabinet(path, Spool(tmp_path / "out"))


def patched(tmp_path: Path, layout: str, offset: int, value: int) -> Path:
    path = write_cabinet(tmp_path / "a.cab", FILES)
    data = bytearray(path.read_bytes())
    struct.pack_into(layout, data, offset, value)
    path.write_bytes(data)
    return path


def test_one_part_of_a_set_is_refused_by_name(tmp_path: Path) -> None:
    path = patched(tmp_path, "<H", 30, 2)
    with pytest.raises(UnsupportedPackage, match="set of cabinets"):
        extract_cabinet(path, Spool(tmp_path / "out"))


def test_a_bomb_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = write_cabinet(tmp_path / "a.cab", FILES)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, struct.unpack_from("<I", data, 16)[0], 0xFFFFFFF0)
    path.write_bytes(data)
    with pytest.raises(MalformedPackage, match="more than any real one"):
        extract_cabinet(path, Spool(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_wrong_size_is_noticed(tmp_path: Path) -> None:
    path = write_cabinet(tmp_path / "a.cab", FILES)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, struct.unpack_from("<I", data, 16)[0], 50_000_000)
    path.write_bytes(data)
    with pytest.raises(MalformedPackage):
        extract_cabinet(path, Spool(tmp_path / "out"))


def test_a_full_disk_is_said_so_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_cabinet(tmp_path / "a.cab", FILES)
    real = os.statvfs(tmp_path)
    values = [0 if index in (2, 3, 4) else number for index, number in enumerate(real)]
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(values))
    with pytest.raises(StorageError) as caught:
        extract_cabinet(path, Spool(tmp_path / "out"))
    assert caught.value.hresult == 0x80070070
    assert not list((tmp_path / "out").iterdir())


def test_a_missing_libarchive_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_cabinet(tmp_path / "a.cab", FILES)
    monkeypatch.setitem(sys.modules, "libarchive", None)
    with pytest.raises(MissingLibrary) as caught:
        extract_cabinet(path, Spool(tmp_path / "out"))
    assert "libarchive13" in caught.value.hint


def test_a_missing_file_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        extract_cabinet(tmp_path / "none.cab", Spool(tmp_path / "out"))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), compress=st.booleans())
def test_spoiled_cabinets_raise_only_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, *, compress: bool
) -> None:
    folder = tmp_path_factory.mktemp("spoiled")
    path = write_cabinet(folder / "a.cab", FILES, compress=compress)
    path.write_bytes(data.draw(spoiled(path.read_bytes())))
    try:
        contents = extract_cabinet(path, Spool(folder / "out"))
    except WimdockError:
        pass
    else:
        places = [file.content for file in contents if isinstance(file.content, Path)]
        assert all(place.parent == folder / "out" for place in places)
    assert {entry.name for entry in folder.iterdir()} <= {"a.cab", "out"}
