"""One run: several updates, several images, images that are no Windows, and what goes on."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.lab.cases import component, package
from tests.lab.identity import LabIdentity
from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.lab.manifest import LabComponent
from tests.lab.package import write_package
from tests.servicing.surroundings import (
    CLOCK,
    OTHER_PACKAGE,
    PACKAGE,
    QuickDisk,
    cabinet_of,
    changed_file,
    edit_image,
    everything_in,
    other_cabinet,
    packages_in,
    put_in,
)
from wimdock.clock import FixedClock
from wimdock.errors import (
    DirtyHive,
    MalformedHive,
    MalformedPackage,
    NoSuchImage,
    NotApplicable,
    RegistryError,
    StorageError,
    UnsignedPackage,
    UnsupportedPackage,
    UsageError,
    WimdockError,
)
from wimdock.events import Event, Kind, Reporter, Severity
from wimdock.image import staging
from wimdock.image.change_set import ChangeSet, Delete, HiveName, PutFile
from wimdock.image.staging import StagedImage
from wimdock.image.windows import WindowsImage
from wimdock.paths import ImagePath
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.service import ServiceOptions, surroundings
from wimdock.wim import Archive
from wimdock.wim.rollback import list_generations, rollback

PROGRAM = ImagePath(r"\Windows\System32\program.exe")


def newer_cabinet(folder: Path, version: str = "10.0.19041.7") -> Path:
    """Write a newer version of the package of the case "plain"."""
    made = package(component(version=version), version=version)
    return write_package(folder / "newer.cab", made)


def content_of(image: Path, path: ImagePath, index: int = 1) -> bytes | None:
    """Give the content of a file in an image."""
    with Archive.open(image) as archive:
        return WindowsImage(archive, index).read(path)


def test_the_second_update_sees_what_the_first_leaves(lab: Lab, tmp_path: Path) -> None:
    """The second one asks for the package that the first one brings."""
    image = lab.copy("xpress", tmp_path)
    first = cabinet_of("plain", tmp_path)
    second = other_cabinet(tmp_path, LabIdentity("Lab-Update-Package"))
    with pytest.raises(NotApplicable, match=r"other\.cab is not for image 1"):
        put_in(image, [second])
    with pytest.raises(NotApplicable):
        put_in(image, [second, first])
    report = put_in(image, [first, second])
    assert [result.outcome for result in report.results] == [Outcome.INSTALLED] * 2
    assert {PACKAGE, OTHER_PACKAGE} <= packages_in(image).keys()
    assert report.commit is not None
    assert report.commit.generation.number == 2
    assert report.commit.generation.note == f"service: {PACKAGE}, {OTHER_PACKAGE}"
    verify(image)


def test_a_newer_update_in_the_same_run_supersedes(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("lzx", tmp_path)
    older, newer = cabinet_of("plain", tmp_path), newer_cabinet(tmp_path)
    report = put_in(image, [newer, older])
    assert [result.outcome for result in report.results] == [
        Outcome.INSTALLED,
        Outcome.SUPERSEDED,
    ]
    assert report.results[1].plan is None
    one_run = content_of(image, PROGRAM)
    rollback(image)
    report = put_in(image, [older, newer])
    assert [result.outcome for result in report.results] == [Outcome.INSTALLED] * 2
    assert content_of(image, PROGRAM) == one_run
    verify(image)
    again = put_in(image, [older])
    assert again.results[0].outcome is Outcome.SUPERSEDED
    assert again.commit is None


def test_an_update_that_is_named_twice_counts_once(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    report = put_in(image, [cabinet, cabinet])
    assert [result.outcome for result in report.results] == [Outcome.INSTALLED]


def test_no_update_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        put_in(tmp_path / "none.wim", [])


def test_one_failing_update_stops_all(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    good, bad = cabinet_of("plain", tmp_path), cabinet_of("unknown element", tmp_path)
    before = everything_in(tmp_path)
    for updates in ([good, bad], [bad, good]):
        with pytest.raises(UnsupportedPackage):
            put_in(image, updates)
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize(
    "name, error",
    [
        ("unknown element", UnsupportedPackage),
        ("unknown folder", UnsupportedPackage),
        ("unsigned", UnsignedPackage),
        ("no update.mum", MalformedPackage),
        ("missing parent", NotApplicable),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_a_failing_update_is_left_out_where_asked(
    name: str, error: type[WimdockError], *, first: bool, lab: Lab, tmp_path: Path
) -> None:
    image = lab.copy("xpress", tmp_path)
    good, bad = other_cabinet(tmp_path), cabinet_of(name, tmp_path)
    updates = [bad, good] if first else [good, bad]
    events: list[Event] = []
    world = surroundings(Reporter(events.append), CLOCK, QuickDisk())
    report = put_in(image, updates, ServiceOptions(continue_on_error=True), world)
    assert [result.update for result in report.results] == updates
    outcomes = {result.update: result.outcome for result in report.results}
    assert outcomes[good] is Outcome.INSTALLED
    assert outcomes[bad] in {Outcome.FAILED, Outcome.NOT_APPLICABLE}
    assert type(report.failure) is error
    if outcomes[bad] is Outcome.FAILED:
        assert [e.severity for e in events if e.kind is Kind.MESSAGE] == [Severity.ERROR]
    installed = packages_in(image)
    assert OTHER_PACKAGE in installed
    assert PACKAGE not in installed
    verify(image)


def test_where_all_fail_nothing_is_written(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    updates = [cabinet_of(name, tmp_path) for name in ("unknown element", "missing parent")]
    before = everything_in(tmp_path)
    report = put_in(image, updates, ServiceOptions(continue_on_error=True))
    assert report.commit is None
    assert isinstance(report.failure, UnsupportedPackage)
    assert everything_in(tmp_path) == before


def test_an_update_that_fails_while_it_is_staged_leaves_nothing_behind(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of its registry edits were made when the hive refused one."""
    image = lab.copy("xpress", tmp_path)
    first, bad = other_cabinet(tmp_path), cabinet_of("plain", tmp_path)
    put_in(Path(lab.copy("lzx", tmp_path)), [first])
    expected = HiveName.SOFTWARE.path
    with Archive.open(tmp_path / "lzx.wim") as archive:
        wanted = WindowsImage(archive, 1).read(expected)
    edited = staging._edit_registry
    seen = 0

    def fail_half_way(hive: object, edit: object) -> None:
        nonlocal seen
        mine = "lab-update" in str(edit).lower()
        seen += mine
        if mine and seen == 5:
            message = "no more room"
            raise RegistryError(message)
        edited(hive, edit)  # type: ignore[arg-type]

    monkeypatch.setattr(staging, "_edit_registry", fail_half_way)
    report = put_in(image, [first, bad], ServiceOptions(continue_on_error=True))
    assert [result.outcome for result in report.results] == [Outcome.INSTALLED, Outcome.FAILED]
    assert content_of(image, expected) == wanted
    verify(image)


def test_all_images_are_serviced_in_one_transaction(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("multi-check", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    put_in(image, [cabinet], ServiceOptions(indexes=(2,)))
    report = put_in(image, [cabinet], ServiceOptions())
    assert [(result.index, result.outcome) for result in report.results] == [
        (1, Outcome.INSTALLED),
        (2, Outcome.ALREADY_INSTALLED),
    ]
    assert PACKAGE in packages_in(image, 1)
    assert PACKAGE in packages_in(image, 2)
    verify(image)
    rollback(image)
    assert PACKAGE not in packages_in(image, 1)
    assert PACKAGE in packages_in(image, 2)


@pytest.mark.parametrize("index", [0, 2, 99, 1 << 40])
def test_an_image_that_does_not_exist(index: int, lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    before = everything_in(tmp_path)
    with pytest.raises(NoSuchImage):
        put_in(image, [tmp_path / "unread.cab"], ServiceOptions(indexes=(index,)))
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("name", [HiveName.SOFTWARE, HiveName.COMPONENTS])
def test_an_image_without_a_hive_is_refused_first(name: HiveName, lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    edit_image(image, Delete(name.path))
    before = everything_in(tmp_path)
    with pytest.raises(RegistryError, match=f"is no Windows.*{name.value}") as caught:
        put_in(image, [tmp_path / "unread.cab"])
    assert "--index" in caught.value.hint
    assert everything_in(tmp_path) == before


def test_an_image_without_services_is_refused(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    edit_image(image, Delete(HiveName.SYSTEM.path))
    before = everything_in(tmp_path)
    with pytest.raises(WimdockError) as caught:
        put_in(image, [cabinet])
    assert "SYSTEM" in str(caught.value) + str(getattr(caught.value, "reasons", ""))
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("name", [HiveName.SOFTWARE, HiveName.COMPONENTS, HiveName.SYSTEM])
@pytest.mark.parametrize(
    "offset, written", [(508, b"\1\2\3\4"), (0, b"MZ\0\0"), (4096, bytes(4096))]
)
def test_an_image_with_a_damaged_hive_is_refused(
    name: HiveName, offset: int, written: bytes, lab: Lab, tmp_path: Path
) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    edit_image(image, changed_file(image, name.path, offset, written))
    before = everything_in(tmp_path)
    with pytest.raises(MalformedHive):
        put_in(image, [cabinet])
    assert everything_in(tmp_path) == before


def dirty(hive: bytes) -> bytes:
    """Give a hive that was not closed cleanly: one sequence number ahead, the checksum right."""
    data = bytearray(hive)
    data[4] ^= 1
    total = 0
    for at in range(0, 508, 4):
        total ^= int.from_bytes(data[at : at + 4], "little")
    data[508:512] = total.to_bytes(4, "little")
    return bytes(data)


@pytest.mark.parametrize("name", [HiveName.SOFTWARE, HiveName.COMPONENTS, HiveName.SYSTEM])
def test_an_image_with_a_dirty_hive_is_refused(name: HiveName, lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("multi-check", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    hive = content_of(image, name.path)
    assert hive is not None
    edit_image(image, PutFile(name.path, dirty(hive)), index=2)
    before = everything_in(tmp_path)
    with pytest.raises(DirtyHive, match="not closed cleanly"):
        put_in(image, [cabinet], ServiceOptions())
    assert everything_in(tmp_path) == before
    report = put_in(image, [cabinet], ServiceOptions(continue_on_error=True))
    assert [(r.index, r.outcome) for r in report.results] == [
        (1, Outcome.INSTALLED),
        (2, Outcome.FAILED),
    ]
    assert isinstance(report.failure, DirtyHive)
    assert content_of(image, name.path, 2) == dirty(hive)
    verify(image)


def test_a_clock_that_goes_back_does_no_harm(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinets = [cabinet_of("plain", tmp_path), other_cabinet(tmp_path)]
    for year, cabinet in zip((2030, 1980), cabinets, strict=True):
        clock = FixedClock(datetime(year, 1, 1, tzinfo=UTC))
        put_in(image, [cabinet], world=surroundings(clock=clock, disk=QuickDisk()))
    verify(image)
    generations, current = list_generations(image)
    assert [(g.number, g.time.year) for g in generations[1:]] == [(2, 2030), (3, 1980)]
    assert current is generations[-1]
    assert {PACKAGE, OTHER_PACKAGE} <= packages_in(image).keys()
    rollback(image)
    assert OTHER_PACKAGE not in packages_in(image)


def test_a_write_that_does_not_read_back_is_no_commit(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last look, before the header is written, finds that a package would be missing."""
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    before = everything_in(tmp_path)
    stage = StagedImage.stage

    def forget_the_package(self: StagedImage, change_set: ChangeSet) -> None:
        kept = tuple(e for e in change_set.registry if PACKAGE not in e.key)
        stage(self, ChangeSet(change_set.files, kept))

    monkeypatch.setattr(StagedImage, "stage", forget_the_package)
    with pytest.raises(WimdockError, match="would not list"):
        put_in(image, [cabinet])
    after = everything_in(tmp_path)
    assert {name: facts[0] for name, facts in after.items()} == {
        name: facts[0] for name, facts in before.items()
    }


@pytest.mark.parametrize("what", ["nothing", "a folder", "a pipe", "a program"])
def test_what_is_no_update(what: str, lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    update = tmp_path / "update.cab"
    errors: dict[str, type[WimdockError]] = {
        "nothing": StorageError,
        "a folder": StorageError,
        "a pipe": StorageError,
        "a program": UnsupportedPackage,
    }
    if what == "a folder":
        update.mkdir()
    if what == "a pipe":
        os.mkfifo(update)
    if what == "a program":
        update.write_bytes(b"MZ" + bytes(1000))
    before = everything_in(tmp_path)
    with pytest.raises(errors[what]):
        put_in(image, [update])
    assert everything_in(tmp_path) == before


def test_a_component_alone_needs_no_more_than_its_hive(lab: Lab, tmp_path: Path) -> None:
    """An update whose component has neither files nor keys is registered all the same."""
    image = lab.copy("xpress", tmp_path)
    bare = LabComponent(LabIdentity("Lab-Bare"))
    cabinet = write_package(tmp_path / "bare.cab", package(bare, name="Lab-Bare-Package"))
    report = put_in(image, [cabinet])
    assert report.results[0].outcome is Outcome.INSTALLED
    verify(image)
