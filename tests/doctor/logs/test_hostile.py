"""Nothing that a log holds makes reading it fail, hang or grow."""

from __future__ import annotations

import lzma
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.doctor.logs import Record, read_logs
from wimdock.doctor.logs.assembly import records
from wimdock.doctor.logs.decoding import Decoder
from wimdock.doctor.logs.lines import whole_lines
from wimdock.errors import LogError

_PIECES = st.sampled_from(
    [b"2024-05-06 07:08:09, Info   DISM   ", b"\r\n", b"\n", b"\0", b"\0\0\0\0\0", b"\xff\xfe",
     b"\xfe\xff", b"a\0b\0c\0d\0", b"\0a\0b\0c\0d", b"~", b"$$<", b"<![LOG[", b"> ", b"\\<",
     b"  $$<C><07-15-2023 09:12:45.332+240><thread=1 (0x1)>", b"[1] [0x800700a1] F:(1)",
     b']LOG]!><time="1:2:3.4+99999" date="1-1-0001">', b"\t1/1/0001 1:00:00 AM\t1 (0x1)", b"\tC",
     b"12/31/9999 23:59:59 x ", b"STATMSG: ID=7913 SEV=E ", b'ISTR3="161" ', b"error 99999999999",
     b"0xffffffff", b"-99999999999", b"SMS_AB ", b"\xc3", b"\xed\xa0\x80", b"exit code ",
     b"<01-01-0001 00:00:00.000-999><thread=99999999999>"]
)  # fmt: skip


def read(blocks: Iterable[bytes], *, notable_only: bool = False) -> list[Record]:
    decoder = Decoder()
    pieces = [*(decoder.feed(block) for block in blocks), decoder.feed(b"", final=True)]
    return list(records("x.log", whole_lines(pieces), notable_only=notable_only))


def use(found: list[Record]) -> None:
    """Ask for everything there is."""
    lines = [record.line for record in found]
    assert lines == sorted(lines)
    for record in found:
        assert record.text
        assert len(record.text) <= 200_000
        assert all(0 < code <= 0xFFFFFFFF for code in record.codes)
        assert isinstance(record.functions, tuple)
        assert record.time is None or record.time.tzinfo is not None
        assert record.local_time is None or record.local_time.tzinfo is None
        assert record.log in {"offline", "dism", "cbs", "other"}
        assert all(number is None or number >= 0 for number in (record.process, record.thread))
        _ = (record.message, record.component, record.severity, record.status_message, repr(record))


@given(st.lists(_PIECES | st.binary(max_size=20), max_size=25), st.booleans())
def test_any_bytes(pieces: list[bytes], notable_only: bool) -> None:  # noqa: FBT001
    use(read(pieces, notable_only=notable_only))


@pytest.mark.parametrize("name", ["CBS.log", "win7_dism.log"])
def test_mutations_of_real_logs(shared_data: Path, name: str) -> None:
    data = lzma.decompress((shared_data / "logs" / f"{name}.xz").read_bytes())
    dice = random.Random(name)
    for _ in range(40):
        start = dice.randrange(len(data))
        part = bytearray(data[start : start + dice.randrange(30_000)])
        if dice.random() < 0.3:
            part = bytearray(part.decode("utf-8", "replace").encode("utf-16-le"))
        for _ in range(dice.randrange(60)):
            if not part:
                break
            at = dice.randrange(len(part))
            kind = dice.randrange(4)
            if kind == 0:
                part[at] = dice.randrange(256)
            elif kind == 1:
                del part[at : at + dice.randrange(400)]
            elif kind == 2:
                part[at:at] = bytes(dice.randrange(200))
            else:
                part[at:at] = part[dice.randrange(len(part)) :][: dice.randrange(400)]
        every = read([bytes(part)])
        use(every)
        assert [
            (record.line, record.text) for record in read([bytes(part)], notable_only=True)
        ] == [(record.line, record.text) for record in every if record.is_notable]


@pytest.mark.parametrize(
    "text",
    [
        "error " * 20_000,
        "errorerror" * 10_000,
        "exit code " * 12_000,
        "a" * 100_000,
        "a::" * 40_000,
        "A" * 50_000 + " failed",
        "x returned" + " " * 100_000,
        " " * 100_000 + "x",
        "\t" * 100_000,
        "-" * 100_000,
        "0x8" * 40_000,
        "> " * 50_000,
        "$$<" * 40_000,
        "<![LOG[" * 20_000,
        'a="' * 40_000,
        "1/1/2024 1:00:00 x " * 6_000,
        "STATMSG: ID=7913 " * 8_000,
        "STATMSG: ID=7913 SYS=" + " " * 60_000 + "x",
        "flags" * 20_000 + " 0x80070005",
        "[" * 100_000,
        "~\n" * 50_000,
        "<![LOG[\n" * 30_000,
        "2024-05-06 07:08:09, Info   DISM   x~\n" * 5_000,
        "2024-05-06 07:08:09, Info   DISM   x\n" + "more\n" * 50_000,
    ],
    ids=lambda text: text[:12],
)
def test_nothing_takes_long(text: str) -> None:
    before = time.process_time()
    for wrapped in (text, f"2024-05-06 07:08:09, Info   DISM   {text}", f"SMS_AB {text}"):
        use(read([wrapped.encode()]))
    assert time.process_time() - before < 8


_GROWTH = """
import sys
from pathlib import Path
from wimdock.doctor.logs import read_logs
for notable in (False, True):
    for record in read_logs([Path(sys.argv[1])], notable_only=notable):
        record.codes
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) >> 10)
"""


@pytest.mark.parametrize("kind", ["lines", "one line", "holes", "utf-16", "one record"])
def test_memory_stays_small(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "dism.log"
    line = "2024-05-06 07:08:09, Info                  DISM   DISM.EXE: some words of a record\r\n"
    blocks = {
        "lines": line.encode() * 10_000,
        "one line": b"x" * 1_000_000,
        "holes": bytes(1_000_000),
        "utf-16": line.encode("utf-16-le") * 5_000,
        "one record": b"more of it, and even more of all this\r\n" * 10_000,
    }
    with path.open("wb") as file:
        file.write(line.encode("utf-16-le" if kind == "utf-16" else "utf-8"))
        for _ in range(20):
            file.write(blocks[kind])
    said = subprocess.run(
        [sys.executable, "-c", _GROWTH, str(path)], capture_output=True, text=True, check=True
    )
    assert int(said.stdout) < 100


def test_a_log_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dism.log"
    path.write_bytes(b"one\n" * 400_000)
    reader = read_logs([path])
    next(reader)
    with path.open("ab") as file:
        file.write(b"two\n")
    *_, last = reader
    assert (last.text, last.line) == ("two", 400_001)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_log(device: str) -> None:
    with pytest.raises(LogError, match="no log file"):
        list(read_logs([Path(device)]))
