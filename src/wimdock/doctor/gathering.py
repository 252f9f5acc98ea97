"""All logs of a case read as one stream, and what is kept of them for a diagnosis.

Memory is bounded whatever the logs hold: sessions without trouble leave a few facts behind, those
with trouble their traces, and no more than `MOST_SESSIONS` of them are kept.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from wimdock.doctor.cbs_log import OUTCOME, CbsLog
from wimdock.doctor.dism_log import DismLog
from wimdock.doctor.logs import Form, Record, Severity
from wimdock.doctor.matching import Matcher
from wimdock.doctor.offline_log import OfflineLog, tells_of_failure
from wimdock.doctor.session import Command, ImageWork, Place, Session
from wimdock.doctor.trace import Trace, is_failure, shortened, whole
from wimdock.reparse.hosts import Build

MOST_SESSIONS = 1000
"""So many sessions with trouble are kept of each kind, the latest; the rest is counted."""

_MOST_REMEMBERED = 5000
_MOST_PLACES = 50
_PARTS_OF_NAME = re.compile(r"(?:\.(?:log|lo_|bak|old|txt))+$", re.IGNORECASE)
_DISCARD = re.compile(r"[/-](?:discard|cleanup-wim|cleanup-mountpoints)\b", re.IGNORECASE)
_EVERYWHERE = ""
_Kind = TypeVar("_Kind", bound=Session)


@dataclass(slots=True)
class HostSpan:
    """A host as one DISM.log names it, from the first place to the last without another between.

    `packages` are those that its sessions worked on, with where the last of these ended,
    `failures` these packages with each code that failed.
    """

    build: Build
    family: str
    first: Place
    last: Place
    packages: dict[str, list[Place]] = field(default_factory=dict)
    failures: set[tuple[str, int]] = field(default_factory=set)


@dataclass(slots=True)
class Mention:
    """A code of a failure in records that tell of none: how often, and where first."""

    code: int
    log: str
    place: Place
    text: str
    count: int = 1


@dataclass(slots=True)
class Source:
    """One file that was read: how many records were looked at, and the times they span.

    `last_line` is the line at which the last of them begins.
    """

    file: str
    records: int = 0
    last_line: int = 0
    first: datetime | None = None
    last: datetime | None = None
    logs: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Gathered:
    """What is kept of the logs of a case.

    `works`, `dism_commands` and `others` are the sessions that a diagnosis could be made of, each
    kind in the order of their ends; `left_out` counts the earlier ones beyond the limit.
    `successes` holds the last places at which an image package ended well, by package ID, and
    `own_successes` those where wimdock did the work; `good_commands` those of a command, by its
    words; `discards` those at which a mount directory was given up, by the directory, "" for all of
    them.
    """

    works: deque[ImageWork] = field(default_factory=deque)
    dism_commands: deque[Command] = field(default_factory=deque)
    others: deque[Session] = field(default_factory=deque)
    left_out: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    sources: dict[str, Source] = field(default_factory=dict)
    hosts: list[HostSpan] = field(default_factory=list)
    mentions: dict[tuple[str, int], Mention] = field(default_factory=dict)
    successes: dict[str, list[Place]] = field(default_factory=dict)
    own_successes: dict[str, list[Place]] = field(default_factory=dict)
    good_commands: dict[str, list[Place]] = field(default_factory=dict)
    discards: dict[str, list[Place]] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """How many records were looked at."""
        return sum(source.records for source in self.sources.values())


def gather(records: Iterable[Record], matcher: Matcher) -> Gathered:
    """Read all records and keep what matters."""
    gathering = _Gathering(matcher)
    for record in records:
        gathering.add(record)
    gathering.close()
    return gathering.found


class _Gathering:
    def __init__(self, matcher: Matcher) -> None:
        self.found = Gathered()
        self._matcher = matcher
        self._order = 0
        self._readers: dict[tuple[str, str], OfflineLog | DismLog | CbsLog] = {}
        self._families: dict[str, str] = {}

    def add(self, record: Record) -> None:
        self._order += 1
        log = record.log
        self._note_source(record, log)
        trace = self._trace(record, log)
        self._reader(record.file, log).add(record, self._order, trace)

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()

    def _reader(self, file: str, log: str) -> OfflineLog | DismLog | CbsLog:
        family = self._families.get(file)
        if family is None:
            family = self._families[file] = _PARTS_OF_NAME.sub("", file.casefold())
        reader = self._readers.get((family, log))
        if reader is None:
            if log == "offline":
                reader = OfflineLog(family, self._take_work)
            elif log == "dism":
                reader = DismLog(family, self._take_command)
            else:
                reader = CbsLog(family, self._take)
            self._readers[family, log] = reader
        return reader

    def _note_source(self, record: Record, log: str) -> None:
        source = self.found.sources.get(record.file)
        if source is None:
            source = self.found.sources[record.file] = Source(record.file)
        source.records += 1
        source.last_line = record.line
        source.logs[log] += 1
        at = record.local_time
        if at is not None:
            source.first = at if source.first is None else min(source.first, at)
            source.last = at if source.last is None else max(source.last, at)

    def _trace(self, record: Record, log: str) -> Trace | None:
        evidence = self._matcher.evidence_on(record)
        failing = _is_failing(record, log)
        if not evidence and not failing:
            self._mention(record, log)
            return None
        return Trace(
            file=record.file,
            line=record.line,
            order=self._order,
            log=log,
            text=shortened(record.text),
            message=shortened(record.message),
            codes=tuple(dict.fromkeys(whole(code) for code in record.codes)),
            functions=record.functions,
            is_stack=record.form is Form.STACK,
            failing=failing,
            evidence=evidence,
            local_time=record.local_time,
            time=record.time,
            status_message=record.status_message,
        )

    def _mention(self, record: Record, log: str) -> None:
        for code in record.codes:
            if not is_failure(code):
                continue
            key = (log, whole(code))
            known = self.found.mentions.get(key)
            if known is not None:
                known.count += 1
            elif len(self.found.mentions) < _MOST_REMEMBERED:
                place = Place(record.file, record.line, self._order, record.local_time, record.time)
                self.found.mentions[key] = Mention(whole(code), log, place, shortened(record.text))

    def _take_work(self, work: ImageWork) -> None:
        self.found.counts["images"] += 1
        self.found.counts[f"images {work.result or 'unknown'}"] += 1
        if work.result == "success" and work.finish is not None and work.package:
            own = work.run.own is not None
            known = self.found.own_successes if own else self.found.successes
            _remember(known, work.package, work.finish)
        self._keep(self.found.works, work)

    def _take_command(self, command: Command) -> None:
        if command.has_begun:
            self.found.counts["commands"] += 1
        if command.host is not None and command.host_place is not None:
            self._note_host(command, command.host, command.host_place)
        if command.has_succeeded and command.line:
            _remember(self.found.good_commands, command.key, command.end)
            if _DISCARD.search(command.line):
                _remember(self.found.discards, command.mount.casefold() or _EVERYWHERE, command.end)
        self._keep(self.found.dism_commands, command)

    def _take(self, session: Session) -> None:
        self._keep(self.found.others, session)

    def _keep(self, kept: deque[_Kind], session: _Kind) -> None:
        if not session.evident() and session.result != "failed":
            return
        kept.append(session)
        if len(kept) > MOST_SESSIONS:
            kept.popleft()
            self.found.left_out += 1

    def _note_host(self, command: Command, build: Build, first: Place) -> None:
        hosts = self.found.hosts
        if not hosts or (hosts[-1].build, hosts[-1].family) != (build, command.family):
            if len(hosts) >= _MOST_REMEMBERED:
                return
            hosts.append(HostSpan(build, command.family, first, command.end))
        hosts[-1].last = command.end
        if command.package:
            _remember(hosts[-1].packages, command.package, command.end)
        if command.package and len(hosts[-1].failures) < _MOST_REMEMBERED:
            codes = {code for trace in command.traces for code in trace.failures}
            hosts[-1].failures.update((command.package, code) for code in codes)


def _remember(known: dict[str, list[Place]], key: str, place: Place) -> None:
    if key not in known and len(known) >= _MOST_REMEMBERED:
        return
    places = known.setdefault(key, [])
    places.append(place)
    del places[:-_MOST_PLACES]


def _is_failing(record: Record, log: str) -> bool:
    """Tell whether a record itself tells of a failure; a code that is only named does not."""
    if log == "offline" and record.form is not Form.PLAIN:
        return tells_of_failure(record)
    has_code = any(is_failure(code) for code in record.codes)
    if record.form is Form.SERVICING:
        if record.severity is Severity.ERROR:
            return True
        return has_code and log == "cbs" and OUTCOME.match(record.message) is not None
    if record.form is Form.PLAIN and not record.functions:
        return False  # prose, such as an article that a ticket quotes
    if log == "other":
        return has_code and record.severity in (Severity.ERROR, Severity.UNKNOWN)
    return has_code
