"""Importing updates: what is kept, what is known, what is refused and what goes on."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.lab.cases import CASES, component, package
from tests.lab.package import write_cabinet, write_package, write_standalone
from tests.site.updates.library_state import (
    check_library,
    files_of,
    messages_of,
    rows_of,
    small_update,
)
from wimdock.errors import (
    CorruptPackage,
    MalformedPackage,
    MissingDictionary,
    StorageError,
    UnsupportedPackage,
    UsageError,
)
from wimdock.site.images.adding import add_package
from wimdock.site.site import Site
from wimdock.site.updates.importing import ImportOptions, ImportState, import_updates
from wimdock.site.updates.library import file_of_update, verify_update

_REAL = ("OpenSSH-Client-19041.cab", "OpenSSH-Server-19041.cab", "windows6.1-kb4528069-x64.msu")


def test_microsofts_packages(site: Site, shared_data: Path) -> None:
    packages = shared_data / "packages"
    dictionary = (packages / "manifest-dictionary.bin").read_bytes()
    found = import_updates(site, packages, ImportOptions(dictionary))
    assert {each.state for each in found} == {ImportState.IMPORTED}
    rows = {row.file_name: row for row in rows_of(site)}
    client, server, fix = (rows[name] for name in _REAL)
    assert (client.title, client.version, client.architecture) == (
        "OpenSSH Client",
        "10.0.19041.1",
        "amd64",
    )
    assert (client.classification, client.unsupported) == ("OnDemand Pack", [])
    assert client.released_at == datetime(2019, 12, 6, 22, 40, tzinfo=UTC)
    assert (fix.kb, fix.classification, fix.title) == ("KB4528069", "Update", "Fix for KB4528069")
    assert any("PE transform" in reason for reason in fix.unsupported)
    for row in (client, server, fix):
        assert row.catalogued
        assert row.verified > 20
        assert row.signer == "Microsoft Windows"
        content = (packages / row.file_name).read_bytes()
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert verify_update(site, row).read_bytes() == content
    assert len({row.identity for row in rows.values()}) == len(rows) == 4
    assert {number for number, _text in messages_of(site)} == {42030}
    check_library(site)


def test_a_dictionary_is_taken_from_an_image_of_the_site(
    site: Site, shared_data: Path, lab_image: Callable[[str], Path]
) -> None:
    cabinet = shared_data / "packages" / _REAL[0]
    (failed,) = import_updates(site, cabinet)
    assert isinstance(failed.error, MissingDictionary)
    assert "wimdock image add" in failed.error.hint
    assert files_of(site) == {}
    add_package(site, lab_image("lzx"))
    (done,) = import_updates(site, cabinet)
    assert done.state is ImportState.IMPORTED
    check_library(site)


def test_the_same_file_again_is_known(site: Site, tmp_path: Path) -> None:
    cabinet = small_update(tmp_path / "a.cab")
    (first,) = import_updates(site, cabinet)
    shutil.copy(cabinet, tmp_path / "b.cab")
    (second,) = import_updates(site, tmp_path / "b.cab")
    assert (first.state, second.state) == (ImportState.IMPORTED, ImportState.KNOWN)
    assert first.update is not None
    assert second.update is not None
    assert second.update.id == first.update.id
    assert [row.file_name for row in rows_of(site)] == ["a.cab"]
    assert len(messages_of(site)) == 1
    check_library(site)


def test_the_same_package_in_other_bytes_is_kept_beside_it(site: Site, tmp_path: Path) -> None:
    made = package(component())
    first = write_package(tmp_path / "a.cab", made)
    second = write_standalone(tmp_path / "a.msu", made, first)
    import_updates(site, first)
    (other,) = import_updates(site, second)
    number = rows_of(site)[0].id
    assert other.state is ImportState.IMPORTED
    assert f"the same package as update {number}, in other bytes; all are kept" in other.notes
    assert len({row.identity for row in rows_of(site)}) == 1
    check_library(site)


def test_newer_and_older_ones_are_told(site: Site, tmp_path: Path) -> None:
    def imported(version: str) -> tuple[int, tuple[str, ...]]:
        (done,) = import_updates(site, small_update(tmp_path / f"{version}.cab", version))
        assert done.update is not None
        return done.update.id, done.notes

    first, notes = imported("10.0.19041.5")
    assert notes == ()
    second, notes = imported("10.0.19041.9")
    assert notes == (f"supersedes update {first}",)
    _third, notes = imported("10.0.19041.7")
    assert notes == (f"superseded by update {second}",)


def test_a_damaged_file_of_the_library_is_told_and_mended(site: Site, tmp_path: Path) -> None:
    cabinet = small_update(tmp_path / "a.cab")
    import_updates(site, cabinet)
    (row,) = rows_of(site)
    stored = file_of_update(site, row)
    content = stored.read_bytes()
    stored.chmod(0o600)
    stored.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert file_of_update(site, row) == stored
    with pytest.raises(CorruptPackage) as caught:
        verify_update(site, row)
    assert "wimdock update import" in caught.value.hint
    (mended,) = import_updates(site, cabinet)
    assert mended.state is ImportState.RESTORED
    check_library(site)
    stored.chmod(0o600)
    stored.write_bytes(content[:-1])
    with pytest.raises(CorruptPackage):
        file_of_update(site, row)
    stored.unlink()
    with pytest.raises(StorageError):
        file_of_update(site, row)
    assert import_updates(site, cabinet)[0].state is ImportState.RESTORED
    check_library(site)


def test_a_folder_with_good_and_bad_files(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    (folder / "deep" / "er").mkdir(parents=True)
    good = small_update(folder / "deep" / "er" / "GOOD.CAB")
    (folder / "cut.cab").write_bytes(good.read_bytes()[:-100])
    (folder / "text.msu").write_text("no cabinet")
    (folder / "image.msu").write_bytes(b"MSWIM\0\0\0" + bytes(300))
    (folder / "readme.txt").write_text("not looked at")
    write_cabinet(folder / "none.cab", {"readme.txt": b"no package"})
    write_cabinet(folder / "payload.cab", CASES["wrong payload hash"].files())
    (folder / "gone.cab").symlink_to(folder / "nowhere")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.cab")
    found = {each.path.name: each for each in import_updates(site, folder)}
    errors = {name: type(each.error) for name, each in found.items() if each.error}
    assert errors == {
        "cut.cab": MalformedPackage,
        "text.msu": MalformedPackage,
        "image.msu": UnsupportedPackage,
        "none.cab": MalformedPackage,
        "payload.cab": CorruptPackage,
        "gone.cab": StorageError,
        "pipe.cab": StorageError,
    }
    assert found["GOOD.CAB"].state is ImportState.IMPORTED
    assert len(found) == 8
    for name, each in found.items():
        assert each.error is None or name in each.error.message
    said = [text for number, text in messages_of(site) if number == 42032]
    assert len(said) == 7
    assert [text for text in said if text.count(".cab") > 1] == []
    check_library(site)


def test_a_folder_without_updates_is_a_mistake(site: Site, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        import_updates(site, tmp_path / "empty")
    (lost,) = import_updates(site, tmp_path / "nowhere.cab")
    assert isinstance(lost.error, StorageError)


def test_what_cannot_be_put_in_is_kept_with_its_reasons(site: Site, tmp_path: Path) -> None:
    cabinet = write_cabinet(tmp_path / "a.cab", CASES["wrong payload hash"].files())
    two = write_cabinet(
        tmp_path / "two.msu",
        {
            "first.cab": small_update(tmp_path / "1.cab").read_bytes(),
            "second.cab": small_update(
                tmp_path / "2.cab", name="Package_for_ServicingStack_1-Package"
            ).read_bytes(),
        },
    )
    assert import_updates(site, cabinet)[0].state is ImportState.FAILED
    (done,) = import_updates(site, two)
    assert done.state is ImportState.IMPORTED
    (row,) = rows_of(site)
    assert row.unsupported == ["two.msu holds several packages: first.cab, second.cab"]
    assert [each["identity"] for each in row.roots] == [
        "Lab-Update-Package~31bf3856ad364e35~amd64~~10.0.19041.1",
        "Package_for_ServicingStack_1-Package~31bf3856ad364e35~amd64~~10.0.19041.1",
    ]
    assert row.identity == row.roots[0]["identity"]
    assert not row.stack
    assert not row.catalogued
    # It is read anew each time: a later wimdock may know more.
    assert import_updates(site, two)[0].state is ImportState.KNOWN
    check_library(site)


@pytest.mark.parametrize(
    "name, stored",
    [
        ("$(rm -rf x).cab", "_(rm_-rf_x).cab"),
        ("-rf.cab", "_rf.cab"),
        (".hidden.cab", "_hidden.cab"),
        ("a\nb\x1b[31m.cab", "a_b_31m.cab"),
        ("\u202egepa.cab", "_gepa.cab"),
        ("x" * 240 + ".cab", "x" * 116 + ".cab"),
        ("Größe.cab", "Gr_e.cab"),
        (os.fsdecode(b"bytes\xff.cab"), "bytes_.cab"),
        (".cab", "_.cab"),
    ],
)
def test_hostile_names(name: str, stored: str, site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    shutil.copy(small_update(tmp_path / "plain.cab"), folder / name)
    (done,) = import_updates(site, folder)
    assert done.state is ImportState.IMPORTED
    assert [row.file_name for row in rows_of(site)] == [stored]
    check_library(site)


def test_numbers_that_no_real_package_has_are_refused(site: Site, tmp_path: Path) -> None:
    from dataclasses import replace

    made = package(component())
    long = replace(made, identity=replace(made.identity, architecture="amd64" * 9))
    (done,) = import_updates(site, write_package(tmp_path / "a.cab", long))
    assert isinstance(done.error, MalformedPackage)
    kind = replace(made, release_type="U" * 65)
    (done,) = import_updates(site, write_package(tmp_path / "b.cab", kind))
    assert isinstance(done.error, MalformedPackage)
    assert files_of(site) == {}
