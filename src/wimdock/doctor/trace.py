"""What is kept of a log: the records that say something about a failure, each once.

A log of gigabytes repeats itself. A record that says what another of the same session said is
counted and not kept, and a session keeps no more than `MOST_TRACES`: memory stays bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from wimdock.configmgr.status_message import StatusMessage

MOST_TRACES = 200
"""So many different records are kept of one session."""

_LONGEST_TEXT = 2000
_NUMBERS = re.compile(r"0x[0-9A-Fa-f]+|\d+")
_FACILITY_WIN32 = 0x80070000
_LARGEST_LOW_WORD = 0xFFFF
_FAILURE = 0x80000000
_N_BIT = 0x10000000

EvidenceKey = tuple[str, str]
"""The id of a rule and the name of one of its evidences."""


def whole(code: int) -> int:
    """Give a code as an HRESULT: a low word such as 161 is a Win32 code, 0x800700A1."""
    return _FACILITY_WIN32 | code if 0 < code <= _LARGEST_LOW_WORD else code


def spellings(code: int) -> tuple[int, ...]:
    """Give a code and the NTSTATUS that HRESULT_FROM_NT made it of, where that is what it is."""
    full = whole(code)
    return (full, full & ~_N_BIT) if full >> 28 == 0xD else (full,)  # noqa: PLR2004 - 1101: N set


def is_failure(code: int) -> bool:
    """Tell whether a code stands for a failure; 0 and positive HRESULTs do not."""
    return bool(whole(code) & _FAILURE)


@dataclass(slots=True)
class Trace:
    """A record that was kept.

    `order` counts all records that were read, over all files. `codes` are HRESULTs in the order in
    which they stand in it. `failing` says whether the record itself tells of a failure.
    `update` is the update that was at work. `repeated` counts records of the session that say the
    same, `last_order` the last of them.
    """

    file: str
    line: int
    order: int
    log: str
    text: str
    message: str
    codes: tuple[int, ...]
    functions: tuple[str, ...]
    is_stack: bool
    failing: bool
    evidence: tuple[EvidenceKey, ...]
    local_time: datetime | None
    time: datetime | None
    status_message: StatusMessage | None = None
    update: str = ""
    repeated: int = 0
    last_order: int = 0

    @property
    def failures(self) -> tuple[int, ...]:
        """The codes that stand for a failure."""
        return tuple(code for code in self.codes if is_failure(code))


def shortened(text: str) -> str:
    """Give a text that is not too long to quote; it ends where a word does."""
    if len(text) <= _LONGEST_TEXT:
        return text
    cut = max(text.rfind(mark, 0, _LONGEST_TEXT) for mark in " \\\n\t/,;")
    return text[: max(cut, 0)] + " …"


@dataclass(slots=True)
class Traces:
    """The traces of one session, in their order; `left_out` counts those beyond the limit."""

    kept: list[Trace] = field(default_factory=list)
    left_out: int = 0
    _known: dict[tuple[object, ...], Trace] = field(default_factory=dict)

    def add(self, trace: Trace) -> None:
        """Keep a trace, or count it where the same is there already."""
        shape = _NUMBERS.sub("#", trace.message)
        key = (trace.log, trace.codes, trace.evidence, trace.failing, trace.update, shape)
        same = self._known.get(key)
        if same is not None:
            same.repeated += 1
            same.last_order = trace.order
            return
        # What a rule looks for is always worth its place: there are only so many evidences.
        if len(self.kept) >= MOST_TRACES and not self._is_new_evidence(trace):
            self.left_out += 1
            return
        trace.last_order = trace.order
        self._known[key] = trace
        self.kept.append(trace)

    def take_out(self, wanted: Callable[[Trace], bool]) -> list[Trace]:
        """Give away the traces that belong to another session after all."""
        gone = [trace for trace in self.kept if wanted(trace)]
        self.kept = [trace for trace in self.kept if not wanted(trace)]
        self._known = {key: each for key, each in self._known.items() if not wanted(each)}
        return gone

    def _is_new_evidence(self, trace: Trace) -> bool:
        return any(
            all(found not in other.evidence for other in self.kept) for found in trace.evidence
        )

    def __iter__(self) -> Iterator[Trace]:
        """Give the traces in their order."""
        return iter(self.kept)

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.kept)

    @property
    def failing(self) -> list[Trace]:
        """The traces that tell of a failure."""
        return [trace for trace in self.kept if trace.failing]
