"""The sample hives, unpacked once."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from wimdock.registry.base_block import checksum


def unpack(path: Path) -> bytes:
    with lzma.open(path) as file:
        return file.read()


@pytest.fixture(scope="session")
def dirty_system_hive(shared_data: Path) -> bytes:
    """Give a SYSTEM hive of Windows 10 (15 MB) that was copied while in use."""
    return unpack(shared_data / "hives" / "SYSTEM_WIN_10_1709.xz")


@pytest.fixture(scope="session")
def system_hive(dirty_system_hive: bytes) -> bytes:
    """Give the same hive as if it had been closed cleanly."""
    data = bytearray(dirty_system_hive)
    data[8:12] = data[4:8]
    data[508:512] = checksum(data).to_bytes(4, "little")
    return bytes(data)


@pytest.fixture(scope="session")
def software_hive(shared_data: Path) -> bytes:
    """Give the Software part of a user's hive: version 1.3, `lf` lists, large data in one cell."""
    return unpack(shared_data / "hives" / "ntuser_software_partial.xz")
