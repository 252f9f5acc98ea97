"""Status messages as the logs carry them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from wimdock.configmgr import StatusMessage, format_status_message, parse_status_message

STARTED = (
    'STATMSG: ID=7900 SEV=I LEV=M SOURCE="SMS Server" COMP="SMS_OFFLINE_SERVICING_MANAGER" '
    "SYS=server.contoso.local SITE=MS1 PID=2148 TID=3336 GMTDATE=Fri Mar 23 09:56:16.443 2012 "
    'ISTR0="16777217" ISTR1="" ISTR2="" ISTR3="" ISTR4="" ISTR5="" ISTR6="" ISTR7="" ISTR8="" '
    'ISTR9="" NUMATTRS=0'
)
AT = datetime(2012, 3, 23, 9, 56, 16, 443_000, UTC)
FAILED = StatusMessage(
    id=7913,
    severity="E",
    source="SMS Server",
    component="SMS_OFFLINE_SERVICING_MANAGER",
    system="CM01.contoso.com",
    site="CAS",
    pid=2148,
    tid=3336,
    time=AT,
    insertions=(
        "CAS00123",
        "1",
        r"D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir",
        "161",
    ),
    attributes=((400, "CAS00123"),),
)


def test_the_known_line_is_read_and_written_alike() -> None:
    found = parse_status_message(STARTED)
    assert found is not None
    assert (found.id, found.severity, found.system, found.site) == (
        7900,
        "I",
        "server.contoso.local",
        "MS1",
    )
    assert (found.pid, found.tid, found.time, found.insertions) == (2148, 3336, AT, ("16777217",))
    assert format_status_message(found) == STARTED


def test_insertions_and_attributes_are_read_back() -> None:
    assert parse_status_message(format_status_message(FAILED)) == FAILED
    assert FAILED.insertion(3) == "161"
    assert FAILED.insertion(9) == ""


def test_the_articles_line_with_its_blanks() -> None:
    line = (
        'STATMSG: ID=7913 SEV=E LEV=M SOURCE="SMS Server" COMP="SMS_OFFLINE_SERVICING_MANAGER" '
        r"SYS=<SMS_Provider_Server> SITE=<Site_Code> PID=\<PID> TID=\<TID> GMTDATE=<Date_Time> "
        'ISTR0="<OS_Image_Package_ID>" ISTR1="<Image_Index>" '
        'ISTR2="<Temporary_Image_Mount_Directory>" ISTR3="161" ISTR4="" NUMATTRS=0'
    )
    found = parse_status_message(line)
    assert found is not None
    assert (found.id, found.pid, found.time, found.insertion(3)) == (7913, 0, None, "161")
    assert found.system == "<SMS_Provider_Server>"


def test_what_is_none() -> None:
    assert parse_status_message("Schedule processing failed") is None
    assert parse_status_message("STATMSG: SEV=E") is None
    assert parse_status_message("STATMSG: ID=99999999999 SEV=E") is None


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    parse_status_message("STATMSG: ID=7913 " + text)


@given(st.lists(st.text(max_size=20), max_size=10), st.text(max_size=20))
def test_no_text_breaks_a_line(insertions: list[str], system: str) -> None:
    message = StatusMessage(
        7913, "E", "SMS Server", "C", system, "CAS", 1, 2, AT, tuple(insertions)
    )
    line = format_status_message(message)
    assert len(line.splitlines()) == 1
    found = parse_status_message(line)
    assert found is not None
    assert (found.id, found.time) == (7913, AT)


def test_a_time_out_of_range_is_none() -> None:
    line = STARTED.replace("Mar 23", "Mar 32")
    found = parse_status_message(line)
    assert found is not None
    assert found.time is None
