"""Adding image packages: what is read, what is refused, and what an interruption leaves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from tests.conftest import REPOSITORY
from tests.lab.lab import Lab
from tests.lab.tool import run
from wimdock.errors import (
    AlreadyRecorded,
    DatabaseUnavailable,
    MalformedImage,
    NotAnImage,
    RegistryError,
    StorageError,
    UnsupportedImage,
    UsageError,
    WimdockError,
)
from wimdock.image.windows import WindowsImage
from wimdock.site.images.adding import _MOST_PACKAGES, add_package
from wimdock.site.images.records import file_of, package_of
from wimdock.site.images.removing import remove_package
from wimdock.site.messages import history_of, text_of
from wimdock.site.models import (
    Audit,
    Base,
    FileState,
    Image,
    ImagePackage,
    PackageType,
    SiteRow,
    StatusMessageRow,
)
from wimdock.site.site import Site
from wimdock.wim import Archive

Copy = Callable[[str], Path]


def rows(site: Site) -> dict[str, int]:
    """Count the rows of every table."""
    with site.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def next_number(site: Site) -> int:
    """Give the number of the next package ID."""
    with site.reading() as session:
        return session.get_one(SiteRow, 1).next_package


def test_what_is_known_of_a_package(site: Site, lab_image: Copy) -> None:
    file = lab_image("multi")
    package = add_package(site, file, description="for the tests")
    assert package.id == "CAS00001"
    assert (package.type, package.name) == (PackageType.OS_IMAGE, "multi")
    assert package.description == "for the tests"
    assert file_of(site, package) == file.resolve()
    assert bytes.fromhex(package.header) == file.read_bytes()[:208]
    assert package.length == file.stat().st_size
    assert (package.generation, package.content_version) == (None, 1)
    assert package.state is FileState.AS_RECORDED
    with site.reading() as session:
        images = session.scalars(select(Image).order_by(Image.index)).all()
        assert package_of(session, "cas00001").name == "multi"
    assert [image.index for image in images] == [1, 2, 3]
    with Archive.open(file) as archive:
        for image in images[:2]:
            windows = WindowsImage(archive, image.index)
            assert image.name == windows.description.name
            assert image.edition == windows.description.edition
            assert image.version == windows.version
            assert image.architecture == windows.architecture == "amd64"
            assert image.languages == list(windows.description.languages)
            assert image.size == windows.record.total_bytes
            assert image.packages == [
                {"id": each.id, "state": each.state_name} for each in windows.installed_packages()
            ]
            assert image.reparse
            assert image.unreadable == ""
    data = images[2]
    assert (data.packages, data.reparse, data.unreadable) == ([], [], "")


def test_the_preflight_judges_wimdock_itself(site: Site, lab_image: Copy) -> None:
    found = add_package(site, lab_image("lzx")).preflight
    assert [host["name"] for host in found["hosts"]] == ["wimdock"]
    assert found["ability"] == "can_commit"
    assert found["readiness"] == "ready"


def test_it_is_told(site: Site, lab_image: Copy) -> None:
    file = lab_image("lzx").resolve()
    add_package(site, file)
    (entry,) = history_of(site, "CAS00001")
    assert (entry.action, entry.result, entry.detail) == ("add", "succeeded", str(file))
    with site.reading() as session:
        audit = session.scalars(select(Audit)).one()
        message = session.scalars(select(StatusMessageRow)).one()
    assert (audit.action, audit.object, audit.detail) == (
        "image.add",
        "CAS00001",
        {"file": str(file)},
    )
    assert message.package_id == "CAS00001"
    assert text_of(message) == f"Image package CAS00001 was added: {file}."
    log = (site.logs / "OfflineServicingMgr.log").read_text(encoding="utf-8")
    assert "ID=42020" in log


def test_the_next_ids_are_hexadecimal_and_given_once(site: Site, lab: Lab, tmp_path: Path) -> None:
    with site.writing() as session:
        session.get_one(SiteRow, 1).next_package = 0x1F
    names = ["a", "b", "c"]
    for name in names:
        shutil.copyfile(lab.image("lzx"), tmp_path / f"{name}.wim")
    assert add_package(site, tmp_path / "a.wim").id == "CAS0001F"
    assert add_package(site, tmp_path / "b.wim").id == "CAS00020"
    remove_package(site, "CAS00020")
    assert add_package(site, tmp_path / "c.wim").id == "CAS00021"
    assert add_package(site, tmp_path / "b.wim").id == "CAS00022"


def test_all_ids_given(site: Site, lab_image: Copy) -> None:
    with site.writing() as session:
        session.get_one(SiteRow, 1).next_package = _MOST_PACKAGES - 1
    assert add_package(site, lab_image("lzx")).id == "CASFFFFF"
    with pytest.raises(WimdockError, match="all of its 1,048,575"):
        add_package(site, lab_image("xpress"))


def link(file: Path, name: str) -> Path:
    """Give another name of a file: a symbolic link, a hard link, or a way around."""
    path = file.with_name(name)
    if name == "symbolic.wim":
        path.symlink_to(file)
    elif name == "hard.wim":
        path.hardlink_to(file)
    else:
        folder = file.parent / "folder"
        folder.mkdir()
        path = folder / ".." / file.name
    return path


@pytest.mark.parametrize("name", ["symbolic.wim", "hard.wim", "around"])
def test_a_registered_file_is_known_by_any_name(site: Site, lab_image: Copy, name: str) -> None:
    file = lab_image("lzx")
    add_package(site, file)
    before = rows(site)
    with pytest.raises(AlreadyRecorded, match="CAS00001"):
        add_package(site, link(file, name))
    assert rows(site) == before
    assert next_number(site) == 2


def test_an_upgrade_package_is_a_folder(site: Site, lab_image: Copy, tmp_path: Path) -> None:
    sources = tmp_path / "Windows 11" / "Sources"
    sources.mkdir(parents=True)
    lab_image("lzx").rename(sources / "INSTALL.WIM")
    package = add_package(site, tmp_path / "Windows 11")
    assert (package.type, package.name) == (PackageType.OS_UPGRADE, "Windows 11")
    assert file_of(site, package) == (sources / "INSTALL.WIM").resolve()
    with pytest.raises(AlreadyRecorded):
        add_package(site, sources / "INSTALL.WIM")


def solid(image: Path, target: Path) -> None:
    """Export an image as install media hold it."""
    run("wimlib-imagex", "export", image, "1", target, "--solid")


def test_an_upgrade_package_with_an_esd_is_refused(
    site: Site, lab_image: Copy, tmp_path: Path
) -> None:
    (tmp_path / "media" / "sources").mkdir(parents=True)
    solid(lab_image("lzx"), tmp_path / "media" / "sources" / "install.esd")
    with pytest.raises(UnsupportedImage, match="solid") as caught:
        add_package(site, tmp_path / "media")
    assert "wimlib-imagex export" in caught.value.hint


def test_a_folder_without_an_image_is_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is a folder without"):
        add_package(site, tmp_path)


def pipable(image: Path, target: Path) -> None:
    """Export an image as one that can be piped."""
    run("wimlib-imagex", "export", image, "1", target, "--pipable")


def part(image: Path, target: Path) -> None:
    """Say in the header of a copy that it is a part of two."""
    data = bytearray(image.read_bytes())
    data[42:44] = (2).to_bytes(2, "little")
    target.write_bytes(data)


def read_only(image: Path, target: Path) -> None:
    """Mark a copy as read-only in its header."""
    data = bytearray(image.read_bytes())
    data[16] |= 4
    target.write_bytes(data)


def cut_off(image: Path, target: Path) -> None:
    """Copy half of an image."""
    data = image.read_bytes()
    target.write_bytes(data[: len(data) // 2])


def one_byte_short(image: Path, target: Path) -> None:
    """Copy all of an image but its last byte."""
    target.write_bytes(image.read_bytes()[:-1])


def foreign(_image: Path, target: Path) -> None:
    """Write something else."""
    target.write_bytes(b"no image at all" * 100)


@pytest.mark.parametrize(
    "spoil, error, words",
    [
        (solid, UnsupportedImage, "solid"),
        (pipable, UnsupportedImage, "pipable"),
        (part, UnsupportedImage, "part 1 of 2"),
        (read_only, UnsupportedImage, "read-only"),
        (cut_off, MalformedImage, "does not lie within"),
        (one_byte_short, MalformedImage, "resources reach"),
        (foreign, NotAnImage, "MSWIM"),
    ],
)
def test_what_cannot_be_serviced_is_refused(
    site: Site,
    lab_image: Copy,
    tmp_path: Path,
    spoil: Callable[[Path, Path], None],
    error: type[WimdockError],
    words: str,
) -> None:
    spoilt = tmp_path / "spoilt.wim"
    spoil(lab_image("lzx"), spoilt)
    before = rows(site)
    with pytest.raises(error, match=words) as caught:
        add_package(site, spoilt)
    assert caught.value.hint
    assert "spoilt.wim" in caught.value.message
    assert rows(site) == before


def test_a_file_without_windows_is_refused(site: Site, lab_image: Copy, tmp_path: Path) -> None:
    data = tmp_path / "data.wim"
    run("wimlib-imagex", "export", lab_image("multi"), "3", data)
    with pytest.raises(RegistryError, match="no Windows"):
        add_package(site, data)
    assert rows(site)["image_packages"] == 0


def test_a_file_that_is_not_there(site: Site, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nothing\.wim"):
        add_package(site, tmp_path / "nothing.wim")


def test_a_name_that_is_no_text(site: Site, lab_image: Copy, tmp_path: Path) -> None:
    named = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wim"))
    lab_image("lzx").rename(named)
    with pytest.raises(UsageError, match="not UTF-8"):
        add_package(site, named)


def test_names_that_no_database_keeps(
    site: Site, lab_image: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image may name its packages by what is no character."""
    from wimdock.image.packages import read_packages as real

    def strange(software: Any) -> Any:
        first, *others = real(software)
        return (first.__class__(**{**_fields(first), "id": "a\0b\ud800"}), *others)

    monkeypatch.setattr("wimdock.image.windows.read_packages", strange)
    add_package(site, lab_image("lzx"))
    with site.reading() as session:
        packages = session.scalars(select(Image.packages)).one()
    assert packages[0]["id"] == r"a\x00b\ud800"


def _fields(package: Any) -> dict[str, Any]:
    return {name: getattr(package, name) for name in package.__slots__}


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interruption_leaves_nothing(
    site: Site,
    lab_image: Copy,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    from wimdock.site.images import adding

    def interrupted(*_given: object, **_named: object) -> None:
        raise error

    before = rows(site)
    monkeypatch.setattr(adding, "report", interrupted)
    with pytest.raises(error):
        add_package(site, lab_image("lzx"))
    monkeypatch.undo()
    assert rows(site) == before
    assert next_number(site) == 1
    assert add_package(site, lab_image("lzx")).id == "CAS00001"


@pytest.mark.parametrize(
    "where", ["before:store_facts", "after:store_facts", "after:remember", "after:report"]
)
def test_a_process_that_is_killed_leaves_nothing(
    site: Site, database_url: str | None, lab_image: Copy, where: str
) -> None:
    file = lab_image("lzx")
    before = rows(site)
    words = (str(site.folder), database_url or "", str(file), where)
    ended = subprocess.run(
        (sys.executable, "-m", "tests.site.images.stopped_adder", *words),
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": "src"},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert rows(site) == before
    assert add_package(site, file).id == "CAS00001"


def test_the_log_comes_after_the_rows(
    site: Site, lab_image: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between the two, what is added is added, and only its line in the log is missing."""
    from wimdock.site.images import adding

    def stopped(_site: Site) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(adding, "SiteLog", stopped)
    with pytest.raises(KeyboardInterrupt):
        add_package(site, lab_image("lzx"))
    with site.reading() as session:
        assert package_of(session, "CAS00001").name == "lzx"


def test_a_full_disk_loses_nothing(
    make_site: Callable[..., Site], lab: Lab, tmp_path: Path
) -> None:
    site = make_site(None)
    for name in ("a", "b"):
        shutil.copyfile(lab.image("lzx"), tmp_path / f"{name}.wim")
    add_package(site, tmp_path / "a.wim")
    before = rows(site)

    def limit(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count={pages}")
        cursor.close()

    event.listen(site.database.engine, "connect", limit)
    site.database.close()
    with pytest.raises(DatabaseUnavailable, match="full"):
        add_package(site, tmp_path / "b.wim")
    assert rows(site) == before
    event.remove(site.database.engine, "connect", limit)
    site.database.close()
    assert add_package(site, tmp_path / "b.wim").id == "CAS00002"


def test_two_at_once_get_an_id_each(site: Site, lab: Lab, tmp_path: Path) -> None:
    """Both have read their files before either stores what it read."""
    from threading import Barrier, Thread

    for name in ("a", "b", "c"):
        shutil.copyfile(lab.image("lzx"), tmp_path / f"{name}.wim")
    (tmp_path / "other.wim").hardlink_to(tmp_path / "c.wim")
    ready = Barrier(4)
    given: list[str] = []

    def add(name: str) -> None:
        ready.wait()
        try:
            given.append(add_package(site, tmp_path / name).id)
        except AlreadyRecorded as error:
            given.append(type(error).__name__)

    names = ("a.wim", "b.wim", "c.wim", "other.wim")
    threads = [Thread(target=add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == ["AlreadyRecorded", "CAS00001", "CAS00002", "CAS00003"]
    with site.reading() as session:
        assert session.scalar(select(func.count()).select_from(ImagePackage)) == 3
