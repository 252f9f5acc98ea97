"""Knowledge-base article 4517870, statement by statement, played with wimdock's own commands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.article.conftest import OLD, PACKAGE, troubling
from tests.cli.ended import Command, Ended
from tests.lab.lab import Lab
from wimdock.doctor.logs import read_logs
from wimdock.errors import CommitFailed, LeftoversInTheWay
from wimdock.servicing.mounts import is_mount_point

MOUNTED = r"D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir"


@pytest.fixture
def failed(command: Command, offending: Path, drive: Path) -> Ended:
    """Give the end of a run on Server 2012 R2, which leaves the case behind."""
    return command(
        "rehearse", offending, "--provider", OLD, "--staging", drive, "--package-id", PACKAGE
    )


def mount_directory(drive: Path) -> Path:
    return drive / "ConfigMgr_OfflineImageServicing" / PACKAGE / "ImageMountDir"


def lines_of(article: str) -> list[str]:
    """Give the log lines that the article quotes."""
    quoted = [line[2:].strip() for line in article.splitlines() if line.startswith("> ")]
    return [line for line in quoted if line.startswith(("SMS_OFFLINE", "DISM DISM", "[\\<PID>]"))]


BLANKS = {"PID": r"\d+", "TID": r"\d+", "Site_Code": PACKAGE[:3], "Image_Index": "1"}


def pattern_of(line: str) -> re.Pattern[str]:
    """Give what a quoted line looks like with names and numbers in its blanks, and nothing else."""
    message = re.sub(r"^SMS_OFFLINE_SERVICING_MANAGER |^DISM DISM ", "", line)
    parts = re.split(r"\\?<([A-Za-z_]+)>", message)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = (BLANKS.get(name, r'[^"<>]+') for name in parts[1::2])
    before = r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, \w+ +DISM   DISM )?"
    return re.compile(rf"{before}{''.join(parts)}(?:  \$\$<.*)?")


# Symptoms


def test_the_unmount_fails_with_the_articles_code(failed: Ended) -> None:
    assert failed.status == CommitFailed.exit_code
    assert "0x800700A1" in failed.err


def test_every_line_that_the_article_quotes_stands_in_the_logs(
    failed: Ended, drive: Path, shared_data: Path
) -> None:
    assert failed.status
    article = (shared_data.parent / "article.txt").read_text(encoding="utf-8")
    quoted = lines_of(article)
    assert len(quoted) == 15
    logs = drive / "Logs"
    written = [
        *(logs / "OfflineServicingMgr.log").read_text(encoding="utf-8-sig").splitlines(),
        *(logs / "dism.log").read_text(encoding="utf-8-sig").splitlines(),
    ]
    place = 0
    for line in quoted:
        pattern = pattern_of(line)
        found = [n for n, text in enumerate(written[place:], place) if pattern.fullmatch(text)]
        assert found, line
        place = found[0] + 1


def test_the_status_message_names_package_index_directory_and_error(
    failed: Ended, drive: Path
) -> None:
    assert failed.status
    records = read_logs([drive / "Logs" / "OfflineServicingMgr.log"])
    found = [r.status_message for r in records if r.status_message is not None]
    assert [(m.id, m.severity, m.insertions) for m in found] == [
        (7900, "I", ("16777217",)),
        (7913, "E", (PACKAGE, "1", MOUNTED, "161")),
    ]


def test_the_code_is_explained_as_in_the_article(command: Command) -> None:
    said = command("code", "0x800700a1").out
    for words in ("0xA1", "161", "ERROR_BAD_PATHNAME", "Windows", "The specified path is invalid."):
        assert words in said


# Cause


def test_the_doctor_finds_the_cause_in_the_logs(
    failed: Ended, command: Command, drive: Path
) -> None:
    assert failed.status
    document = command("doctor", drive / "Logs", "--json").document
    (finding,) = document["findings"]
    assert finding["failure"] == 1
    assert finding["confidence"] == "high"


def test_the_doctor_names_the_applications_that_bring_the_reparse_points(
    failed: Ended, command: Command, offending: Path, drive: Path
) -> None:
    assert failed.status
    said = command("doctor", drive / "Logs", "--image", offending).out
    owners = {point.owner.value for point in troubling(offending)}
    assert "OneDrive" in owners
    assert [owner for owner in owners if owner not in said] == []


def test_every_server_with_a_provider_is_checked(command: Command, offending: Path) -> None:
    ended = command(
        *("preflight", offending, "--provider", OLD, "--provider", "CM02=Server 2012"),
        *("--provider", "CM03=Server 2016", "--json"),
    )
    hosts = ended.document["hosts"]
    assert [(host["name"], host["ability"]) for host in hosts] == [
        ("CM01", "cannot"),
        ("CM02", "cannot"),
        ("CM03", "can_commit"),
    ]
    assert ended.status == 58


# Workarounds


@pytest.mark.parametrize("build", ["Server 2016", "Server 2019", "Server 2022", "10.0.26100"])
def test_a_provider_that_was_upgraded_or_moved_succeeds(
    command: Command, offending: Path, drive: Path, build: str
) -> None:
    ended = command(
        *("rehearse", offending, "--provider", f"CM02={build}", "--staging", drive, "--json"),
    )
    assert (ended.status, ended.document["ending"]) == (0, "committed")
    assert len(troubling(Path(ended.document["result"]))) == len(troubling(offending)) > 0


def test_the_image_without_the_application_succeeds(
    command: Command, without_application: Path, drive: Path
) -> None:
    ended = command(
        *("rehearse", without_application, "--provider", OLD, "--staging", drive, "--json")
    )
    assert (ended.status, ended.document["ending"]) == (0, "committed")


def test_the_image_captured_by_an_older_dism_succeeds(
    command: Command, captured_before_1803: Path, drive: Path
) -> None:
    ended = command(
        *("rehearse", captured_before_1803, "--provider", OLD, "--staging", drive, "--json")
    )
    assert (ended.status, ended.document["ending"]) == (0, "committed")


# Clean-up


def test_the_image_stays_mounted_where_the_article_says(failed: Ended, drive: Path) -> None:
    assert failed.status
    assert is_mount_point(mount_directory(drive))
    assert str(mount_directory(drive)) in failed.out


def test_until_it_is_cleaned_up_runs_on_other_images_fail_too(
    failed: Ended, command: Command, without_application: Path, drive: Path
) -> None:
    assert failed.status
    ended = command(
        *("rehearse", without_application, "--provider", OLD, "--staging", drive),
        *("--package-id", "CAS00124"),
    )
    assert ended.status == LeftoversInTheWay.exit_code
    assert "wimdock cleanup" in ended.err
    assert is_mount_point(mount_directory(drive))


def test_the_doctor_tells_the_after_effect_and_cleans_up_where_the_failure_was(
    failed: Ended, command: Command, without_application: Path, drive: Path
) -> None:
    assert failed.status
    command(
        *("rehearse", without_application, "--provider", OLD, "--staging", drive),
        *("--package-id", "CAS00124"),
    )
    first, second = command("doctor", drive / "Logs", "--json").document["findings"]
    assert (first["failure"], first["follows"]) == (1, None)
    assert (second["failure"], second["follows"]) == (9, first["number"])
    assert MOUNTED in first["clean_up"][0]["command"]
    assert second["clean_up"] == []
    assert "CAS00124\\ImageMountDir /discard" not in command("doctor", drive / "Logs").out


def test_committing_fails_again_and_discarding_frees_the_folder(
    failed: Ended, command: Command, offending: Path, drive: Path
) -> None:
    assert failed.status
    option = f"D={drive}"
    log = drive / "Logs" / "by-hand.log"
    again = command(
        *("dism", "--drive", option, "/unmount-image", f"/mountdir:{MOUNTED}", "/commit"),
        f"/logpath:{log}",
    )
    assert again.status == 161
    assert "Error: 161" in again.out.splitlines()
    assert is_mount_point(mount_directory(drive))
    finding = command("doctor", log, "--json").document["findings"][0]
    assert finding["failure"] == 1

    discarded = command(
        *("dism", "--drive", option, "/unmount-image", f"/mountdir:{MOUNTED}", "/discard")
    )
    assert discarded.status == 0
    assert not is_mount_point(mount_directory(drive))
    shutil.rmtree(drive / "ConfigMgr_OfflineImageServicing")
    after = command("rehearse", offending, "--provider", "CM02=Server 2019", "--staging", drive)
    assert after.status == 0


def test_the_clean_up_frees_the_folder_for_a_new_run(
    failed: Ended, command: Command, offending: Path, drive: Path
) -> None:
    assert failed.status
    cleaned = command("cleanup", drive, "--yes")
    assert cleaned.status == 0
    assert not (drive / "ConfigMgr_OfflineImageServicing").exists()
    after = command("rehearse", offending, "--provider", "CM02=Server 2019", "--staging", drive)
    assert after.status == 0


def test_the_clean_up_prints_the_articles_command(
    failed: Ended, command: Command, drive: Path
) -> None:
    assert failed.status
    printed = command("cleanup", drive, "--print-commands", "--drive", f"D={drive}").out
    assert f"Dism.exe /unmount-image /mountdir:{MOUNTED} /discard" in printed.splitlines()
    assert is_mount_point(mount_directory(drive))


def test_the_image_file_itself_is_only_read(
    command: Command, lab: Lab, offending: Path, drive: Path
) -> None:
    command("rehearse", offending, "--provider", OLD, "--staging", drive)
    assert offending.read_bytes() == lab.image("xpress").read_bytes()
