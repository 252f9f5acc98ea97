"""Which files are taken for updates, and what is said of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from wimdock.cbs.container import check_container
from wimdock.errors import MalformedPackage, StorageError, UnsupportedPackage


@pytest.mark.parametrize(
    "start, what",
    [
        (b"MSWIM\0\0\0\xd0\0\0\0", "WIM-type"),
        (b"PSTREAM\0", "psf"),
        (b"MZ\x90\0", "exe"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "msi"),
        (b"PK\x03\x04", "ZIP"),
        (b"PA30", "delta"),
        (b"DCM\x01PA30", "manifest"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    ],
)
def test_other_kinds_are_refused_by_name(tmp_path: Path, start: bytes, what: str) -> None:
    path = tmp_path / "update.bin"
    path.write_bytes(start + bytes(100))
    with pytest.raises(UnsupportedPackage, match=what) as caught:
        check_container(path)
    assert caught.value.reasons
    assert caught.value.hint


def test_a_cabinet_passes(tmp_path: Path) -> None:
    path = tmp_path / "update.cab"
    path.write_bytes(b"MSCF" + bytes(40))
    check_container(path)


@pytest.mark.parametrize("start", [b"", b"MSC", b"hello"])
def test_anything_else_is_no_update(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "update.cab"
    path.write_bytes(start)
    with pytest.raises(MalformedPackage):
        check_container(path)


def test_a_missing_file_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        check_container(tmp_path / "none.cab")
