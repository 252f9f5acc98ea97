"""Every form of a record, by lines as the logs hold them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from wimdock.doctor.logs import Form, Record, Severity
from wimdock.doctor.logs.assembly import records

STAMP = "<07-15-2023 09:12:45.332+240><thread=4116 (0x1014)>"


def read(*lines: str, file: str = "x.log") -> list[Record]:
    return list(records(file, ["".join(f"{line}\r\n" for line in lines)]))


def only(*lines: str) -> Record:
    (record,) = read(*lines)
    return record


def at(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[misc,arg-type]


def local(*numbers: int) -> datetime:
    return at(*numbers).replace(tzinfo=None)


def test_server_form() -> None:
    line = f"Sending status message (MessageID = 500). $$<SMS_HIERARCHY_MANAGER>{STAMP}"
    record = only(line)
    assert (record.form, record.component) == (Form.SERVER, "SMS_HIERARCHY_MANAGER")
    assert record.message == "Sending status message (MessageID = 500)."
    assert (record.thread, record.process) == (4116, None)
    assert record.local_time == local(2023, 7, 15, 9, 12, 45, 332_000)
    assert record.time == at(2023, 7, 15, 13, 12, 45, 332_000)
    assert (record.severity, record.codes, record.text) == (Severity.INFO, (), line)


@pytest.mark.parametrize(
    "end, thread, written, utc",
    [
        (
            "<01-02-2024 03:04:05.006-060><thread=1 (0x1)>",
            1,
            local(2024, 1, 2, 3, 4, 5, 6000),
            at(2024, 1, 2, 2, 4, 5, 6000),
        ),
        (
            "<01-02-2024 03:04:05.006+000><thread=1>",
            1,
            local(2024, 1, 2, 3, 4, 5, 6000),
            at(2024, 1, 2, 3, 4, 5, 6000),
        ),
        ("<Wed May 21 17:09:02 1997~><thread=DB>", 0xDB, local(1997, 5, 21, 17, 9, 2), None),
        (
            "<Fri Sep 03 12:23:46.229 1999 Central Daylight Time><thread=250 (0xFA)>",
            250,
            local(1999, 9, 3, 12, 23, 46, 229_000),
            None,
        ),
        ("<13-45-2024 99:04:05.006+000><thread=x>", None, None, None),
    ],
)
def test_server_times(
    end: str, thread: int | None, written: datetime | None, utc: datetime | None
) -> None:
    record = only(f"m~  $$<C>{end}")
    assert (record.message, record.component, record.thread) == ("m~", "C", thread)
    assert (record.local_time, record.time) == (written, utc)


@pytest.mark.parametrize("cut", range(1, len(f"$$<SMS_X>{STAMP}") - 2))
def test_server_form_cut_within_its_end(cut: int) -> None:
    line = f"m  $$<SMS_X>{STAMP}"
    found = read(line[:-cut])
    assert len(found) == 1
    assert found[0].message.startswith("m")
    if found[0].text.find("$$<") >= 0:
        assert (found[0].form, found[0].message) in {
            (Form.SERVER, "m"),
            (Form.PLAIN, found[0].text),
        }


def test_server_severities() -> None:
    def severity(message: str) -> Severity:
        return only(f"{message}  $$<C>{STAMP}").severity

    assert severity("Image UnMount failed with error 161") is Severity.ERROR
    assert severity("failover cluster is fine") is Severity.INFO
    assert severity("Warning: low on space") is Severity.WARNING
    assert severity("UnMountImage returned code 0x800700a1~") is Severity.ERROR
    assert severity("UnMountImage returned code 0x0~") is Severity.INFO
    assert severity('STATMSG: ID=7900 SEV=I LEV=M ISTR0="error"') is Severity.INFO


def test_client_form_over_several_lines() -> None:
    first, second = read(
        "<![LOG[one",
        "2023-01-01 00:00:00, Error                 DISM   not a record",
        'three]LOG]!><time="09:12:45.3321234-060" date="7-5-2023" component="CcmExec" '
        'context="" type="3" thread="88" file="a.cpp:42">',
        '<![LOG[two]LOG]!><time="09:12:45.332" date="07-05-2023" component="C" file="a.cpp:1">',
    )
    assert (first.form, first.line, second.line) == (Form.CLIENT, 1, 4)
    assert first.message.split("\n")[::2] == ["one", "three"]
    assert (first.component, first.thread, first.severity) == ("CcmExec", 88, Severity.ERROR)
    assert first.time == at(2023, 7, 5, 8, 12, 45, 332_123)
    assert (second.time, second.thread, second.severity) == (None, None, Severity.INFO)
    assert second.local_time == local(2023, 7, 5, 9, 12, 45, 332_000)


def test_client_records_on_one_line_and_cut_short() -> None:
    end = ']LOG]!><time="1:2:3.4+0" date="1-2-2023" component="C" type="1" thread="1" file="">'
    found = read(f"<![LOG[a{end}<![LOG[b{end}", "<![LOG[lost", f"<![LOG[c{end}", "<![LOG[open")
    assert [(record.line, record.message) for record in found] == [
        (1, "a"), (1, "b"), (2, "lost"), (3, "c"), (4, "open"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "date, expected",
    [
        ("7/15/2023 9:12:45 AM", local(2023, 7, 15, 9, 12, 45)),
        ("7/8/2023 12:12:45 AM", local(2023, 7, 8, 0, 12, 45)),
        ("7/8/2023 12:12:45 PM", local(2023, 7, 8, 12, 12, 45)),
        ("15.07.2023 21:12:45", local(2023, 7, 15, 21, 12, 45)),
        ("2023-07-15 21:12:45", local(2023, 7, 15, 21, 12, 45)),
    ],
)
def test_viewer_form(date: str, expected: datetime) -> None:
    record = only(f"a\tb failed\tSMS_X\t{date}\t4116 (0x1014)")
    assert (record.form, record.message, record.component) == (Form.VIEWER, "a\tb failed", "SMS_X")
    assert (record.thread, record.local_time, record.time) == (4116, expected, None)
    assert record.severity is Severity.ERROR


def test_pasted_with_dates_two_to_a_line() -> None:
    one, two = read("23/03/2012 09:56:16 Mounting image 24/03/2012 09:56:17 UnMounting Image (x)")
    assert (one.line, two.line, one.form) == (1, 1, Form.PASTED)
    assert (one.message.strip(), two.message) == ("Mounting image", "UnMounting Image (x)")
    assert one.local_time == local(2012, 3, 23, 9, 56, 16)
    assert two.local_time == local(2012, 3, 24, 9, 56, 17)
    assert two.log == "offline"


def test_servicing_form_with_its_further_lines() -> None:
    first, second = read(
        "2024-05-06 07:08:09, Info                  DISM   DISM.EXE: Host machine information: x",
        "more",
        "",
        "\teven more",
        "",
        "2024-05-06 07:08:10, Warning               DISM   DISM WIM Provider: PID=1 TID=2 y",
    )
    assert first.message == "DISM.EXE: Host machine information: x\nmore\n\n\teven more"
    assert (first.form, first.component, first.severity) == (Form.SERVICING, "DISM", Severity.INFO)
    assert (first.local_time, first.time) == (local(2024, 5, 6, 7, 8, 9), None)
    assert (second.line, second.process, second.thread) == (6, 1, 2)
    assert (second.severity, second.log) == (Severity.WARNING, "dism")


@pytest.mark.parametrize(
    "line, component, message, severity",
    [
        ("2024-05-06 07:08:09, Info                  CBS    TI: x", "CBS", "TI: x", Severity.INFO),
        ("2024-05-06 07:08:09, Error                 CSI    00@x", "CSI", "00@x", Severity.ERROR),
        ("2024-05-06 07:08:09, Perf                  CBS    x", "CBS", "x", Severity.INFO),
        ("2024-05-06 07:08:09, Info                         x y", "", "x y", Severity.INFO),
        ("2024-05-06 07:08:09, Info                  DISM   ", "DISM", "", Severity.INFO),
        ("2024-05-06 07:08:09, Info", "", "", Severity.INFO),
        ("2024-05-06 07:08:09, Fehler                DISM   x", "DISM", "x", Severity.UNKNOWN),
        ("2024-05-06 07:08:09.123, Info       MOUPG  x", "MOUPG", "x", Severity.INFO),
    ],
)  # fmt: skip
def test_servicing_components(line: str, component: str, message: str, severity: Severity) -> None:
    record = only(line)
    assert record.form is Form.SERVICING
    assert (record.component, record.message, record.severity) == (component, message, severity)


def test_stack_lines() -> None:
    head = "2024-05-06 07:08:09, Error                 DISM   DISM.EXE: x"
    found = read(
        head,
        "[4120] [0x800700a1] ImageRecaptureDirectory:(141): The specified path is invalid.",
        "[20716.10956] [0xc142011c] WIMUnmount:(641)",
        "[7264] ImageUnmarshallHandle: Reconstituting wim at C:\\x.",
        r"[\<PID>] [0x800700a1] WIMCommitImageHandle:(1417): The specified path is invalid.  ",
        "[2] no frame",
    )
    assert [record.form for record in found] == [
        Form.SERVICING, Form.STACK, Form.STACK, Form.STACK, Form.STACK, Form.PLAIN,
    ]  # fmt: skip
    assert [record.process for record in found[1:5]] == [4120, 20716, 7264, None]
    assert [record.thread for record in found[1:5]] == [None, 10956, None, None]
    assert [record.codes for record in found] == [
        (), (0x800700A1,), (0xC142011C,), (), (0x800700A1,), (),
    ]  # fmt: skip
    assert [record.functions for record in found[1:5]] == [
        ("ImageRecaptureDirectory",), ("WIMUnmount",), ("ImageUnmarshallHandle",),
        ("WIMCommitImageHandle",),
    ]  # fmt: skip
    assert [record.severity for record in found[1:4]] == [
        Severity.ERROR, Severity.ERROR, Severity.INFO,
    ]  # fmt: skip


def test_all_forms_in_one_file() -> None:
    lines = (
        f"a  $$<SMS_OFFLINE_SERVICING_MANAGER>{STAMP}",
        "2024-05-06 07:08:09, Info                  CBS    b",
        "c",
        '<![LOG[d]LOG]!><time="1:2:3.4+0" date="1-2-2023" component="C" type="2" thread="1">',
        "<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>",
        "",
        "e\tSMS_X\t7/15/2023 9:12:45 AM\t1 (0x1)",
        "SMS_OFFLINE_SERVICING_MANAGER f",
        "DISM   DISM WIM Provider: g",
        "h",
        "[1] [0x80070005] I:(1): i",
    )
    found = read(*lines)
    assert [(record.form, record.line, record.log) for record in found] == [
        (Form.SERVER, 1, "offline"),
        (Form.SERVICING, 2, "cbs"),
        (Form.CLIENT, 4, "other"),
        (Form.VIEWER, 7, "other"),
        (Form.PASTED, 8, "offline"),
        (Form.PASTED, 9, "dism"),
        (Form.PLAIN, 10, "other"),
        (Form.STACK, 11, "dism"),
    ]
    assert found[1].text == "2024-05-06 07:08:09, Info                  CBS    b\nc"


@pytest.mark.parametrize(
    "file, expected",
    [
        ("/a/OfflineServicingMgr-20240101-000000.log", "offline"),
        (r"C:\Windows\Logs\DISM\dism.log", "dism"),
        ("CbsPersist_20240101000000.log", "cbs"),
        ("/dism/notes.txt", "other"),
    ],
)
def test_the_file_tells_where_the_form_does_not(file: str, expected: str) -> None:
    assert read("plain", file=file)[0].log == expected


def test_quoted_server_lines_and_status_messages() -> None:
    message = 'STATMSG: ID=7900 SEV=I LEV=M SOURCE="SMS" SYS=s SITE=MS1 PID=2 TID=3 ISTR0="9"'
    record = only(f"{message}  $$<SMS_OFFLINE_SERVICING_MANAGER>{STAMP}")
    status = record.status_message
    assert status is not None
    assert (status.id, status.site, status.pid, status.insertion(0)) == (7900, "MS1", 2, "9")
    assert only("SMS_EXECUTIVE nothing").status_message is None


def numbers(found: Sequence[Record]) -> list[int]:
    return [record.line for record in found]


def test_tildes_that_lead_nowhere_stay_lines() -> None:
    found = read("SMS_AB one~", "SMS_AB two~", "SMS_AB three", f"four  $$<C>{STAMP}")
    assert numbers(found) == [1, 2, 3, 4]
    assert [record.form for record in found] == [*[Form.PASTED] * 3, Form.SERVER]
    assert read("x~")[0].form is Form.PLAIN
