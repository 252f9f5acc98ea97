"""Damaged and cut-off hives give our errors or work; they never hang."""

from __future__ import annotations

import struct

import pytest

from tests.registry.hostile import attempt, damage, read_all, rich_hive, seal
from wimdock.errors import DirtyHive, MalformedHive, RegistryError
from wimdock.registry import Hive

SAMPLE = rich_hive()


def test_the_sample_itself_can_be_read_and_edited() -> None:
    assert read_all(Hive.parse(SAMPLE).root) == 20
    attempt(SAMPLE)


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_damaged_bytes_raise_only_our_errors(start: int) -> None:
    for seed in range(start, start + 100):
        attempt(damage(SAMPLE, seed))


def test_every_word_of_the_base_block() -> None:
    for at in (*range(0, 48, 4), *range(48, 512, 48)):
        for word in (0, 1, 0xFFFFFFFF, 4096):
            data = bytearray(SAMPLE)
            struct.pack_into("<I", data, at, word)
            attempt(bytes(data))
            attempt(seal(data))


def test_every_word_of_the_bins_made_impossible() -> None:
    for at in range(4096, len(SAMPLE), 4):
        if SAMPLE[at : at + 4] != bytes(4):
            data = bytearray(SAMPLE)
            struct.pack_into("<I", data, at, 0xFFFFFFF0)
            try:
                read_all(Hive.parse(data).root)
            except RegistryError:
                continue


def test_cut_off_anywhere() -> None:
    for length in [*range(0, len(SAMPLE), 61), len(SAMPLE) - 1]:
        with pytest.raises(MalformedHive):
            Hive.parse(SAMPLE[:length])


def test_cut_off_and_the_length_made_to_fit() -> None:
    for length in range(8192, len(SAMPLE), 4096):
        data = bytearray(SAMPLE[:length])
        struct.pack_into("<I", data, 40, length - 4096)
        attempt(seal(data))


def test_not_closed_cleanly() -> None:
    data = bytearray(SAMPLE)
    data[4] ^= 1
    with pytest.raises(DirtyHive, match="not closed cleanly") as caught:
        Hive.parse(seal(data))
    assert caught.value.hresult == 0x800703F9
    with pytest.raises(MalformedHive, match="checksum"):
        Hive.parse(data)


@pytest.mark.parametrize(
    "at, word, said",
    [
        (0, b"rege", "does not begin with regf"),
        (20, b"\2\0\0\0", "version 2.5"),
        (24, b"\2\0\0\0", "version 1.2"),
        (24, b"\7\0\0\0", "version 1.7"),
        (28, b"\1\0\0\0", "transaction log"),
        (36, b"\xff\xff\xff\xff", "outside the hive"),
        (40, b"\x01\x10\0\0", "impossible size"),
        (40, b"\0\0\0\0", "impossible size"),
        (40, b"\0\0\0\x10", "cut off"),
    ],
)
def test_a_wrong_base_block_is_named(at: int, word: bytes, said: str) -> None:
    data = bytearray(SAMPLE)
    data[at : at + 4] = word
    with pytest.raises(MalformedHive, match=said):
        Hive.parse(seal(data))


def test_a_real_dirty_hive(dirty_system_hive: bytes) -> None:
    with pytest.raises(DirtyHive, match="4317 and 4316"):
        Hive.parse(dirty_system_hive)
