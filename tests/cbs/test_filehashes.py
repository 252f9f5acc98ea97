"""The list of hashes in a package."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cbs.hostile import spoiled
from tests.lab.package import file_hashes_of, write_cabinet
from wimdock.cbs.cabinet import extract_cabinet
from wimdock.cbs.filehashes import LIST_NAME, FileHash, parse_filehashes, verify_filehashes
from wimdock.cbs.spool import Spool
from wimdock.errors import CorruptPackage, MalformedPackage

FILES = {"update.mum": b"one", "folder\\two=2,3.dll": b"two" * 100, "empty": b""}
LIST = file_hashes_of(FILES)


def test_every_line_is_read() -> None:
    hashes = parse_filehashes(LIST)
    assert len(hashes) == 2 * len(FILES)
    assert {(entry.name, entry.size) for entry in hashes} == {
        (name, len(content)) for name, content in FILES.items()
    }
    assert {entry.algorithm for entry in hashes} == {"sha1", "sha256"}


def test_the_list_of_a_real_package_matches_it(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "packages" / "OpenSSH-Client-19041.cab"
    contents = extract_cabinet(path, Spool(tmp_path / "out"))
    listed = contents.get(LIST_NAME)
    assert listed is not None
    hashes = parse_filehashes(listed.read(1 << 30))
    assert verify_filehashes(contents, hashes) == len(contents) - 1


@pytest.mark.parametrize("change", ["content", "size", "missing"])
def test_a_file_that_differs_is_corrupt(tmp_path: Path, change: str) -> None:
    files = dict(FILES)
    if change == "content":
        files["update.mum"] = b"oNe"
    elif change == "size":
        files["empty"] = b"1"
    else:
        del files["folder\\two=2,3.dll"]
    contents = extract_cabinet(write_cabinet(tmp_path / "a.cab", files), Spool(tmp_path / "out"))
    with pytest.raises(CorruptPackage):
        verify_filehashes(contents, parse_filehashes(LIST))


def test_algorithms_from_the_future_are_passed_over() -> None:
    text = "[sha3]\r\na=00,1\r\n[sha1]\r\na=" + "0" * 40 + ",A\r\n"
    assert parse_filehashes(text.encode("utf-16")) == (FileHash("a", "sha1", bytes(20), 10),)


@pytest.mark.parametrize(
    "text",
    [
        "a=" + "0" * 40 + ",1",
        "[sha1]\r\nno line",
        "[sha1]\r\na=" + "0" * 39 + ",1",
        "[sha1]\r\na=" + "0" * 41 + ",1",
        "[sha1]\r\na=" + "0" * 40 + ",x",
        "[sha1]\r\n..\\a=" + "0" * 40 + ",1",
    ],
)
def test_lines_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(MalformedPackage):
        parse_filehashes(text.encode("utf-16"))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=100), spoiled(LIST)))
def test_spoiled_lists_raise_only_our_errors(data: bytes) -> None:
    try:
        hashes = parse_filehashes(data)
    except MalformedPackage:
        return
    assert all(entry.name for entry in hashes)
