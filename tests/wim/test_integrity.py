"""Integrity tables: read, checked, and carried on when a file grows."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.tool import run
from tests.wim.crafted import Node, add_integrity, change_header, plain, sha1
from wimdock.errors import MalformedImage
from wimdock.wim import Archive, layout
from wimdock.wim.header import ResourceHeader
from wimdock.wim.integrity import (
    LARGEST_CHUNK,
    SMALLEST_CHUNK,
    IntegrityTable,
    build_integrity,
    check,
    read_integrity,
)

_START = layout.HEADER_SIZE


def test_the_table_of_wimlib_is_read_and_matches(captured: Callable[[str], Path]) -> None:
    with Archive.open(captured("check")) as archive:
        table = read_integrity(archive, archive.header)
        end = archive.header.blob_table.end
        assert table.chunk_size == layout.INTEGRITY_CHUNK
        assert len(table) == 1
        assert list(check(archive, table, end)) == []
        assert build_integrity(archive.fd, end, None, 0) == table.pack()
        assert build_integrity(archive.fd, end, table, end) == table.pack()


def test_a_changed_byte_is_found(a_copy: Callable[[str], Path]) -> None:
    path = a_copy("check")
    data = bytearray(path.read_bytes())
    data[300] ^= 1
    path.write_bytes(data)
    with Archive.open(path) as archive:
        table = read_integrity(archive, archive.header)
        assert list(check(archive, table, archive.header.blob_table.end)) == [0]


def test_wimlib_accepts_a_table_of_ours(tmp_path: Path, tree: Path) -> None:
    path = tmp_path / "one.wim"
    run("wimlib-imagex", "capture", tree, path, "--threads=1")
    said = run("wimlib-imagex", "verify", add_integrity(path)).decode()
    assert "was successfully verified" in said


@pytest.mark.parametrize(
    "table",
    [
        b"",
        bytes(11),
        struct.pack("<III", 12, 0, 1 << 20),
        struct.pack("<III", 32, 1, 0) + bytes(20),
        struct.pack("<III", 32, 2, 1 << 20) + bytes(20),
        struct.pack("<III", 52, 1, 1 << 20) + bytes(40),
        struct.pack("<III", 52, 2, 1 << 20) + bytes(40),
        struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, 1) + bytes(20),
    ],
)
def test_a_table_that_does_not_fit_is_refused(table: bytes, tmp_path: Path) -> None:
    path = plain(Node("a", b"a"), contents=[b"a"]).write(tmp_path / "one.wim")
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(table)
    change_header(path, integrity=ResourceHeader(len(table), 0, size, len(table)))
    with Archive.open(path) as archive, pytest.raises(MalformedImage, match="integrity table"):
        read_integrity(archive, archive.header)


def _expected(data: bytes, end: int, chunk_size: int) -> bytes:
    starts = range(_START, end, chunk_size)
    hashes = b"".join(sha1(data[start : min(start + chunk_size, end)]) for start in starts)
    return struct.pack("<III", 12 + len(hashes), len(hashes) // 20, chunk_size) + hashes


@given(
    old_length=st.integers(0, 30_000),
    added=st.integers(0, 30_000),
    chunk_size=st.sampled_from([SMALLEST_CHUNK, SMALLEST_CHUNK + 1, 10_000, 1 << 20]),
    seed=st.integers(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_grows_as_if_it_were_made_anew(
    old_length: int, added: int, chunk_size: int, seed: int, tmp_path: Path
) -> None:
    data = Random(seed).randbytes(_START + old_length + added)
    old_end = _START + old_length
    path = tmp_path / "file"
    path.write_bytes(data)
    old = IntegrityTable(chunk_size, _expected(data, old_end, chunk_size)[12:])
    with path.open("rb") as file:
        found = build_integrity(file.fileno(), len(data), old, old_end)
    assert found == _expected(data, len(data), chunk_size)


def test_hashes_of_whole_old_chunks_are_taken_over_and_not_read_again(tmp_path: Path) -> None:
    """Damage in the old part stays visible."""
    path = tmp_path / "file"
    path.write_bytes(bytes(_START + 25_000))
    old = IntegrityTable(10_000, b"\x01" * 20 + b"\x02" * 20 + b"\x03" * 20)
    with path.open("rb") as file:
        table = build_integrity(file.fileno(), _START + 25_000, old, _START + 22_000)
    assert table[12:52] == b"\x01" * 20 + b"\x02" * 20
    assert table[52:] == sha1(bytes(5_000))


@pytest.mark.parametrize("chunk_size", [1, SMALLEST_CHUNK - 1, LARGEST_CHUNK + 1])
def test_absurd_chunk_sizes_are_not_kept(chunk_size: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(_START + 100))
    old = IntegrityTable(chunk_size, bytes(20))
    with path.open("rb") as file:
        table = build_integrity(file.fileno(), _START + 100, old, _START + 100)
    assert table == _expected(bytes(_START + 100), _START + 100, layout.INTEGRITY_CHUNK)


def test_a_file_that_ends_inside_a_chunk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(_START + 10))
    fd = os.open(path, os.O_RDONLY)
    with pytest.raises(MalformedImage, match="inside what its integrity table covers"):
        build_integrity(fd, _START + 11, None, 0)
    os.close(fd)


def test_chunks_are_counted_from_0() -> None:
    table = IntegrityTable(10, b"\1" * 20 + b"\2" * 20)
    assert [table[0], table[1]] == [b"\1" * 20, b"\2" * 20]
    for chunk in (-1, 2):
        with pytest.raises(IndexError):
            table[chunk]
