"""A real SYSTEM hive, and the manifest dictionary."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from wimdock.registry import Hive
from wimdock.registry.base_block import checksum


@pytest.fixture(scope="session")
def real_system(shared_data: Path) -> Hive:
    """Give the SYSTEM hive of a Windows 10 with OpenSSH installed, as if closed cleanly."""
    with lzma.open(shared_data / "hives" / "SYSTEM_WIN_10_1709.xz") as file:
        data = bytearray(file.read())
    data[8:12] = data[4:8]
    data[508:512] = checksum(data).to_bytes(4, "little")
    return Hive.parse(bytes(data))


@pytest.fixture(scope="session")
def manifest_dictionary(shared_data: Path) -> bytes:
    """Give the dictionary that DCM manifests are compressed against."""
    return (shared_data / "packages" / "manifest-dictionary.bin").read_bytes()
