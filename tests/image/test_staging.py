"""Staged edits: seen by planning as if made, written as staged, all of them or none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.image.sample import MADE, make_image, put_hive
from wimdock.cbs.security import descriptor
from wimdock.clock import FixedClock, from_filetime
from wimdock.errors import CorruptImage, DirtyHive, RegistryError, StorageError, UsageError
from wimdock.events import Event, Kind, Reporter
from wimdock.image.change_set import (
    ATTRIBUTE_ARCHIVE,
    ChangeSet,
    CreateKey,
    Delete,
    DeleteKey,
    DeleteValue,
    FileEdit,
    HiveName,
    PutDirectory,
    PutFile,
    PutLinks,
    PutReparsePoint,
    PutStream,
    SetValue,
)
from wimdock.image.packages import PACKAGES_KEY
from wimdock.image.staging import StagedImage
from wimdock.image.windows import WindowsImage
from wimdock.image.writing import Written, content_size, reparse_points_of
from wimdock.paths import ImagePath
from wimdock.registry import Hive, ValueType, encode_dword, encode_string
from wimdock.wim import Archive, Entry
from wimdock.wim.transaction import Transaction

LATER = FixedClock(datetime(2025, 1, 1, tzinfo=UTC))
SOFTWARE, SYSTEM = HiveName.SOFTWARE, HiveName.SYSTEM
PACKAGE = "Sample-Package~0123456789abcdef~amd64~~10.0.1.2"
OLD = ImagePath(r"\Windows\old.dll")
LINK = ImagePath(r"\Windows\WinSxS\old.dll")
POINT = ImagePath(r"\Users\link")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Give an image with a file of two names, a reparse point and a SOFTWARE hive."""
    hive = Hive.empty("SOFTWARE")
    hive.create_key(r"Sample\Below").set_value("here", ValueType.REG_SZ, encode_string("yes"))
    hive.create_key("Microsoft")
    return make_image(
        tmp_path / "sample.wim",
        PutFile(OLD, b"old" * 1000, (LINK,)),
        PutReparsePoint(POINT, 0xA000000C, b"somewhere"),
        PutDirectory(ImagePath(r"\Users\folder\deep")),
        PutFile(ImagePath(r"\Users\folder\deep\file.txt"), b"deep"),
        put_hive(SOFTWARE, hive),
    )


def staged_in(archive: Archive) -> StagedImage:
    """Give the first image of an archive, ready for edits."""
    return StagedImage(WindowsImage(archive, 1), LATER)


def write(path: Path, *change_sets: ChangeSet) -> Written:
    """Stage change sets, write and commit them with the check; give what was to be there."""
    with Transaction.begin(path, clock=LATER) as transaction:
        staged = staged_in(transaction.archive)
        for change_set in change_sets:
            staged.stage(change_set)
        assert staged.changed
        written = staged.write(transaction)
        transaction.commit("test", written.check)
    return written


def write_files(path: Path, *edits: FileEdit) -> Written:
    """Write edits of files."""
    return write(path, ChangeSet(files=edits))


def entry_of(path: Path, place: ImagePath) -> Entry | None:
    """Give an entry of the first image."""
    with Archive.open(path) as archive:
        return archive.image(1).lookup(place)


def content_of(path: Path, place: ImagePath) -> bytes | None:
    """Give the content of a file of the first image."""
    with Archive.open(path) as archive:
        return WindowsImage(archive, 1).read(place)


def package_edits(state: int = 0x70) -> tuple[SetValue, ...]:
    """Give the edits that register a package."""
    key = f"{PACKAGES_KEY}\\{PACKAGE}"
    return (SetValue(SOFTWARE, key, "CurrentState", ValueType.REG_DWORD, encode_dword(state)),)


def test_it_answers_as_the_image_does_before_any_edit(image: Path) -> None:
    with Archive.open(image) as archive:
        staged = staged_in(archive)
        windows = staged.windows
        assert (staged.index, staged.changed) == (1, False)
        assert staged.version == windows.version
        assert staged.architecture == windows.architecture
        assert staged.control_set == windows.control_set
        assert staged.installed_packages() == ()
        assert staged.lookup(OLD) == windows.lookup(OLD)
        assert staged.lookup(ImagePath(r"\none")) is None
        assert staged.hive(SYSTEM) is None
        assert staged.prepare().edits == ()
        assert not Path(f"{image}.generations.new").exists()


def test_planning_sees_staged_files(image: Path) -> None:
    new = ImagePath(r"\New Folder\Below\new.dll")
    twin = ImagePath(r"\Twins\twin.dll")
    with Archive.open(image) as archive:
        staged = staged_in(archive)
        staged.stage(ChangeSet((PutFile(new, b"new", (twin,)), PutDirectory(ImagePath(r"\Made")))))
        for path in (new, new.parent, new.parent.parent, twin, twin.parent, ImagePath(r"\made")):
            assert staged.lookup(path) is not None, path
        assert staged.lookup(ImagePath(r"\New Folder\other")) is None


def test_planning_does_not_see_what_was_taken_away(image: Path) -> None:
    deep = ImagePath(r"\Users\folder\deep\file.txt")
    other = ImagePath(r"\Users\folder\deep\other.txt")
    with Archive.open(image) as archive:
        staged = staged_in(archive)
        assert staged.lookup(deep) is not None
        staged.stage(ChangeSet((Delete(ImagePath(r"\USERS\folder")),)))
        assert staged.lookup(deep) is None
        assert staged.lookup(deep.parent) is None
        assert staged.lookup(POINT) is not None
        staged.stage(ChangeSet((PutFile(other, b"x"),)))
        assert staged.lookup(other) is not None
        assert staged.lookup(deep.parent) is not None
        assert staged.lookup(deep) is None


def test_planning_sees_staged_packages(image: Path) -> None:
    with Archive.open(image) as archive:
        staged = staged_in(archive)
        staged.stage(ChangeSet(registry=package_edits()))
        (package,) = staged.installed_packages()
        assert (package.id, package.is_installed) == (PACKAGE, True)
        staged.stage(ChangeSet(registry=package_edits(0x50)))
        assert not staged.installed_packages()[0].is_installed
        assert staged.windows.installed_packages() == ()


def test_every_registry_edit_is_made(image: Path) -> None:
    security = descriptor("O:BAG:BAD:P(A;CI;GA;;;SY)")
    write(
        image,
        ChangeSet(
            registry=(
                CreateKey(SOFTWARE, r"New\Secured", security),
                SetValue(SOFTWARE, r"New\Filled", "", ValueType.REG_SZ, encode_string("default")),
                SetValue(SOFTWARE, r"Sample\Below", "more", ValueType.REG_BINARY, b"\1\2"),
                DeleteValue(SOFTWARE, r"Sample\Below", "here"),
                DeleteValue(SOFTWARE, r"Sample\Below", "none"),
                DeleteValue(SOFTWARE, r"Nowhere", "none"),
                DeleteKey(SOFTWARE, "Microsoft"),
                DeleteKey(SOFTWARE, "Nowhere"),
            )
        ),
    )
    with Archive.open(image) as archive:
        hive = WindowsImage(archive, 1).hive(SOFTWARE)
    assert hive is not None
    secured, below = hive.open_key(r"New\Secured"), hive.open_key(r"Sample\Below")
    assert secured is not None
    assert secured.security == security
    assert secured.last_written == LATER.now()
    assert below is not None
    assert [(v.name, v.data) for v in below.values()] == [("more", b"\1\2")]
    assert hive.open_key("Microsoft") is None
    assert hive.open_key("Nowhere") is None


def test_a_hive_keeps_what_else_the_image_says_of_its_file(image: Path) -> None:
    hive = content_of(image, SOFTWARE.path)
    assert hive is not None
    security = descriptor("O:BAG:BAD:P(A;CI;GA;;;SY)")
    write_files(image, PutFile(SOFTWARE.path, hive, attributes=0x26, security=security))
    before = entry_of(image, SOFTWARE.path)
    assert before is not None
    write(image, ChangeSet(registry=package_edits()))
    after = entry_of(image, SOFTWARE.path)
    assert after is not None
    assert (after.attributes, after.name) == (0x26, before.name)
    assert after.security_id == before.security_id
    assert after.created == before.created
    assert after.data_sha1 != before.data_sha1


def test_hives_can_wait_in_a_folder(image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hives" / "1"
    change_set = ChangeSet(
        (PutFile(ImagePath(r"\new"), b"new", (ImagePath(r"\twin"),)),), package_edits()
    )
    with Transaction.begin(image, clock=LATER) as transaction:
        one, other = (staged_in(transaction.archive) for _ in range(2))
        one.stage(change_set)
        other.stage(change_set)
        kept, prepared = one.prepare(), other.prepare(folder)
        assert (prepared.size, prepared.names) == (kept.size, kept.names)
        assert prepared.names == 3
        assert (folder / "SOFTWARE").stat().st_size == kept.size - 3
        written = prepared.write(transaction)
        transaction.commit("test", written.check)
    assert content_of(image, SOFTWARE.path) == (folder / "SOFTWARE").read_bytes()


def test_a_folder_that_takes_no_hive_is_told(image: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with Archive.open(image) as archive:
        staged = staged_in(archive)
        staged.stage(ChangeSet(registry=package_edits()))
        with pytest.raises(StorageError):
            staged.prepare(tmp_path / "file" / "folder")
        prepared = staged.prepare(tmp_path / "folder")
    (tmp_path / "folder" / "SOFTWARE").unlink()
    with pytest.raises(StorageError):
        _ = prepared.size


def test_a_missing_hive_is_refused(image: Path) -> None:
    with Archive.open(image) as archive:
        staged = staged_in(archive)
        with pytest.raises(RegistryError, match=r"has no .*SYSTEM"):
            staged.stage(ChangeSet(registry=(CreateKey(SYSTEM, "Key"),)))
        assert not staged.changed


def test_a_dirty_hive_is_refused(image: Path) -> None:
    hive = bytearray(content_of(image, SOFTWARE.path) or b"")
    hive[4] ^= 1
    words = (int.from_bytes(hive[at : at + 4], "little") for at in range(0, 508, 4))
    total = 0
    for word in words:
        total ^= word
    hive[508:512] = total.to_bytes(4, "little")
    write_files(image, PutFile(SOFTWARE.path, bytes(hive)))
    with Archive.open(image) as archive:
        staged = staged_in(archive)
        with pytest.raises(DirtyHive):
            staged.stage(ChangeSet(registry=package_edits()))
        with pytest.raises(DirtyHive):
            staged.installed_packages()


def test_a_change_set_that_fails_half_way_leaves_nothing(image: Path) -> None:
    good = ChangeSet((PutFile(ImagePath(r"\good"), b"good"),), package_edits())
    bad = ChangeSet(
        (PutFile(ImagePath(r"\bad"), b"bad"),),
        (
            SetValue(SOFTWARE, "Bad", "v", ValueType.REG_SZ, encode_string("bad")),
            DeleteKey(SOFTWARE, PACKAGES_KEY),
            CreateKey(SYSTEM, "Key"),
        ),
    )
    with Archive.open(image) as archive:
        one, other = staged_in(archive), staged_in(archive)
        with pytest.raises(RegistryError):
            one.stage(bad)
        assert not one.changed
        one.stage(good)
        with pytest.raises(RegistryError):
            one.stage(bad)
        other.stage(good)
        assert [p.id for p in one.installed_packages()] == [PACKAGE]
        assert one.lookup(ImagePath(r"\bad")) is None
        assert one.prepare().edits == other.prepare().edits


def test_a_file_replaces_one_name_only(image: Path) -> None:
    write_files(image, PutFile(ImagePath(r"\WINDOWS\OLD.DLL"), b"new"))
    assert content_of(image, OLD) == b"new"
    assert content_of(image, LINK) == b"old" * 1000
    entry = entry_of(image, OLD)
    assert entry is not None
    assert entry.name == "old.dll"
    assert from_filetime(entry.created) == MADE
    assert from_filetime(entry.written) == LATER.now()


def test_the_time_of_a_file_can_be_told(image: Path) -> None:
    moment = datetime(2019, 3, 4, 5, 6, 7, tzinfo=UTC)
    place = ImagePath(r"\dated")
    write_files(image, PutFile(place, b"x", modified=moment))
    entry = entry_of(image, place)
    assert entry is not None
    assert from_filetime(entry.written) == moment
    assert from_filetime(entry.created) == LATER.now()
    assert entry.attributes == ATTRIBUTE_ARCHIVE


def test_files_links_streams_and_points(image: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"from a file" * 100_000)
    file, twin, third = (ImagePath(rf"\new\{name}") for name in ("file", "twin", "third"))
    alias = ImagePath(r"\new\alias")
    edits = (
        PutFile(file, source, (twin,)),
        PutLinks(file, (third,)),
        PutStream(twin, "zone", b"stream"),
        PutReparsePoint(alias, 0x8000001B, b"alias"),
        PutFile(ImagePath(r"\new\empty"), b""),
    )
    assert content_size(edits) == source.stat().st_size + 6 + 5
    written = write_files(image, *edits)
    found = [entry_of(image, path) for path in (file, twin, third)]
    assert len({entry.hard_link_group for entry in found if entry is not None}) == 1
    assert {entry.data_sha1 for entry in found if entry is not None} == {written.files[file]}
    assert all([s.name for s in entry.named_streams] == ["zone"] for entry in found if entry)
    assert written.files[third] == written.files[file]
    assert written.files[ImagePath(r"\new\empty")] is None
    assert set(written.reparse_points) == {POINT, alias}


def test_points_and_files_take_each_others_place(image: Path) -> None:
    written = write_files(
        image,
        PutFile(POINT, b"a file now"),
        PutReparsePoint(OLD, 0xA000000C, b"elsewhere"),
    )
    assert set(written.files) == {POINT}
    assert set(written.reparse_points) == {OLD}
    with Archive.open(image) as archive:
        assert set(reparse_points_of(archive.image(1))) == {OLD}


def test_what_was_put_and_taken_away_is_not_expected(image: Path) -> None:
    folder = ImagePath(r"\folder")
    written = write_files(
        image,
        PutFile(folder / "file", b"x"),
        PutReparsePoint(folder / "point", 0xA000000C, b"x"),
        Delete(folder),
        Delete(ImagePath(r"\Users")),
    )
    assert written.files == {}
    assert written.reparse_points == {}


def test_the_check_finds_a_file_that_is_another(image: Path) -> None:
    written = write_files(image, PutFile(ImagePath(r"\a"), b"x"))
    with Archive.open(image) as archive:
        written.check(archive)
        written.files[ImagePath(r"\a")] = bytes(20)
        with pytest.raises(CorruptImage, match=r"\\a is not what was to be written"):
            written.check(archive)
        written.files = {ImagePath(r"\b"): None}
        with pytest.raises(CorruptImage, match=r"\\b is not"):
            written.check(archive)


@pytest.mark.parametrize(
    "points",
    [{}, {POINT: (0xA0000003, None)}, {POINT: (0xA000000C, bytes(20))}],
)
def test_the_check_finds_a_reparse_point_that_changed(
    image: Path, points: dict[ImagePath, tuple[int, bytes | None]]
) -> None:
    with Archive.open(image) as archive, pytest.raises(CorruptImage, match="reparse point"):
        Written(1, reparse_points=points).check(archive)


def test_an_edit_that_cannot_be_made_changes_nothing(image: Path) -> None:
    before = image.read_bytes()
    for edit in (
        PutFile(ImagePath(r"\Users\link\below"), b"x"),
        PutFile(ImagePath(r"\Users"), b"x"),
        PutDirectory(OLD),
    ):
        with pytest.raises(UsageError):
            write_files(image, edit)
        assert image.read_bytes() == before


def test_a_long_write_says_how_far_it_is(image: Path) -> None:
    files = [PutFile(ImagePath(rf"\new\{number}"), b"new") for number in range(100)]
    events: list[Event] = []
    with Transaction.begin(image, clock=LATER) as transaction:
        staged = StagedImage(WindowsImage(transaction.archive, 1), LATER)
        staged.stage(ChangeSet(tuple(files)))
        staged.prepare().write(transaction, Reporter(events.append))
        transaction.commit("test")
    told = [event.done for event in events if event.kind is Kind.PROGRESS]
    assert told == [0, 32, 64, 96]
    assert {(event.total, event.unit) for event in events} == {(100, "files")}
