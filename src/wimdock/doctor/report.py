"""An examination as plain values: what is shown as text, as JSON and as HTML, and what is masked.

Everything here is text, numbers and tuples of these, so that redaction can go through all of it in
one place and the three outputs cannot differ in what they tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from wimdock.configmgr.provider import Provider
from wimdock.doctor.codes import meanings_of
from wimdock.doctor.examination import Examination
from wimdock.doctor.finding import Advice, Finding, JudgedHost, Step
from wimdock.doctor.gathering import Gathered, Mention
from wimdock.doctor.incident import Incident
from wimdock.doctor.providers import system_of
from wimdock.doctor.rule import Source
from wimdock.doctor.session import Place
from wimdock.doctor.trace import Trace
from wimdock.doctor.wording import sentence

_MOST_EVIDENCE = 12
_MOST_AGAIN = 50
_MOST_MENTIONS = 20


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a log; `at` is its local time as the log writes it, empty where it has none."""

    file: str
    line: int
    at: str = ""


@dataclass(frozen=True, slots=True)
class ReadLog:
    """A file that was read, up to the record that begins at `last_line`.

    Times are local to the machine that wrote it. Of DISM.log and CBS.log only the records count
    that could matter.
    """

    file: str
    records: int
    last_line: int
    kinds: tuple[str, ...]
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was not read, or not to its end, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code with its best meaning; empty texts where no table has it."""

    code: str
    name: str
    text: str
    table: str


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A code in records that tell of no failure."""

    code: Code
    log: str
    count: int
    first: Spot
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A line quoted; `repeated` further records of the session say the same."""

    file: str
    line: int
    log: str
    text: str
    repeated: int


@dataclass(frozen=True, slots=True)
class Case:
    """What a failure happened to; empty or None where no log tells it."""

    package: str
    index: int | None
    mount: str
    image: str
    updates: tuple[str, ...]
    command: str
    host: str
    host_named_at: Spot | None
    server: str
    site: str
    schedule: str
    result: str
    began: str
    began_utc: str
    ended: str
    place: Spot


@dataclass(frozen=True, slots=True)
class RuledOutFailure:
    """A known failure that is not what happened, and why."""

    number: int
    rule: str
    title: str
    because: str


@dataclass(frozen=True, slots=True)
class Reported:
    """One finding."""

    number: int
    known: bool
    by_wimdock: bool
    failure: int | None
    rule: str | None
    confidence: str | None
    title: str
    because: str
    what_happened: str
    cause: str
    case: Case
    codes: tuple[Code, ...]
    evidence: tuple[Quote, ...]
    evidence_left_out: int
    also_seen: tuple[Code, ...]
    ruled_out: tuple[RuledOutFailure, ...]
    hosts: tuple[JudgedHost, ...]
    what_to_do: tuple[Advice, ...]
    clean_up: tuple[Step, ...]
    notes: tuple[str, ...]
    again: tuple[Spot, ...]
    times: int
    follows: int | None
    may_follow: int | None
    since_succeeded: Spot | None
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class GivenProvider:
    """A provider as the user gave it."""

    name: str
    build: str


@dataclass(frozen=True, slots=True)
class Report:
    """All of it; `images` and `commands` count what the logs show, failed or not."""

    logs: tuple[ReadLog, ...]
    unread: tuple[Unread, ...]
    records: int
    images: int
    images_failed: int
    commands: int
    left_out: int
    image: str
    providers: tuple[GivenProvider, ...]
    redacted: bool
    findings: tuple[Reported, ...]
    mentioned: tuple[Mentioned, ...]


def report(
    examination: Examination, *, image: Path | None = None, providers: Sequence[Provider] = ()
) -> Report:
    """Put an examination into plain values."""
    gathered = examination.gathered
    return Report(
        logs=_logs(gathered),
        unread=tuple(Unread(str(path), why) for path, why in examination.unread),
        records=gathered.records,
        images=gathered.counts["images"],
        images_failed=gathered.counts["images failed"],
        commands=gathered.counts["commands"],
        left_out=gathered.left_out,
        image="" if image is None else str(image),
        providers=tuple(
            GivenProvider(each.name, "" if each.build is None else str(each.build))
            for each in providers
        ),
        redacted=False,
        findings=tuple(map(_reported, examination.findings)),
        mentioned=tuple(
            map(_mentioned, sorted(gathered.mentions.values(), key=lambda each: -each.count))
        )[:_MOST_MENTIONS],
    )


def explained(code: int) -> Code:
    """Give a code with its best meaning."""
    meaning = next(iter(meanings_of(code)), None)
    if meaning is None:
        return Code(f"0x{code:08X}", "", "", "")
    return Code(f"0x{code:08X}", meaning.name, meaning.text, meaning.table)


def _logs(gathered: Gathered) -> tuple[ReadLog, ...]:
    return tuple(
        ReadLog(
            each.file,
            each.records,
            each.last_line,
            tuple(name for name, _ in each.logs.most_common()),
            _local(each.first),
            _local(each.last),
        )
        for each in gathered.sources.values()
    )


def _local(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def _spot(place: Place) -> Spot:
    return Spot(place.file, place.line, _local(place.local_time))


def _mentioned(mention: Mention) -> Mentioned:
    code = explained(mention.code)
    return Mentioned(code, mention.log, mention.count, _spot(mention.place), mention.text)


def _quote(trace: Trace) -> Quote:
    return Quote(trace.file, trace.line, trace.log, trace.text.rstrip(), trace.repeated)


def _case(finding: Finding, incident: Incident) -> Case:
    work = incident.work
    begin, end = incident.begin, incident.end
    utc = "" if begin.time is None else f"{begin.time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    host = incident.host
    return Case(
        package=incident.package,
        index=incident.index,
        mount=incident.mount,
        image=incident.image,
        updates=finding.updates,
        command=next((each.line for each in incident.commands if each.line), ""),
        host="" if host is None else f"{host} ({host.name})",
        host_named_at=None if incident.host_place is None else _spot(incident.host_place),
        server=system_of(incident),
        site="" if work is None else work.run.site,
        schedule="" if work is None else work.run.schedule,
        result=incident.result,
        began=_local(begin.local_time),
        began_utc=utc,
        ended=_local(end.local_time),
        place=_spot(begin),
    )


def _reported(finding: Finding) -> Reported:
    rule = finding.rule
    quotes = tuple(map(_quote, finding.traces))
    left_out = sum(each.traces.left_out for each in finding.incident.sessions)
    return Reported(
        number=finding.number,
        known=finding.is_known,
        by_wimdock=finding.by_wimdock,
        failure=None if rule is None else rule.number,
        rule=None if rule is None else rule.id,
        confidence=None if finding.confidence is None else finding.confidence.value,
        title=finding.title,
        because=sentence(finding.because),
        what_happened=finding.what_happened,
        cause=finding.cause,
        case=_case(finding, finding.incident),
        codes=tuple(map(explained, finding.codes)),
        evidence=quotes[:_MOST_EVIDENCE],
        evidence_left_out=len(quotes[_MOST_EVIDENCE:]) + left_out,
        also_seen=tuple(map(explained, finding.also_seen)),
        ruled_out=tuple(
            RuledOutFailure(each.rule.number, each.rule.id, each.rule.title, each.because)
            for each in finding.ruled_out
        ),
        hosts=finding.hosts,
        what_to_do=finding.advice,
        # What an after-effect met lies where the first failure left it, and is cleared away there.
        clean_up=finding.clean_up if finding.follows is None else (),
        notes=tuple(finding.notes),
        again=tuple(_spot(each.begin) for each in finding.others)[:_MOST_AGAIN],
        times=len(finding.incidents),
        follows=None if finding.follows is None else finding.follows.number,
        may_follow=None if finding.may_follow is None else finding.may_follow.number,
        since_succeeded=(
            None if finding.since_succeeded is None else _spot(finding.since_succeeded)
        ),
        sources=finding.sources,
    )
