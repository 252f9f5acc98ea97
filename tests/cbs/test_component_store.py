"""Where files go."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cbs.made_update import component, identity, package
from tests.cbs.planning import FakeImage
from wimdock.cbs.component_manifest import ComponentDirectory, ComponentFile, ComponentManifest
from wimdock.cbs.component_store import (
    CATALOGS,
    WINSXS,
    Thumbprints,
    component_files,
    manifest_files,
    package_files,
    runtime_directories,
)
from wimdock.cbs.refusal import Refusals
from wimdock.cbs.runtime_path import RuntimeFolders
from wimdock.cbs.update import UpdateComponent
from wimdock.errors import StorageError
from wimdock.image.change_set import FileEdit, PutFile, PutLinks
from wimdock.paths import ImagePath

_FOLDERS = RuntimeFolders("amd64")
_SOURCE = Path("/nowhere/1")


def made(*files: ComponentFile, **sources: Path) -> UpdateComponent:
    return component(ComponentManifest(identity("Lab"), files=files), sources)


def edits_of(
    entry: UpdateComponent, image: FakeImage, *, wins: bool = True, newly: bool = True
) -> tuple[list[FileEdit], tuple[str, ...]]:
    refusals = Refusals()
    edits = list(component_files(entry, _FOLDERS, image, refusals, wins=wins, newly=newly))
    return edits, refusals.reasons


def test_a_file_may_have_another_name_at_run_time() -> None:
    entry = made(ComponentFile("run.exe", "$(runtime.windows)", source="a"), a=_SOURCE)
    store = WINSXS / entry.key_form / "a"
    runtime = ImagePath("Windows\\run.exe")
    assert edits_of(entry, FakeImage()) == ([PutFile(store, _SOURCE, (runtime,))], ())


def test_a_file_without_destination_lives_in_the_store_only() -> None:
    entry = made(ComponentFile("a", source="a"), a=_SOURCE)
    assert edits_of(entry, FakeImage())[0] == [PutFile(WINSXS / entry.key_form / "a", _SOURCE)]


def test_what_the_image_has_is_not_put_again() -> None:
    entry = made(ComponentFile("a", "$(runtime.windows)", source="a"), a=_SOURCE)
    store = WINSXS / entry.key_form / "a"
    runtime = ImagePath("Windows\\a")
    image = FakeImage()
    image.paths.add(store)
    assert edits_of(entry, image)[0] == [PutLinks(store, (runtime,))]
    image.paths.add(runtime)
    assert edits_of(entry, image)[0] == [PutLinks(store, (runtime,))]
    assert edits_of(entry, image, newly=False)[0] == []
    assert edits_of(entry, image, wins=False)[0] == []


def test_attributes() -> None:
    entry = made(ComponentFile("a", source="a", attributes="readOnly hidden"), a=_SOURCE)
    [edit] = edits_of(entry, FakeImage())[0]
    assert isinstance(edit, PutFile)
    assert edit.attributes == 0x3


@pytest.mark.parametrize(
    "file, why",
    [
        (ComponentFile("gone", source="gone"), "neither the update nor the image"),
        (ComponentFile("a", "$(runtime.moon)", source="a"), "moon"),
        (ComponentFile("a", source="a", attributes="shiny"), "shiny"),
        (ComponentFile("a", source="a", security="NOWHERE"), "NOWHERE"),
        (ComponentFile("a", source="..\\a"), "no name"),
    ],
)
def test_what_cannot_be_put_is_refused(file: ComponentFile, why: str) -> None:
    entry = made(file, a=_SOURCE)
    edits, reasons = edits_of(entry, FakeImage())
    assert edits == []
    assert len(reasons) == 1
    assert why in reasons[0]


def test_folders() -> None:
    manifest = ComponentManifest(
        identity("Lab"),
        directories=(
            ComponentDirectory("$(runtime.programData)\\Lab"),
            ComponentDirectory("nowhere"),
        ),
    )
    refusals = Refusals()
    [edit] = runtime_directories(component(manifest), _FOLDERS, FakeImage(), refusals)
    assert (edit.path, edit.security) == (ImagePath("ProgramData\\Lab"), None)
    assert len(refusals.reasons) == 1


def test_a_manifest_is_put_once() -> None:
    entry = made()
    image = FakeImage()
    [edit] = manifest_files(entry, image)
    assert edit.source == entry.delivered
    image.paths.add(edit.path)
    assert list(manifest_files(entry, image)) == []


def test_a_package_without_a_catalog_has_its_manifest_only() -> None:
    paths = [edit.path.name for edit in package_files(package("Lab"), FakeImage(), Thumbprints())]
    assert paths == [f"{package('Lab').id}.mum"]


def test_a_catalog_that_the_image_has_is_not_put_again(tmp_path: Path) -> None:
    catalog = tmp_path / "lab.cat"
    catalog.write_bytes(b"catalog")
    entry = replace(package("Lab"), catalog=catalog)
    image = FakeImage()
    stored = CATALOGS / f"{hashlib.sha256(b'catalog').hexdigest()}.cat"
    assert stored in {edit.path for edit in package_files(entry, image, Thumbprints())}
    image.paths.add(stored)
    assert stored not in {edit.path for edit in package_files(entry, image, Thumbprints())}


def test_a_catalog_that_is_gone_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        Thumbprints().of(tmp_path / "gone.cat")
