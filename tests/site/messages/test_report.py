"""Status messages: rows of the database, lines of the log."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from wimdock.configmgr.status_message import parse_status_message
from wimdock.site.messages import SiteLog, report, say, table, text_of
from wimdock.site.models import MessageSeverity, StatusMessageRow
from wimdock.site.site import Site


def rows(site: Site) -> list[StatusMessageRow]:
    with site.reading() as session:
        return list(session.scalars(select(StatusMessageRow).order_by(StatusMessageRow.id)))


def lines(site: Site) -> list[str]:
    return (site.logs / "OfflineServicingMgr.log").read_text(encoding="utf-8").splitlines()


def test_what_is_said_stands_in_the_database_and_in_the_log(site: Site) -> None:
    say(site, table.RUN_STARTED, 16777217, run_id=4, schedule_id=16777217, package_id="CAS00001")
    (row,) = rows(site)
    assert (row.message_id, row.severity, row.strings) == (
        7900,
        MessageSeverity.INFORMATION,
        ["16777217"],
    )
    assert (row.run_id, row.schedule_id, row.package_id) == (4, 16777217, "CAS00001")
    (line,) = lines(site)
    assert line == (
        'STATMSG: ID=7900 SEV=I LEV=M SOURCE="SMS Server" COMP="SMS_OFFLINE_SERVICING_MANAGER" '
        f"SYS={site.host} SITE=CAS PID={row.pid} TID={row.tid} "
        'GMTDATE=Tue Nov 03 12:00:00.000 2026 ISTR0="16777217" ISTR1="" ISTR2="" ISTR3="" '
        'ISTR4="" ISTR5="" ISTR6="" ISTR7="" ISTR8="" ISTR9="" NUMATTRS=0'
        "  $$<SMS_OFFLINE_SERVICING_MANAGER><11-03-2026 12:00:00.000+000><thread=4 (0x4)>"
    )


def test_our_own_are_marked_as_ours(site: Site) -> None:
    row = say(site, table.POINT_DOWN, "branch", "no route to host")
    text, line = lines(site)
    message = parse_status_message(line)
    assert message is not None
    assert (message.source, message.component, message.severity) == ("wimdock", "WIMDOCK", "W")
    assert message.insertions == ("branch", "no route to host")
    assert "$$<WIMDOCK><" in line
    assert text_of(row) == (
        "The distribution point branch cannot be reached and is tried again later: "
        "no route to host."
    )
    assert text.startswith(f"{text_of(row)}  $$<WIMDOCK><")


def test_a_message_goes_with_the_transaction_that_reports_it(site: Site) -> None:
    def fail() -> None:
        with site.writing() as session:
            report(site, session, table.WORKER_STARTED, "w1", "host")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert rows(site) == []


def test_insertion_strings_are_those_of_the_table(site: Site) -> None:
    with site.writing() as session, pytest.raises(ValueError, match="42040 has 2 insertion"):
        report(site, session, table.WORKER_STARTED, "w1")


def test_what_no_database_keeps_is_written_out(site: Site) -> None:
    say(site, table.POINT_DOWN, "b\0\ud800", "x" * 100_000)
    (row,) = rows(site)
    assert row.strings[0] == r"b\x00\ud800"
    assert (len(row.strings[1]), row.strings[1][-2:]) == (2000, "x\N{HORIZONTAL ELLIPSIS}")


def test_a_line_is_marked_by_who_says_it(site: Site) -> None:
    with SiteLog(site, run_id=12) as log:
        log.line("Schedule processing failed")
        log.own("Run 12 failed.")
    theirs, ours = lines(site)
    assert theirs.endswith("><thread=12 (0xC)>")
    assert "  $$<SMS_OFFLINE_SERVICING_MANAGER><" in theirs
    assert "  $$<WIMDOCK><" in ours


def test_a_log_that_cannot_be_written_stops_nothing_and_is_told_of(site: Site) -> None:
    (site.logs / "OfflineServicingMgr.log").mkdir()
    say(site, table.BACKUP_MADE, "backup.tar")
    first, second = rows(site)
    assert (first.message_id, second.message_id) == (42080, 42090)
    assert second.strings[0] == "2"
    assert "OfflineServicingMgr.log" in text_of(second)
