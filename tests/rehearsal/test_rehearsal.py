"""A run that is played: what it leaves, what it writes, and what keeps it from being played."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.cases import CASES
from tests.lab.package import write_cabinet
from tests.rehearsal.conftest import NEW, OLD, LabImage, Rehearse, history, staging
from wimdock.doctor.logs import read_logs
from wimdock.errors import (
    LeftoversInTheWay,
)
from wimdock.rehearsal.report import Ending, UpdateEnding
from wimdock.servicing.mounts import unmount
from wimdock.wim import Archive


def test_a_run_that_succeeds_leaves_nothing_but_its_result(
    lab_image: LabImage, play: Rehearse, drive: Path
) -> None:
    image = lab_image("xpress")
    report = play(image, NEW)
    assert report.ending is Ending.COMMITTED
    assert not staging(drive).exists()
    assert report.result == drive / "PackageSource" / "CAS00123" / image.name
    assert report.result.exists()
    assert [line["succeeded"] for line in history(drive)] == [True]
    play(image, NEW)
    assert report.result.with_name(f"{image.name}.backup").exists()


def test_every_image_of_the_file_is_done_and_the_first_failure_ends_it(
    lab_image: LabImage, play: Rehearse
) -> None:
    image = lab_image("multi")
    assert [index for index, _ in play(image, NEW).verdicts] == [1, 2, 3]
    failed = play(image, OLD)
    assert failed.ending is Ending.FAILED
    assert [index for index, _ in failed.verdicts] == [1]
    assert failed.mount_directory is not None
    unmount(failed.mount_directory, commit=False)
    assert play(image, OLD, indexes=(3,)).ending is Ending.COMMITTED  # no Windows, no such points


def test_both_logs_read_back_without_loss(lab_image: LabImage, play: Rehearse) -> None:
    report = play(lab_image("xpress"), OLD)
    offline, dism = report.logs
    lines = offline.read_text(encoding="utf-8-sig").splitlines()
    records = list(read_logs([offline]))
    assert len(records) == len(lines)
    for record, line in zip(records, lines, strict=True):
        # A message that ends in `~`, as codes do, ends in a line end; the form's own sign is read.
        assert record.message.rstrip("\n~") == line.split("  $$<")[0].rstrip("~")
        assert record.component == "SMS_OFFLINE_SERVICING_MANAGER"
        assert record.time is not None
        assert record.thread
    assert [r.status_message for r in records if r.status_message] == list(report.status_messages)
    written = dism.read_text(encoding="utf-8-sig").splitlines()
    assert [r.text for r in read_logs([dism])] == written


def test_leftovers_stop_a_run_before_anything_is_copied(
    lab_image: LabImage, play: Rehearse, drive: Path
) -> None:
    image = lab_image("xpress")
    play(image, OLD)
    second = play(image, NEW, package_id="CAS00124")
    assert isinstance(second.error, LeftoversInTheWay)
    assert not (staging(drive) / "CAS00124").exists()
    assert [line["succeeded"] for line in history(drive, "CAS00124")] == [False]


def test_updates_are_installed_skipped_and_refused_as_the_log_says(
    lab_image: LabImage, play: Rehearse, drive: Path, tmp_path: Path
) -> None:
    update = write_cabinet(tmp_path / "update.cab", CASES["plain"].files())
    program = tmp_path / "setup.exe"
    program.write_bytes(b"MZ")
    report = play(lab_image("xpress"), NEW, update, program, allow_unsigned=True)
    assert report.ending is Ending.COMMITTED
    assert [played.ending for played in report.updates] == [
        UpdateEnding.INSTALLED,
        UpdateEnding.NOT_SUPPORTED,
    ]
    log = report.logs[0].read_text(encoding="utf-8-sig")
    assert "Not applying this update binary, it is not supported." in log
    assert not staging(drive).exists()


@pytest.mark.parametrize("provider", [OLD, NEW, "wimdock"])
def test_the_result_holds_every_reparse_point(
    lab_image: LabImage, play: Rehearse, provider: str
) -> None:
    image = lab_image("xpress")
    with Archive.open(image) as archive:
        before = {
            (str(path), entry.reparse_tag, entry.reparse_sha1)
            for path, entry in archive.image(1).reparse_points()
        }
    report = play(image, provider)
    if report.result is None:
        assert provider == OLD
        return
    with Archive.open(report.result) as archive:
        after = {
            (str(path), entry.reparse_tag, entry.reparse_sha1)
            for path, entry in archive.image(1).reparse_points()
        }
    assert after == before
