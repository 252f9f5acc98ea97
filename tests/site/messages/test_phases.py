"""The lines of each phase: what bears Microsoft's component is what public logs show."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import wimdock
from wimdock.doctor.logs import read_logs
from wimdock.site.messages import LOG_NAME, TABLE, SiteLog, phases, report, say, table
from wimdock.site.messages.table import MessageKind
from wimdock.site.site import Site

THEIRS = "SMS_OFFLINE_SERVICING_MANAGER"
# As public logs show them; what differs from one log to the next is put in angle brackets.
PUBLIC = (
    "Checking if there are schedule(s) which need to be run at this time.",
    "Schedule with ID <16777217> (Schedule Name = <>) is marked for RunNow by the administrator",
    (
        "The Schedule with ID <16777217> will be run now. It's run time is at "
        "<Fri Mar 23 09:56:16 2012 GMT Standard Time>"
    ),
    "Schedule with ID <16777217> (<>) is active",
    "Schedule processing thread started. ThreadID = <0xD08> (<3336>)",
    "<1> Schedule(s) are marked for RunNow by the administrator",
    "<1> Schedule(s) are scheduled to be run at this time",
    "Processing started for Schedule with ID <16777217> (Schedule Name = <>)",
    "Initialization of schedule processing succeeded",
    "Completed processing image package <CAS00001>. Status = Failed",
    "Updated history for image package <CAS00001> in the database",
    "Schedule processing failed",
    "Failed to install update with ID <16787962> on the image. ErrorCode = <123>",
    "Applicability State = APPLICABILITY_CHECK_NOT_SUPPORTED, Update Binary = <C:\\a.cab>.",
    "Not applying this update binary, it is not supported.",
    "Not all selected software updates are currently available on current site",
)


def public() -> re.Pattern[str]:
    return re.compile(
        "|".join(
            "".join(
                ".*" if part.startswith("<") else re.escape(part)
                for part in re.split(r"(<[^>]*>)", line)
            )
            for line in PUBLIC
        )
    )


@pytest.fixture
def site(make_site: Callable[[str | None], Site]) -> Site:
    """Give a site on SQLite: the log is the same on all."""
    return make_site(None)


def everything(site: Site) -> None:
    """Go through every phase there is."""
    with SiteLog(site) as log:
        phases.checking_schedules(log)
        phases.schedule_run_now(log, 16777217, "nightly")
        phases.schedule_due(log, 16777217, datetime(2026, 11, 3, 22, 0, tzinfo=UTC))
        phases.schedule_active(log, 16777217, "nightly")
        phases.schedules_marked(log, 1)
        phases.schedule_checked(log, 1)
    with SiteLog(site, run_id=3336) as log:
        phases.processing_started(log, 16777217, "nightly")
        phases.initialized(log)
        phases.processing_image(log, "CAS00001", "/srv/golden.wim")
        phases.checking_update(log, 1, 140, 16787962)
        for status in range(6):
            phases.applicability(log, status, "/srv/a.cab")
        phases.applying_update(log, 16787962, 1)
        phases.update_failed(log, 16787962, 123)
        phases.updates_missing(log)
        phases.step_ended(log, "apply", "failed", 1.5)
        phases.committed(log, 3, 4096)
        phases.left_as_it_was(log)
    for kind in (table.RUN_FAILED, table.RUN_SUCCEEDED):
        strings = (3336, "CAS00001", *["x"] * (len(kind.strings) - 2))
        with site.writing() as session:
            row = report(site, session, kind, *strings, run_id=3336)
        with SiteLog(site, run_id=3336) as log:
            succeeded = kind is table.RUN_SUCCEEDED
            phases.run_ended(log, row, "CAS00001", succeeded=succeeded, remedy="Try again.")
    say(site, table.RUN_STARTED, 16777217, run_id=3336)


def written(site: Site) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in read_logs([site.logs / LOG_NAME]):
        found.setdefault(record.component, []).append(record.message)
    return found


def test_only_what_public_logs_show_bears_their_component(site: Site) -> None:
    everything(site)
    found = written(site)
    known = public()
    theirs = [line for line in found[THEIRS] if not line.startswith("STATMSG: ID=7900 ")]
    assert [line for line in theirs if not known.fullmatch(line)] == []
    assert set(found) == {THEIRS, "WIMDOCK"}
    assert [line for line in found["WIMDOCK"] if known.fullmatch(line)] == []


def test_every_line_of_the_table_above_is_written(site: Site) -> None:
    everything(site)
    theirs = written(site)[THEIRS]
    for line in PUBLIC:
        pattern = ".*".join(map(re.escape, re.split(r"<[^>]*>", line)))
        assert any(re.fullmatch(pattern, each) for each in theirs), line


def test_the_lines_of_a_run_in_their_letters(site: Site) -> None:
    everything(site)
    theirs = written(site)[THEIRS]
    for line in (
        (
            "Schedule with ID 16777217 (Schedule Name = nightly) is marked for RunNow by the "
            "administrator"
        ),
        (
            "The Schedule with ID 16777217 will be run now. It's run time is at "
            "Tue Nov 03 22:00:00 2026 Coordinated Universal Time"
        ),
        "Schedule processing thread started. ThreadID = 0xD08 (3336)",
        "Processing started for Schedule with ID 16777217 (Schedule Name = nightly)",
        "Completed processing image package CAS00001. Status = Failed",
        "Failed to install update with ID 16787962 on the image. ErrorCode = 123",
    ):
        assert line in theirs


def test_nothing_is_said_of_mounting(site: Site) -> None:
    everything(site)
    text = (site.logs / LOG_NAME).read_text(encoding="utf-8")
    assert re.findall(r"(?i)unmount|mounting|mountdirectory", text) == []
    assert "0x800700a1" not in text.lower()
    assert "ID=7913" not in text


def test_own_messages_are_of_our_own_range_and_fit_into_the_form() -> None:
    for number, kind in TABLE.items():
        assert number == kind.id
        assert number in range(42000, 42100) or number in {7900, 7913}
        assert len(kind.strings) <= 10
        assert set(re.findall(r"\{(\w+)\}", kind.text)) <= set(kind.strings)
        assert kind.say(tuple("x" for _ in kind.strings))
    kinds = [each for each in vars(table).values() if isinstance(each, MessageKind)]
    assert len(kinds) == len(TABLE)


def calls() -> Iterator[tuple[str, MessageKind, list[ast.expr]]]:
    """Give each place of the program where a status message of the table is said."""
    names = {name: each for name, each in vars(table).items() if isinstance(each, MessageKind)}
    for path in sorted(Path(wimdock.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            skipped = {"report": 2, "say": 1}.get(node.func.id)
            if skipped is None or len(node.args) <= skipped:
                continue
            match node.args[skipped]:
                case ast.Name(name) | ast.Attribute(attr=name) if name in names:
                    where = f"{path.name}:{node.lineno}"
                    yield where, names[name], node.args[skipped + 1 :]


def test_whoever_says_a_message_gives_all_its_strings_and_no_more() -> None:
    found = list(calls())
    assert len(found) > 1
    for where, kind, strings in found:
        starred = any(isinstance(each, ast.Starred) for each in strings)
        assert starred or len(strings) == len(kind.strings), where
        assert kind.sent, where
