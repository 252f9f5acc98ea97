"""The whole of a doctor's visit: logs read, sessions rebuilt and joined, incidents judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wimdock.configmgr.provider import Provider
from wimdock.doctor.aftermath import together
from wimdock.doctor.diagnosis import Known, diagnose
from wimdock.doctor.finding import Finding, LookedAt
from wimdock.doctor.gathering import Gathered, gather
from wimdock.doctor.image_facts import Images
from wimdock.doctor.incident import join
from wimdock.doctor.logs import Record, read_logs
from wimdock.doctor.logs.reading import Progress
from wimdock.doctor.matching import Matcher
from wimdock.doctor.rule import Rule


@dataclass(frozen=True, slots=True)
class Examination:
    """What was read and what was found; `unread` holds files that were not read, with why."""

    findings: tuple[Finding, ...]
    gathered: Gathered
    unread: tuple[tuple[Path, str], ...] = ()

    @property
    def ruled_out(self) -> tuple[LookedAt, ...]:
        """Every known failure that was looked at and is not what happened, each once."""
        found = {each.rule.id: each for finding in self.findings for each in finding.ruled_out}
        there = {finding.rule.id for finding in self.findings if finding.rule is not None}
        return tuple(each for name, each in found.items() if name not in there)


@dataclass(frozen=True, slots=True)
class Reading:
    """How logs are read: with the older parts beside them, in which code page, and who watches.

    `notable_only` leaves out, unread, most records of DISM.log and CBS.log that hold neither a code
    nor a word of failure: a rule that looks there for anything else needs it False. `on_record`
    sees each record as it goes by, those left out too.
    """

    companions: bool = True
    encoding: str | None = None
    notable_only: bool = False
    on_progress: Progress | None = None
    on_record: Callable[[Record], None] | None = None


_PLAINLY = Reading()


def examine(
    paths: Sequence[Path],
    rules: Iterable[Rule],
    providers: Iterable[Provider] = (),
    image: Images | None = None,
    *,
    reading: Reading = _PLAINLY,
) -> Examination:
    """Read logs and say what failed in them.

    Raises StorageError and LogError where they cannot be read; whatever they hold raises nothing.
    """
    unread: list[tuple[Path, str]] = []
    records = read_logs(
        paths,
        companions=reading.companions,
        encoding=reading.encoding,
        notable_only=reading.notable_only and reading.on_record is None,
        on_progress=reading.on_progress,
        on_trouble=lambda path, why: unread.append((path, why)),
    )
    if reading.on_record is not None:
        records = _seen(records, reading.on_record, notable_only=reading.notable_only)
    return judge(records, Known(tuple(rules), tuple(providers), image), unread)


def _seen(
    records: Iterator[Record], on_record: Callable[[Record], None], *, notable_only: bool
) -> Iterator[Record]:
    for record in records:
        on_record(record)
        if not notable_only or record.is_notable:
            yield record


def judge(
    records: Iterable[Record], known: Known, unread: Sequence[tuple[Path, str]] = ()
) -> Examination:
    """Say what failed in records that are read already."""
    gathered = gather(records, Matcher(known.rules))
    findings = [finding for incident in join(gathered) for finding in diagnose(incident, known)]
    return Examination(together(findings, gathered), gathered, tuple(unread))
