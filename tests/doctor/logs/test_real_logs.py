"""The two public logs, against counts that `re` makes of their bytes."""

from __future__ import annotations

import lzma
import re
from collections import Counter
from pathlib import Path

import pytest

from wimdock.doctor.logs import Form, Severity, read_logs

_START = re.compile(
    rb"^(?:\xef\xbb\xbf)?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, (\w+) +(\w+)", re.MULTILINE
)


@pytest.mark.parametrize(
    "name, first, last, codes",
    [
        (
            "CBS.log",
            "TI: --- Initializing Trusted Installer ---",
            "Ending TiWorker finalization.",
            {0x800F0805: 70},
        ),
        (
            "win7_dism.log",
            "PID=10500 Scratch directory set to",
            "DISM Provider Store: PID=3900 Releasing the local reference to DISMLogger.",
            {0x8007007E: 13},
        ),
    ],
)
def test_every_record(
    shared_data: Path, name: str, first: str, last: str, codes: dict[int, int]
) -> None:
    path = shared_data / "logs" / f"{name}.xz"
    data = lzma.decompress(path.read_bytes())
    starts = _START.findall(data)
    found = list(read_logs([path]))
    assert len(found) == len(starts) == data.count(b"\n")
    assert found[0].message.startswith(first)
    assert found[-1].message.startswith(last)
    assert {record.form for record in found} == {Form.SERVICING}
    assert Counter(record.component.encode() for record in found) == Counter(
        component for _, component in starts
    )
    levels = {b"Info": Severity.INFO, b"Warning": Severity.WARNING, b"Error": Severity.ERROR}
    assert [record.severity for record in found] == [levels[level] for level, _ in starts]
    assert Counter(code for record in found for code in record.codes) == codes
    assert [record.text for record in found] == data.decode("utf-8-sig").splitlines()
    assert all(record.local_time is not None and record.time is None for record in found)


def test_processes_and_hosts_of_dism(shared_data: Path) -> None:
    found = list(read_logs([shared_data / "logs" / "win7_dism.log.xz"]))
    data = lzma.decompress((shared_data / "logs" / "win7_dism.log.xz").read_bytes())
    assert Counter(record.process for record in found if record.process is not None) == Counter(
        int(number) for number in re.findall(rb"PID=(\d+)", data)
    )
    start = "DISM.EXE: Host machine information: OS Version=6.1.7600,"
    hosts = [record for record in found if record.message.startswith(start)]
    assert len(hosts) == data.count(b"Host machine information")
    assert {name for record in found for name in record.functions} >= {
        "CDISMProviderStore::Internal_GetProvider"
    }


@pytest.mark.parametrize("name", ["CBS.log", "win7_dism.log"])
def test_the_notable_ones(shared_data: Path, name: str) -> None:
    path = shared_data / "logs" / f"{name}.xz"
    every = list(read_logs([path]))
    notable = list(read_logs([path], notable_only=True))
    assert [(record.line, record.text) for record in notable] == [
        (record.line, record.text) for record in every if record.is_notable
    ]
    assert len(notable) < len(every) / 5
    assert all(record.is_notable for record in every if record.codes)
