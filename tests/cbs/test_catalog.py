"""Catalogs: real ones, ones of the lab, and spoiled ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cbs.hostile import spoiled
from tests.lab.catalog import catalog, hash_list
from wimdock.cbs.cabinet import extract_cabinet
from wimdock.cbs.catalog import parse_catalog
from wimdock.cbs.der import items, object_id
from wimdock.cbs.spool import Spool
from wimdock.errors import CorruptPackage, MalformedPackage

FILES = {"update.mum": b"<one/>", "a.manifest": b"<two/>"}
MADE = catalog(FILES)


def test_every_manifest_of_real_packages_is_in_a_catalog(shared_data: Path, tmp_path: Path) -> None:
    for name in ("OpenSSH-Client-19041.cab", "OpenSSH-Server-19041.cab"):
        contents = extract_cabinet(shared_data / "packages" / name, Spool(tmp_path / name))
        catalogs = [
            parse_catalog(file.read(1 << 30), file.name) for file in contents.ending(".cat")
        ]
        assert len(catalogs) == 5
        # Each package's catalog also lists the Authenticode hashes of its programs.
        assert sum(len(entry.image_digests) for entry in catalogs) == 8
        for file in contents.ending(".mum"):
            assert any(entry.covers(file.read(1 << 30)) for entry in catalogs), file.name


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("signed", [True, False])
def test_a_catalog_covers_what_it_lists(algorithm: str, *, signed: bool) -> None:
    read = parse_catalog(catalog(FILES, algorithm, signed=signed), "it")
    assert read.algorithms == {algorithm}
    assert read.digests == {hashlib.new(algorithm, data).digest() for data in FILES.values()}
    assert all(read.covers(data) for data in FILES.values())
    assert not read.covers(b"<three/>")


def test_an_empty_catalog_covers_nothing() -> None:
    assert not parse_catalog(catalog({}), "it").covers(b"")


def test_a_list_that_was_changed_after_signing_is_corrupt() -> None:
    digest = hashlib.sha256(FILES["update.mum"]).digest()
    forged = MADE.replace(digest, hashlib.sha256(b"<evil/>").digest())
    assert forged != MADE
    with pytest.raises(CorruptPackage, match="that was signed"):
        parse_catalog(forged, "it")


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x80", b"hello", hash_list(FILES), MADE[:-9]])
def test_what_is_no_catalog_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPackage):
        parse_catalog(data, "it")


def test_object_identifiers_are_encoded_as_in_der() -> None:
    assert object_id("1.3.6.1.4.1.311.2.1.4").hex() == "2b060104018237020104"
    assert object_id("2.16.840.1.101.3.4.2.1").hex() == "608648016503040201"


@given(st.binary(max_size=40))
def test_any_bytes_are_items_or_refused(data: bytes) -> None:
    try:
        found = list(items(data))
    except MalformedPackage:
        return
    assert sum(len(body) + 2 for _tag, body in found) <= len(data)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=100), spoiled(MADE)))
def test_spoiled_catalogs_raise_only_our_errors(data: bytes) -> None:
    try:
        parse_catalog(data, "it")
    except (MalformedPackage, CorruptPackage):
        return


def test_a_real_catalog_spoiled_at_each_byte_raises_only_our_errors(
    shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "packages" / "OpenSSH-Server-19041.cab"
    contents = extract_cabinet(path, Spool(tmp_path / "out"), lambda name: name == "update.cat")
    good = next(iter(contents)).read(1 << 30)
    for at in range(0, len(good), 7):
        data = bytearray(good)
        data[at] ^= 0xFF
        try:
            parse_catalog(bytes(data), "it")
        except (MalformedPackage, CorruptPackage):
            continue
