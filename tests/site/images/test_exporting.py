"""Exporting image packages: what is made, what is refused, what is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servicing.surroundings import PACKAGE, cabinet_of, packages_in, put_in, sha256
from wimdock.errors import AlreadyRecorded, NoSuchImage, StorageError, UsageError
from wimdock.events import Reporter
from wimdock.site.images.adding import add_package
from wimdock.site.images.exporting import ExportOptions, export_package
from wimdock.site.images.removing import remove_package
from wimdock.site.messages import history_of
from wimdock.site.site import Site
from wimdock.wim import Archive
from wimdock.wim.verification import verify


@pytest.fixture
def file(lab_image: Callable[[str], Path], site: Site, tmp_path: Path) -> Path:
    """Give the file of CAS00001, serviced once."""
    file = lab_image("multi").resolve()
    put_in(file, [cabinet_of("plain", tmp_path)])
    add_package(site, file)
    return file


def test_a_compact_file(site: Site, file: Path, tmp_path: Path) -> None:
    before = sha256(file)
    found = export_package(site, "CAS00001", tmp_path / "out.wim")
    assert found.files == (tmp_path / "out.wim",)
    assert found.sizes == ((tmp_path / "out.wim").stat().st_size,)
    assert found.sizes[0] < file.stat().st_size
    assert sha256(file) == before
    assert PACKAGE in packages_in(tmp_path / "out.wim")
    with Archive.open(tmp_path / "out.wim") as archive:
        assert archive.image_count == 3
        assert verify(archive, Reporter()).sound
    entry = history_of(site, "CAS00001")[0]
    assert (entry.action, entry.detail) == ("export", str(tmp_path / "out.wim"))
    assert entry.generation == 2


@pytest.mark.usefixtures("file")
def test_parts_of_one_image(site: Site, tmp_path: Path) -> None:
    options = ExportOptions(index=2, compression="none", part_size=1 << 20)
    found = export_package(site, "CAS00001", tmp_path / "install.swm", options)
    assert len(found.files) > 1
    assert found.files[:2] == (tmp_path / "install.swm", tmp_path / "install2.swm")
    assert [file.stat().st_size for file in found.files] == list(found.sizes)
    assert sorted(each.name for each in tmp_path.iterdir() if "wimdock-run" in each.name) == []


def test_the_place_of_a_registered_file(site: Site, file: Path, tmp_path: Path) -> None:
    """Neither while it is there, nor while it is missing just now."""
    link = tmp_path / "link.wim"
    link.symlink_to(file)
    for target in (file, link):
        with pytest.raises(AlreadyRecorded, match="CAS00001"):
            export_package(site, "CAS00001", target)
    hidden = file.rename(tmp_path / "hidden.wim")
    add_package(site, hidden)
    with pytest.raises(AlreadyRecorded, match="CAS00001"):
        export_package(site, "CAS00002", file)
    assert not file.exists()
    remove_package(site, "CAS00001")
    assert export_package(site, "CAS00002", file).files == (file,)


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    "name, options, error",
    [
        ("out.wim", ExportOptions(index=4), NoSuchImage),
        ("out.wim", ExportOptions(part_size=1), UsageError),
        ("missing/out.wim", ExportOptions(), StorageError),
        ("taken.wim", ExportOptions(), StorageError),
    ],
)
def test_what_is_refused_makes_nothing(
    site: Site, tmp_path: Path, name: str, options: ExportOptions, error: type[Exception]
) -> None:
    (tmp_path / "taken.wim").write_bytes(b"somebody's")
    before = {path for path in tmp_path.rglob("*") if "site" not in path.parts[-2]}
    with pytest.raises(error):
        export_package(site, "CAS00001", tmp_path / name, options)
    assert {path for path in tmp_path.rglob("*") if "site" not in path.parts[-2]} == before
    assert (tmp_path / "taken.wim").read_bytes() == b"somebody's"
    assert [entry.action for entry in history_of(site, "CAS00001")] == ["add"]
