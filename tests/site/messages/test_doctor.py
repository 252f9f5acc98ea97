"""The doctor reads the site's own log: it finds what happened, and nothing that did not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts.reference import error_classes
from tests.site.conftest import SetClock
from wimdock.doctor.examination import Examination, Reading, examine
from wimdock.doctor.finding import Finding
from wimdock.doctor.logs.server_form import ServerLog
from wimdock.doctor.redaction import redacted, secrets_for
from wimdock.doctor.report import report as report_of
from wimdock.doctor.rules import load_rules
from wimdock.errors import WimdockError
from wimdock.site.messages import LOG_NAME, MessageKind, SiteLog, phases, report, say, table
from wimdock.site.site import Site

SCHEDULE = 16777217
UPDATE = 16777220
RULES = load_rules()


@pytest.fixture
def site(make_site: Callable[[str | None], Site]) -> Site:
    """Give a site on SQLite: the log is the same on all."""
    return make_site(None)


def examined(site: Site) -> Examination:
    return examine([site.logs], RULES)


def finding(site: Site) -> Finding:
    (only,) = examined(site).findings
    assert only.rule is None
    assert only.by_wimdock
    return only


def begin(site: Site, run: int, package: str = "CAS00001", attempt: int = 1) -> None:
    with site.writing() as session:
        row = report(site, session, table.RUN_STARTED, SCHEDULE, run_id=run, package_id=package)
    with SiteLog(site, run_id=run) as log:
        phases.processing_started(log, SCHEDULE, "nightly", attempt=attempt)
        log.status(row)
        phases.initialized(log)
        phases.processing_image(log, package, f"/srv/images/{package}.wim")
        phases.checking_update(log, 1, 1, UPDATE)


def apply(site: Site, run: int) -> None:
    with SiteLog(site, run_id=run) as log:
        phases.applicability(log, 3, "/srv/updates/kb5.msu")
        phases.applying_update(log, UPDATE, 1)


def fail_update(site: Site, run: int, hresult: int = 0x8007007B) -> None:
    text = f"0x{hresult:08X}"
    with SiteLog(site, run_id=run) as log:
        phases.update_failed(log, UPDATE, hresult & 0xFFFF)
    strings = ("CAS00001", 1, UPDATE, "a name in it is no name", text)
    say(site, table.UPDATE_FAILED, *strings, run_id=run)


def end(
    site: Site,
    run: int,
    kind: MessageKind,
    *strings: object,
    package: str = "CAS00001",
    remedy: str = "",
) -> None:
    with site.writing() as session:
        row = report(site, session, kind, run, package, *strings, run_id=run, package_id=package)
    with SiteLog(site, run_id=run) as log:
        succeeded = kind is table.RUN_SUCCEEDED
        if succeeded:
            phases.committed(log, 3, 4096)
        else:
            phases.left_as_it_was(log)
        phases.run_ended(log, row, package, succeeded=succeeded, remedy=remedy)


def test_nothing_is_found_of_a_run_that_succeeded(site: Site) -> None:
    begin(site, 12)
    apply(site, 12)
    end(site, 12, table.RUN_SUCCEEDED, "generation 3")
    found = examined(site)
    assert found.findings == ()
    assert found.gathered.counts["images success"] == 1
    assert found.gathered.mentions == {}


@pytest.mark.parametrize("kind", tuple(error_classes()), ids=lambda each: each.__name__)
def test_a_failure_is_found_with_its_code_and_with_no_rule(
    site: Site, kind: type[WimdockError]
) -> None:
    error = kind("it went wrong")
    code = f"0x{error.hresult:08X}" if error.hresult is not None else "no code"
    begin(site, 12)
    apply(site, 12)
    end(site, 12, table.RUN_FAILED, error.message, code, remedy="Try this.")
    found = finding(site)
    assert found.title == "A run of wimdock failed"
    assert found.what_happened == (
        f"Run 12 of image package CAS00001 has failed: it went wrong ({code})."
    )
    assert found.codes == ((error.hresult,) if error.hresult is not None else ())
    assert [each.text for each in found.advice] == ["Try this."]
    case = report_of(examined(site)).findings[0].case
    assert (case.package, case.schedule, case.site) == ("CAS00001", str(SCHEDULE), "CAS")
    assert (case.image, case.server) == ("/srv/images/CAS00001.wim", site.host)
    assert case.result == "failed"


@pytest.mark.parametrize(
    "kind, string, title, result",
    [
        (table.RUN_CANCELLED, "ann", "A run of wimdock was cancelled", ""),
        (
            table.RUN_TIMED_OUT,
            "90",
            "A run of wimdock took longer than its schedule allows",
            "failed",
        ),
        (
            table.IMAGE_LOCKED,
            "process 4120 has it",
            "A run of wimdock found its image in use",
            "failed",
        ),
        (
            table.RUN_REFUSED,
            "the disk has too little room",
            "A run of wimdock was refused by its preflight",
            "failed",
        ),
    ],
)
def test_other_ends_are_found_as_what_they_are(
    site: Site, kind: MessageKind, string: str, title: str, result: str
) -> None:
    begin(site, 12)
    end(site, 12, kind, string)
    found = finding(site)
    assert (found.title, found.incident.result) == (title, result)
    assert string in found.what_happened
    assert "wimdock run" in found.advice[0].text or "run retry 12" in found.advice[0].text


def test_an_update_that_failed_in_a_run_that_went_on_is_found(site: Site) -> None:
    begin(site, 12)
    apply(site, 12)
    fail_update(site, 12)
    end(site, 12, table.RUN_SUCCEEDED, "generation 3, 1 update failed")
    found = finding(site)
    assert found.title == "A run of wimdock ended well, but something in it failed"
    assert found.codes == (0x8007007B,)  # of Windows 11's old updates too: failure 3, not here
    assert found.updates == (f"update {UPDATE}",)


def test_an_update_that_is_not_supported_is_no_failure_of_configuration_manager(
    site: Site,
) -> None:
    begin(site, 12)
    with SiteLog(site, run_id=12) as log:
        phases.applicability(log, 4, "/srv/updates/windows10.0-kb5000802-x64.cab")
    strings = ("CAS00001", 1, UPDATE, "it is too old")
    say(site, table.UPDATE_UNSUPPORTED, *strings, run_id=12)
    end(site, 12, table.RUN_SUCCEEDED, "nothing was to be done")
    assert examined(site).findings == ()


def test_runs_whose_lines_alternate_are_told_apart(site: Site, clock: SetClock) -> None:
    begin(site, 12, "CAS00001")
    begin(site, 13, "CAS00002")
    apply(site, 12)
    fail_update(site, 12, 0x80070070)
    apply(site, 13)
    clock.advance(minutes=1)
    end(site, 13, table.RUN_SUCCEEDED, "generation 3", package="CAS00002")
    end(site, 12, table.RUN_FAILED, "the disk is full", "0x80070070")
    found = finding(site)
    assert found.incident.package == "CAS00001"
    assert found.codes == (0x80070070,)


def test_a_run_that_another_worker_had_to_finish(site: Site) -> None:
    begin(site, 12)
    say(site, table.RUN_TAKEN_OVER, 12, "CAS00001", "w1", run_id=12)
    begin(site, 12, attempt=2)
    end(site, 12, table.RUN_FAILED, "the disk is full", "0x80070070")
    found = finding(site)
    assert found.notes == [
        "Run 12 of image package CAS00001 was taken over from worker w1.",
        "The run was begun once without being ended: its worker had stopped.",
    ]


def test_a_run_that_was_tried_again_tells_why(site: Site) -> None:
    begin(site, 12)
    say(site, table.RUN_RETRIED, 12, "CAS00001", "2026-11-03T12:01", "the disk is full", run_id=12)
    begin(site, 12, attempt=2)
    end(site, 12, table.RUN_FAILED, "the disk is full", "0x80070070")
    assert finding(site).notes == [
        (
            "Run 12 of image package CAS00001 has failed and is tried again, at "
            "2026-11-03T12:01 at the earliest: the disk is full."
        )
    ]


def test_the_updates_that_failed_are_named(site: Site) -> None:
    begin(site, 12)
    with SiteLog(site, run_id=12) as log:
        phases.update_failed(log, UPDATE, 0x823)
        phases.update_failed(log, UPDATE + 1, 0x823)
    end(site, 12, table.RUN_FAILED, "2 of 2 failed", "0x800F0823")
    found = finding(site)
    assert found.updates == (f"update {UPDATE}", f"update {UPDATE + 1}")
    assert found.codes == (0x800F0823,)


def test_a_run_of_no_schedule_ends_all_the_same(site: Site) -> None:
    with SiteLog(site, run_id=12) as log:
        phases.processing_started(log, None)
    with site.writing() as session:
        row = report(site, session, table.RUN_FAILED, 12, "CAS00001", "no", "no code", run_id=12)
    with SiteLog(site, run_id=12) as log:
        phases.run_ended(log, row, "CAS00001", succeeded=False, schedule=False)
    say(site, table.LEASE_LOST, 12, "CAS00001", "w1", run_id=12)
    found = finding(site)
    assert (found.incident.package, found.notes) == ("CAS00001", [])


def test_a_run_that_was_cancelled_before_it_began_is_found(site: Site) -> None:
    say(site, table.RUN_CANCELLED, 12, "CAS00001", "ann", run_id=12)
    assert finding(site).title == "A run of wimdock was cancelled"


def test_of_a_log_that_was_cut_what_is_left_is_understood(site: Site) -> None:
    begin(site, 12)
    end(site, 12, table.RUN_FAILED, "the disk is full", "0x80070070")
    path = site.logs / LOG_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    found = set()
    for first in range(len(lines)):
        path.write_bytes(b"".join(lines[first:]))
        for each in examined(site).findings:
            assert each.rule is None
            found.add((each.title, each.codes))
    assert ("A run of wimdock failed", (0x80070070,)) in found


def test_the_same_night_after_night_is_one_finding_until_it_went_well(
    site: Site, clock: SetClock
) -> None:
    for run in (1, 2, 3):
        begin(site, run)
        end(site, run, table.RUN_FAILED, "the disk is full", "0x80070070")
        clock.advance(days=1)
    begin(site, 4)
    end(site, 4, table.RUN_SUCCEEDED, "generation 3")
    found = finding(site)
    assert len(found.incidents) == 3
    assert found.since_succeeded is not None


def test_an_error_outside_of_runs_is_found(site: Site) -> None:
    say(site, table.CONTENT_FAILED, "CAS00001", "branch", "the hash is wrong")
    say(site, table.POINT_DOWN, "branch", "no route to host")
    found = finding(site)
    assert found.title == "An error of wimdock's site"
    assert found.what_happened == (
        "Image package CAS00001 could not be brought to the distribution point branch: "
        "the hash is wrong."
    )


def test_beside_ours_the_failure_of_a_provider_is_still_found(site: Site) -> None:
    begin(site, 12)
    with ServerLog(site.logs / LOG_NAME, "SMS_OFFLINE_SERVICING_MANAGER", thread=3336) as theirs:
        for line in (
            "Processing started for Schedule with ID 16777218 (Schedule Name = )",
            "UnMounting Image (Commit Changes = 1)...",
            "WIM::UnMountWIMImage returned code 0x800700a1~",
            "Completed processing image package CAS00001. Status = Failed",
            "Schedule processing failed",
        ):
            theirs.write(line)
    end(site, 12, table.RUN_FAILED, "the disk is full", "0x80070070")
    one, other = sorted(examined(site).findings, key=lambda each: each.by_wimdock)
    assert one.rule is not None
    assert one.rule.id == "unknown-reparse-points"
    assert other.codes == (0x80070070,)
    assert (other.follows, other.may_follow) == (None, None)


def test_who_cancelled_can_be_masked(site: Site) -> None:
    begin(site, 12)
    end(site, 12, table.RUN_CANCELLED, "annika")
    secrets = secrets_for(RULES)
    reading = Reading(on_record=lambda record: secrets.learn(record.text))
    masked = redacted(report_of(examine([site.logs], RULES, reading=reading)), secrets)
    assert "annika" not in repr(masked)
    assert site.host not in repr(masked)
