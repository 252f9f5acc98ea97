"""Compressed manifests: made-up ones, and Microsoft's, whose catalogs bear witness."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.lab.pa30_writer import write_delta, write_manifest
from tests.lab.tool import missing, run
from wimdock.delta import decode_manifest, is_compressed_manifest
from wimdock.errors import DeltaError, MissingDictionary

DICTIONARY = b'<?xml version="1.0" encoding="utf-8"?><assembly><assemblyIdentity name="" />' * 9
XML = b'<?xml version="1.0" encoding="utf-8"?><assembly><assemblyIdentity name="made-up" />'


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack a cabinet with somebody else's program."""
    if missing(("7z",)):
        skip_or_fail("7z is not installed")
    run("7z", "x", "-y", f"-o{folder}", archive)
    return folder


def test_a_made_up_manifest_comes_back() -> None:
    data = write_manifest(XML, DICTIONARY)
    assert is_compressed_manifest(data)
    assert decode_manifest(data, DICTIONARY) == XML


def test_a_plain_manifest_passes_through() -> None:
    assert not is_compressed_manifest(XML)
    assert decode_manifest(XML, None) is XML


def test_without_the_dictionary_it_is_refused() -> None:
    with pytest.raises(MissingDictionary):
        decode_manifest(write_manifest(XML, DICTIONARY), None)


def test_damage_is_refused() -> None:
    data = write_manifest(XML, DICTIONARY)
    for broken in (data[:4], data[:-1], b"DCM\x01" + b"PA19", data[:4] + data[5:]):
        with pytest.raises(DeltaError):
            decode_manifest(broken, DICTIONARY)


def test_a_manifest_larger_than_allowed_is_refused() -> None:
    with pytest.raises(DeltaError, match="more than"):
        decode_manifest(b"DCM\x01" + write_delta(b"", bytes(101)), b"", max_size=100)


@pytest.mark.parametrize(
    "package, compressed",
    [("OpenSSH-Client-19041.cab", 3), ("OpenSSH-Server-19041.cab", 3)],
)
def test_microsofts_manifests_have_the_hashes_of_their_catalogs(
    shared_data: Path, tmp_path: Path, package: str, compressed: int
) -> None:
    folder = unpacked(shared_data / "packages" / package, tmp_path)
    dictionary = (shared_data / "packages" / "manifest-dictionary.bin").read_bytes()
    catalogs = b"".join(path.read_bytes() for path in folder.glob("*.cat"))
    manifests = [path.read_bytes() for path in folder.glob("*.manifest")]
    started = time.process_time()
    decoded = [decode_manifest(data, dictionary) for data in manifests]
    assert time.process_time() - started < 1
    assert len(manifests) == 6
    assert sum(is_compressed_manifest(data) for data in manifests) == compressed
    for xml in decoded:
        assert hashlib.sha256(xml).digest() in catalogs
