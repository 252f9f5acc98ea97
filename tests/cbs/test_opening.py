"""Opening whole updates: real ones, ones of the lab, and ones that are not what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cbs.hostile import spoiled
from tests.lab.catalog import catalog
from tests.lab.identity import LabIdentity
from tests.lab.manifest import LabComponent, LabPackage, LabPayload
from tests.lab.pa30_writer import write_manifest
from tests.lab.package import (
    Files,
    add_catalogs,
    bare_files,
    file_hashes_of,
    package_files,
    write_cabinet,
    write_package,
    write_standalone,
)
from wimdock.cbs.opening import open_update
from wimdock.cbs.update import Update
from wimdock.errors import (
    CorruptPackage,
    MalformedPackage,
    MissingDictionary,
    StorageError,
    UnsupportedPackage,
    WimdockError,
)

FIRST = LabComponent(
    LabIdentity("Lab-First-Component-With-A-Long-Name-Of-Many-Characters"),
    payloads=(LabPayload("first.exe", b"first" * 1000), LabPayload("Sub\\Second.dll", b"second")),
)
SECOND = LabComponent(LabIdentity("Lab-Second"), payloads=(LabPayload("second.exe", b"2"),))
CHILD = LabPackage(LabIdentity("Lab-Child-Package"), components=(SECOND,), parents=())
PACKAGE = LabPackage(LabIdentity("Lab-Package"), components=(FIRST,), children=(CHILD,))
MANIFEST = f"{FIRST.identity.key_form}.manifest"
Opener = Callable[[Files], Update]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    def open_files(files: Files) -> Update:
        path = write_cabinet(tmp_path / "lab.cab", files)
        return open_update(path, tmp_path / "workspace")

    return open_files


def test_an_update_is_resolved_and_verified(tmp_path: Path) -> None:
    path = write_package(tmp_path / "lab.cab", PACKAGE)
    update = open_update(path, tmp_path / "workspace")
    assert update.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert update.size == path.stat().st_size
    assert [package.id for package in update.packages] == [
        PACKAGE.identity.package_id,
        CHILD.identity.package_id,
    ]
    assert [component.key_form for component in update.components] == [
        PACKAGE.deployment.key_form,
        FIRST.identity.key_form,
        CHILD.deployment.key_form,
        SECOND.identity.key_form,
    ]
    assert update.catalogued
    assert update.reasons == ()
    first = update.components[1]
    assert first.decoded == first.delivered == FIRST.manifest()
    assert first.digest == FIRST.manifest_hash()
    found = first.file("sub/SECOND.dll")
    assert found is not None
    assert found == b"second"
    assert update.component(first.identity) is first
    assert update.package(update.packages[1].identity) is update.packages[1]
    # 9 listed files, 2 manifests of packages, 4 of components, 3 files by their manifests.
    assert update.verified == len(package_files(PACKAGE)) - 1 + 2 + 4 + 3
    assert all(package.catalog is not None for package in update.packages)


@pytest.mark.parametrize(
    "name, packages, components, files",
    [
        ("OpenSSH-Client-19041.cab", 4, 6, 8),
        ("OpenSSH-Server-19041.cab", 4, 6, 9),
        ("windows6.1-kb4528069-x86.msu", 5, 4, 1),
    ],
)
def test_real_updates(
    shared_data: Path, tmp_path: Path, name: str, packages: int, components: int, files: int
) -> None:
    dictionary = (shared_data / "packages" / "manifest-dictionary.bin").read_bytes()
    asked: list[int] = []

    def give() -> bytes:
        asked.append(1)
        return dictionary

    update = open_update(shared_data / "packages" / name, tmp_path / "work", dictionary=give)
    assert (len(update.packages), len(update.components)) == (packages, components)
    assert sum(len(component.files) for component in update.components) == files
    assert update.catalogued
    assert all(component.catalogued for component in update.components)
    assert update.reasons == ()
    assert len(asked) == (1 if "OpenSSH" in name else 0)
    for component in update.components:
        for entry in component.manifest.files:
            found = component.file(entry.source)
            assert found is not None
            assert entry.digest is not None
            data = found if isinstance(found, bytes) else found.read_bytes()
            assert hashlib.sha256(data).digest() == entry.digest.value


def test_a_real_update_with_a_pe_delta_lacks_that_file(shared_data: Path, tmp_path: Path) -> None:
    update = open_update(shared_data / "packages" / "windows6.1-kb4528069-x64.msu", tmp_path / "w")
    (reason,) = update.reasons
    assert "x86_microsoft-windows-calc" in reason
    assert "calc.exe" in reason
    assert "PE transform" in reason


def test_compressed_manifests_need_the_dictionary(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "packages" / "OpenSSH-Server-19041.cab"
    with pytest.raises(MissingDictionary):
        open_update(path, tmp_path / "w")


def test_a_manifest_stays_compressed_as_delivered(tmp_path: Path) -> None:
    dictionary = b"<assembly manifestVersion=" * 20
    files = bare_files(PACKAGE)
    add_catalogs(files, PACKAGE)
    files[MANIFEST] = write_manifest(FIRST.manifest(), dictionary)
    path = write_cabinet(tmp_path / "lab.cab", files)
    update = open_update(path, tmp_path / "w", dictionary=lambda: dictionary)
    first = update.components[1]
    assert first.delivered == files[MANIFEST]
    assert first.decoded == FIRST.manifest()
    with pytest.raises(WimdockError):
        open_update(path, tmp_path / "w2", dictionary=lambda: b"another")


def test_a_standalone_update_holds_its_cabinet(tmp_path: Path) -> None:
    cabinet = write_package(tmp_path / "Lab-KB5000001-x64.cab", PACKAGE)
    path = write_standalone(tmp_path / "lab.msu", PACKAGE, cabinet)
    update = open_update(path, tmp_path / "w")
    assert update.root.id == PACKAGE.identity.package_id
    assert update.path == path


def test_a_standalone_update_with_several_packages_is_refused(opened: Opener) -> None:
    with pytest.raises(UnsupportedPackage, match="several packages"):
        opened({"one.cab": b"MSCF", "two.cab": b"MSCF", "a.xml": b"<a/>"})


def test_the_inner_file_must_be_a_cabinet_too(opened: Opener) -> None:
    with pytest.raises(UnsupportedPackage, match="WIM-type"):
        opened({"one.cab": b"MSWIM\0\0\0" + bytes(200)})


@pytest.mark.parametrize("name", ["payload.psf", "express.psf.cix.xml"])
def test_express_payload_is_refused(opened: Opener, name: str) -> None:
    with pytest.raises(UnsupportedPackage, match="psf") as caught:
        opened(package_files(PACKAGE) | {name: b"PSTREAM"})
    assert caught.value.reasons


@pytest.mark.parametrize("files", [{"a.txt": b"1"}, {}])
def test_a_cabinet_without_a_package_is_refused(opened: Opener, files: Files) -> None:
    with pytest.raises(MalformedPackage):
        opened(files)


def test_an_update_without_catalogs_is_not_catalogued(tmp_path: Path) -> None:
    path = write_package(tmp_path / "lab.cab", PACKAGE, catalogs=False)
    update = open_update(path, tmp_path / "w")
    assert not update.catalogued
    assert all(package.catalog is None for package in update.packages)
    assert update.reasons == ()


@pytest.mark.parametrize("name", ["update.mum", f"{CHILD.identity.package_id}.mum", MANIFEST])
def test_a_manifest_that_no_catalog_lists_is_corrupt(opened: Opener, name: str) -> None:
    files = bare_files(PACKAGE)
    add_catalogs(files, PACKAGE)
    files[name] = files[name].replace(b"The lab", b"The LAB")
    with pytest.raises(CorruptPackage, match="catalog"):
        opened(files)


def test_payload_that_differs_from_its_manifest_is_corrupt(opened: Opener) -> None:
    files = bare_files(PACKAGE)
    files[f"{FIRST.identity.key_form}\\first.exe"] = b"evil"
    with pytest.raises(CorruptPackage, match="manifest"):
        opened(files)


def test_payload_that_differs_from_the_list_is_corrupt(opened: Opener) -> None:
    files = package_files(PACKAGE)
    files["update.mum"] += b" "
    with pytest.raises(CorruptPackage, match="filehashes"):
        opened(files)


def test_an_unreadable_catalog_is_a_reason(opened: Opener) -> None:
    files = bare_files(PACKAGE)
    add_catalogs(files, PACKAGE)
    files[f"{CHILD.identity.package_id}.cat"] = b"unreadable"
    update = opened(files)
    assert not update.catalogued
    (reason,) = update.reasons
    assert CHILD.identity.package_id in reason


def test_a_catalog_of_sha1_hashes_counts_where_there_is_no_better(opened: Opener) -> None:
    files = bare_files(PACKAGE)
    covered = {name: data for name, data in files.items() if "\\" not in name}
    assert opened(files | {"update.cat": catalog(covered, "sha1")}).catalogued


def test_a_child_package_that_is_missing_is_a_reason(opened: Opener) -> None:
    files = bare_files(PACKAGE)
    del files[f"{CHILD.identity.package_id}.mum"]
    (reason,) = opened(files).reasons
    assert CHILD.identity.package_id in reason


def test_components_that_the_image_may_have_are_left_to_the_plan(opened: Opener) -> None:
    files = bare_files(PACKAGE)
    del files[MANIFEST]
    update = opened(files)
    assert update.reasons == ()
    assert FIRST.identity.key_form not in {entry.key_form for entry in update.components}


def test_a_manifest_under_another_name_is_refused(opened: Opener) -> None:
    files = bare_files(PACKAGE)
    files[MANIFEST] = SECOND.manifest()
    with pytest.raises(MalformedPackage, match="is the manifest of"):
        opened(files)


def test_a_package_under_another_name_is_refused(opened: Opener) -> None:
    files = bare_files(PACKAGE)
    files[f"{CHILD.identity.package_id}.mum"] = PACKAGE.manifest()
    with pytest.raises(MalformedPackage, match="is the manifest of"):
        opened(files)


@pytest.mark.parametrize("folder", ["f", "r", "n"])
def test_differentials_against_the_image_are_reasons(opened: Opener, folder: str) -> None:
    files = bare_files(PACKAGE)
    key_form = FIRST.identity.key_form
    files[f"{key_form}\\{folder}\\first.exe"] = files.pop(f"{key_form}\\first.exe")
    (reason,) = opened(files).reasons
    assert "delta against the image" in reason


def test_files_without_any_hash_are_reasons(opened: Opener) -> None:
    files = bare_files(PACKAGE)
    files[MANIFEST] = files[MANIFEST].replace(b"asmv2:hash", b"asmv2:other")
    reasons = opened(files).reasons
    assert len(reasons) == 2
    assert all("no hash" in reason for reason in reasons)


def test_files_that_only_the_list_vouches_for_are_taken(opened: Opener) -> None:
    files = bare_files(PACKAGE)
    files[MANIFEST] = files[MANIFEST].replace(b"asmv2:hash", b"asmv2:other")
    files["$filehashes$.dat"] = file_hashes_of(files)
    assert opened(files).reasons == ()


def test_packages_that_name_each_other_end(opened: Opener) -> None:
    again = LabPackage(CHILD.identity, components=(SECOND,), children=(PACKAGE,), parents=())
    files = bare_files(PACKAGE)
    files[f"{CHILD.identity.package_id}.mum"] = again.manifest()
    assert len(opened(files).packages) == 2


def test_components_in_any_language_are_found(opened: Opener) -> None:
    resources = [
        LabComponent(LabIdentity("Lab-First.Resources", language=language))
        for language in ("de-DE", "en-US")
    ]
    package = LabPackage(LabIdentity("Lab-Package"), components=tuple(resources))
    files = bare_files(package)
    name = f"{package.deployment.key_form}.manifest"
    files[name] = files[name].replace(b'language="de-DE"', b'language="*"')
    files[name] = files[name].replace(b'language="en-US"', b'language="*"')
    languages = [component.identity.language for component in opened(files).components]
    assert languages == ["neutral", "en-US", "de-DE"]


def test_a_missing_file_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        open_update(tmp_path / "none.cab", tmp_path / "w")


FILES = package_files(PACKAGE)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_spoiled_updates_raise_only_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("spoiled")
    name = data.draw(st.sampled_from(sorted(FILES)))
    files = FILES | {name: data.draw(spoiled(FILES[name]))}
    if data.draw(st.booleans()):
        del files["$filehashes$.dat"]
    path = write_cabinet(folder / "lab.cab", files, compress=False)
    try:
        open_update(path, folder / "w")
    except WimdockError:
        return
