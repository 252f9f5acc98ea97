"""Reading a long CBS.log, against what only looks for a word or counts lines."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure, Range, ratio
from bench.process import timed
from bench.rounds import Measured, Say

NAME = "CBS.log"
_MEGABYTE = 1e6
_LEAST_PER_SECOND = 50.0
_MOST_MEMORY = 200.0
_LINES = 5_000
# The goal is one for reading; whether it holds depends on how much of each record is asked for.
_RATES = {
    "records": "records",
    "notable": "notable",
    "findings": "notable with all fields",
    "fields": "records with all fields",
}
_READERS = (*_RATES, "lines")
# Of a hundred lines: so many tell of a failure, have a second line, or come from the store.
_FAILED, _LONGER, _STORE = 4, 1, 15


def make_log(path: Path, megabytes: int) -> None:
    """Write a log of made-up lines, unless it is there already."""
    size = megabytes * 10**6
    if path.exists() and path.stat().st_size >= size:
        return
    dice = random.Random(_LINES)
    with path.open("wb") as file:
        while file.tell() < size:
            file.write("".join(_lines(dice)).encode())


def _lines(dice: random.Random) -> Iterator[str]:
    day = f"20{dice.randrange(15, 30)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
    for number in range(_LINES):
        at = f"{day} {number // 250:02}:{number // 5 % 60:02}:{number % 60:02}"
        package = f"Bench-Feature-{dice.randrange(10**6)}-Package~0123456789abcdef~amd64~~10.0"
        version = f"{dice.randrange(10_000, 30_000)}.{dice.randrange(1, 5_000)}"
        kind = dice.randrange(100)
        if kind < _FAILED:
            words = f"Failed to look at package: {package}.{version} [HRESULT = 0x800f0805]"
        elif kind < _FAILED + _LONGER:
            words = (
                f"State of {package}.{version} follows\r\n  current: Staged\r\n  wanted: Installed"
            )
        elif kind < _FAILED + _LONGER + _STORE:
            words = (
                f"{number:08x} Component {package}.{version} stays as it is in the store, pin: 0x2"
            )
        else:
            words = (
                f"Looked at package: {package}.{version}, applicable state: 112, current state: 0"
            )
        component = "CSI" if _LONGER + _FAILED <= kind < _LONGER + _FAILED + _STORE else "CBS"
        yield f"{at}, Info                  {component}    {words}\r\n"


def measure_logs(path: Path, rounds: int, say: Say) -> Measured:
    """Read the log with every program in turn."""
    measured = Measured(NAME)
    for number in range(rounds):
        say(f"{NAME}: reading, round {number + 1} of {rounds}")
        for what in _READERS:
            measured.note(what, timed(sys.executable, "-m", "bench.log_reader", what, path))
        measured.note("grep -c", timed("sh", "-c", f"grep -c HRESULT '{path}' | cat"))
        measured.note("wc -l", timed("wc", "-l", path))
    return measured


def log_figures(measured: Measured, path: Path) -> list[Figure]:
    """Give the figures, start-up of Python included."""
    runs = measured.runs
    size = path.stat().st_size / _MEGABYTE
    found = [
        Figure(
            f"{name}, per second",
            NAME,
            Range.of([size / sample.seconds for sample in runs[what]]),
            _LEAST_PER_SECOND,
            at_least=True,
            unit="MB/s",
            rounds=len(runs[what]),
        )
        for what, name in _RATES.items()
    ]
    peaks = [sample.peak / _MEGABYTE for what in _RATES for sample in runs[what]]
    memory = Range(max(peaks), min(peaks), max(peaks))
    found.append(
        Figure("peak memory of reading", NAME, memory, _MOST_MEMORY, unit="MB", rounds=len(peaks))
    )
    for ours, theirs in (("records", "lines"), ("notable", "lines"), ("notable", "grep -c")):
        names = {"lines": "Python's lines"}
        name = f"{ours} / {names.get(theirs, theirs)}"
        found.append(ratio(name, NAME, runs[ours], runs[theirs], None))
    return found
