"""What we write is read back as it was given, and looks like what Windows writes."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wimdock.clock import FixedClock
from wimdock.doctor.logs import Form, Record, Severity, read_logs
from wimdock.doctor.logs.dism_form import DismLog
from wimdock.doctor.logs.server_form import ServerLog
from wimdock.errors import StorageError
from wimdock.reparse.hosts import SERVER_2012_R2

NOON = datetime(2024, 3, 9, 12, 30, 15, 250_000, tzinfo=UTC)
CLOCK = FixedClock(NOON)
SERVER_END = "  $$<SMS_X><03-09-2024 12:30:15.250+000><thread=1 (0x1)>"
MARKER = "<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>"
DISM_LINE = "2024-03-09 12:30:15, Info                  DISM   DISM.EXE: x"

# Pieces that mean something to a reader, and any text but the documented exceptions U+FEFF and NUL.
_PIECES = st.sampled_from(
    ["~", "$$<", "\n", "~\n", "\n\n", "\t", "\r", "\r\n", " ", "  ", "> ", "\\<PID>", "SMS_A b",
     "<![LOG[", "]LOG]!>", "thread=1 (0x1)>", "[4120] [0x800700a1] F:(1): t", "DISM DISM x",
     "\n[4120] [0x800700a1] F:(1)", "\n2024-03-09 12:30:15, Info x", "\n" + DISM_LINE,
     "\n\t" + DISM_LINE, "a" + SERVER_END + "\n", "\nx\tC\t3/9/2024 1:02:03 PM\t4 (0x4)",
     MARKER, "\n" + MARKER, "\n09/03/2024 10:00:00 m", "\x85", "\u2028", "\x0c", "\x1c"]
)  # fmt: skip
MESSAGES = st.lists(
    _PIECES | st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=12),
    max_size=10,
).map("".join)


def _read_back(name: str, write: Callable[[Path], None]) -> list[Record]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        write(path)
        return list(read_logs([path], companions=False))


@given(st.lists(MESSAGES, min_size=1, max_size=5))
@example(["a~\n~b", "> quoted \\<x>  ", "", "\n", "x" + SERVER_END])
@example([DISM_LINE + "\nmore"])
def test_server_messages_come_back(messages: list[str]) -> None:
    def write(path: Path) -> None:
        with ServerLog(path, "SMS_X", CLOCK, thread=7) as log:
            for message in messages:
                log.write(message)

    found = _read_back("x.log", write)
    assert [record.message for record in found] == messages
    assert {record.form for record in found} == {Form.SERVER}
    assert {(record.component, record.thread, record.time) for record in found} == {
        ("SMS_X", 7, NOON)
    }


@given(st.lists(MESSAGES, min_size=1, max_size=5))
@example(["a\n\n", "\n\n[1] [0x80070005] F:(1)", "a\n\t" + DISM_LINE, "~", "b~\nc" + SERVER_END])
def test_dism_messages_come_back(messages: list[str]) -> None:
    def write(path: Path) -> None:
        with DismLog(path, CLOCK, 10, 20) as dism:
            dism.session_start("dism /?", SERVER_2012_R2)
            for message in messages:
                dism.error("DISM WIM Provider", message)

    found = _read_back("dism.log", write)[5:]
    start = "DISM WIM Provider: PID=10 TID=20 "
    assert [record.message for record in found] == [start + message for message in messages]
    assert {(record.form, record.severity) for record in found} == {
        (Form.SERVICING, Severity.ERROR)
    }
    assert {(record.process, record.thread) for record in found} == {(10, 20)}


def test_server_form_is_that_of_windows() -> None:
    stream = io.StringIO()
    log = ServerLog(stream, "SMS_OFFLINE_SERVICING_MANAGER", CLOCK, thread=4116, bias=240)
    log.write("UnMountImage returned code 0x800700a1~")
    log.write("Failed", component="SMS_EXECUTIVE", thread=1)
    ServerLog(stream, "C", CLOCK, thread=1, bias=-60).write("b")
    assert stream.getvalue() == (
        "UnMountImage returned code 0x800700a1~  $$<SMS_OFFLINE_SERVICING_MANAGER>"
        "<03-09-2024 08:30:15.250+240><thread=4116 (0x1014)>\r\n"
        "Failed  $$<SMS_EXECUTIVE><03-09-2024 08:30:15.250+240><thread=1 (0x1)>\r\n"
        "b  $$<C><03-09-2024 13:30:15.250-060><thread=1 (0x1)>\r\n"
    )


def test_dism_form_is_that_of_windows() -> None:
    stream = io.StringIO()
    dism = DismLog(stream, CLOCK, 4120, 7)
    dism.session_start(r"dism /unmount-image /mountdir:D:\x /commit", SERVER_2012_R2)
    dism.stack(0x800700A1, "ImageRecaptureDirectory", 141, "The specified path is invalid.\r\n")
    dism.error("DISM.EXE", "x")
    dism.warning("DISM Manager", "y")
    dism.session_end()
    line = "2024-03-09 12:30:15, Info                  DISM   DISM.EXE: "
    assert stream.getvalue().split("\r\n") == [
        line,
        line + "<----- Starting Dism.exe session ----->",
        line,
        line + "Host machine information: OS Version=6.3.9600, Running architecture=amd64, "
        "Number of processors=1",
        line + r"Executing command line: dism /unmount-image /mountdir:D:\x /commit",
        "[4120] [0x800700a1] ImageRecaptureDirectory:(141): The specified path is invalid.",
        "2024-03-09 12:30:15, Error                 DISM   DISM.EXE: x",
        "2024-03-09 12:30:15, Warning               DISM   DISM Manager: PID=4120 TID=7 y",
        line,
        line + "<----- Ending Dism.exe session ----->",
        line,
        "",
    ]


def test_a_large_log_is_renamed_and_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "OfflineServicingMgr.log"
    with ServerLog(path, "SMS_X", CLOCK, most=4000) as log:
        for number in range(60):
            log.write(f"message {number}")
    older = path.with_suffix(".lo_")
    assert older.read_bytes().endswith(b"\r\n<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>\r\n")
    assert path.stat().st_size <= 4000
    found = [record.message for record in read_logs([path])]
    numbers = [int(message.split()[1]) for message in found]
    assert numbers == list(range(numbers[0], 60))
    assert len(numbers) > 20
    assert len(list(read_logs([path], companions=False))) < len(numbers)


def test_a_large_dism_log_is_renamed_and_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "dism.log"
    with DismLog(path, CLOCK, 1, 2, most=4000) as dism:
        for number in range(60):
            dism.info("DISM Manager", f"message {number}")
    assert path.with_name("dism.log.bak").stat().st_size <= 4000
    found = [record.message for record in read_logs([path])]
    numbers = [int(message.split()[-1]) for message in found]
    assert numbers == list(range(numbers[0], 60))
    assert len(numbers) > 20


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.log"

    def write(name: str) -> None:
        with ServerLog(path, name, CLOCK, most=20_000) as log:
            for number in range(200):
                log.write(f"{name} {number}\nsecond line")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, ["A", "B"]))
    records = list(read_logs([path]))
    for name in ("A", "B"):
        numbers = [
            int(re.findall(r"\d+", record.message)[0])
            for record in records
            if record.component == name
        ]
        assert numbers == list(range(numbers[0], 200))
    assert {record.form for record in records} == {Form.SERVER}
    assert {record.message.split("\n")[1] for record in records} == {"second line"}


def test_a_full_disk_is_our_error() -> None:
    with ServerLog(Path("/dev/full"), "C", CLOCK) as log, pytest.raises(StorageError) as caught:
        log.write("x")
    assert caught.value.hresult == 0x80070070


def test_a_folder_that_is_not_there_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        DismLog(tmp_path / "no" / "dism.log", CLOCK)


def test_what_cannot_be_in_a_log_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    with ServerLog(path, "a<b>\nc", CLOCK) as log:
        log.write("nul \0 half \ud800 end")
    (record,) = read_logs([path])
    assert record.message == "nul \u2400 half \\ud800 end"
    assert record.component == "a(b) c"
