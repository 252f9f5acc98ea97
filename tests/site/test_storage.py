"""Storage locations: which a file belongs to, and where it is on another machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from wimdock.errors import AlreadyRecorded, SettingsError, UsageError
from wimdock.site.images.adding import add_package
from wimdock.site.images.details import details_of
from wimdock.site.images.listing import list_packages
from wimdock.site.images.reading import refresh
from wimdock.site.images.records import file_of
from wimdock.site.settings import Settings
from wimdock.site.site import Site
from wimdock.site.storage import StoredPlace, path_of, place_of


def settings(**storage: Path) -> Settings:
    """Give settings with storage locations."""
    return Settings(storage=storage)


def test_the_innermost_location_counts(tmp_path: Path) -> None:
    (tmp_path / "images" / "new").mkdir(parents=True)
    known = settings(images=tmp_path / "images", new=tmp_path / "images" / "new", root=tmp_path)
    places = {
        "images/a.wim": StoredPlace("images", "a.wim"),
        "images/new/a.wim": StoredPlace("new", "a.wim"),
        "images/new/deep/a.wim": StoredPlace("new", "deep/a.wim"),
        "images-too/a.wim": StoredPlace("root", "images-too/a.wim"),
    }
    for name, place in places.items():
        assert place_of(known, tmp_path / name) == place
        assert path_of(known, place) == tmp_path / name


def test_a_file_elsewhere_is_absolute(tmp_path: Path) -> None:
    place = place_of(settings(images=tmp_path / "images"), tmp_path / "a.wim")
    assert place == StoredPlace("", str(tmp_path / "a.wim"))
    assert path_of(settings(), place) == tmp_path / "a.wim"


def test_links_are_followed_on_both_sides(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "share").symlink_to(tmp_path / "real")
    (tmp_path / "link.wim").symlink_to(tmp_path / "real" / "a.wim")
    known = settings(images=tmp_path / "share")
    assert place_of(known, tmp_path / "link.wim") == StoredPlace("images", "a.wim")
    assert place_of(known, tmp_path / "share" / "a.wim") == StoredPlace("images", "a.wim")


def test_a_location_that_this_machine_lacks() -> None:
    with pytest.raises(SettingsError, match="no storage location 'images'"):
        path_of(settings(), StoredPlace("images", "a.wim"))


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        place_of(settings(), Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wim")))


def test_another_machine_sees_it_elsewhere(
    site: Site, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    here = replace(site, settings=settings(images=tmp_path))
    package = add_package(here, lab_image("lzx"))
    assert (package.storage, package.path) == ("images", "lzx.wim")
    assert details_of(here, package.id).file == tmp_path / "lzx.wim"
    (tmp_path / "mounted").symlink_to(tmp_path)
    there = replace(site, settings=settings(images=tmp_path / "mounted"))
    assert file_of(there, package) == tmp_path / "mounted" / "lzx.wim"
    assert not refresh(there, package.id).changed
    with pytest.raises(AlreadyRecorded):
        add_package(there, tmp_path / "mounted" / "lzx.wim")
    # A machine without the location says so, and takes nothing for lost.
    with pytest.raises(SettingsError):
        refresh(site, package.id)
    assert details_of(site, package.id).file is None
    assert list_packages(site)[0].state.value == "as recorded"
