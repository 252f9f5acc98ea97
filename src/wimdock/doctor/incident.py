"""Incidents: the sessions of all logs that belong to one failure of one image, joined.

The package ID in a mount directory joins best, then the time, as far as the forms tell it; where
neither is there, as in lines quoted in a ticket, a code that both have. Times are compared as they
are written: the logs of one server share its zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

from wimdock.doctor.gathering import Gathered, HostSpan
from wimdock.doctor.session import Command, ImageWork, Place, Session
from wimdock.doctor.trace import Trace
from wimdock.reparse.hosts import Build

_SLACK = timedelta(minutes=3)
_NEAR = timedelta(days=1)
_BY_PACKAGE, _BY_TIME, _BY_CODE = 4, 2, 1


@dataclass(slots=True)
class Incident:
    """What belongs together; `work` or at least one of `commands` and `others` is there.

    `host` is the build of the machine that did the work, where a log tells it, `host_place` the
    line that does.
    """

    number: int
    work: ImageWork | None = None
    commands: list[Command] = field(default_factory=list)
    others: list[Session] = field(default_factory=list)
    host: Build | None = None
    host_place: Place | None = None

    @property
    def sessions(self) -> list[Session]:
        """All sessions, that of OfflineServicingMgr.log first."""
        first: list[Session] = [] if self.work is None else [self.work]
        return [*first, *self.commands, *self.others]

    @property
    def begin(self) -> Place:
        """Where it begins."""
        return self.sessions[0].begin

    @property
    def end(self) -> Place:
        """Where it ends."""
        return self.sessions[0].end

    @property
    def package(self) -> str:
        """The package ID of the image package, empty where no log tells it."""
        return next((each.package for each in self.sessions if each.package), "")

    @property
    def mount(self) -> str:
        """The mount directory as the logs write it."""
        return next((each.mount for each in self.sessions if each.mount), "")

    @property
    def index(self) -> int | None:
        """The index of the image in its file."""
        if self.work is not None and self.work.index is not None:
            return self.work.index
        return next((each.index for each in self.commands if each.index is not None), None)

    @property
    def image(self) -> str:
        """The image file as the logs write it."""
        if self.work is not None and self.work.image:
            return self.work.image
        return next((each.image for each in self.commands if each.image), "")

    @property
    def result(self) -> str:
        """How it ended: "success", "failed", or "" where no log says."""
        return self.work.result if self.work is not None else self.sessions[0].result

    def traces(self) -> list[Trace]:
        """Give the traces that count, in the order of the logs: offline, dism, cbs.

        The image library's frames count in all sessions where an error stands in one of them.
        """
        failed = any(session.has_error for session in self.sessions) or (
            self.work is not None and self.work.is_troubled
        )
        return [
            trace
            for session in self.sessions
            for trace in (session.traces if failed else session.evident())
        ]


def join(gathered: Gathered) -> list[Incident]:
    """Join sessions into incidents, in the order in which these begin."""
    incidents = [Incident(0, work=work) for work in gathered.works]
    works = _by_package(each for each in incidents if not _is_own(each))
    for command in gathered.dism_commands:
        found = _best(command, works)
        if found is None:
            found = Incident(0)
            incidents.append(found)
        found.commands.append(command)
    known = _by_package(each for each in incidents if not _is_own(each))
    for session in gathered.others:
        found = _best(session, known)
        if found is None:
            found = Incident(0)
            incidents.append(found)
            known.setdefault(session.package, []).append(found)
        found.others.append(session)
    incidents.sort(key=lambda each: each.begin.order)
    for number, incident in enumerate(incidents, 1):
        incident.number = number
        _find_host(incident, gathered.hosts)
    return incidents


def _is_own(incident: Incident) -> bool:
    """Tell whether wimdock did the work: then neither DISM nor component servicing had part."""
    return incident.work is not None and incident.work.run.own is not None


def _by_package(incidents: Iterable[Incident]) -> dict[str, list[Incident]]:
    found: dict[str, list[Incident]] = {}
    for incident in incidents:
        found.setdefault(incident.package, []).append(incident)
    return found


def _best(session: Session, by_package: Mapping[str, Sequence[Incident]]) -> Incident | None:
    """Give the incident that a session belongs to: the best joined, of these the nearest."""
    named = [*by_package.get(session.package, ()), *by_package.get("", ())]
    candidates = named if session.package else chain(*by_package.values())
    best: tuple[int, float, Incident] | None = None
    for incident in candidates:
        score, distance = _affinity(session, incident)
        if score and (best is None or (score, -distance) > (best[0], -best[1])):
            best = (score, distance, incident)
    return best[2] if best else None


def _affinity(session: Session, incident: Incident) -> tuple[int, float]:
    """Say how well a session fits an incident, 0 for not at all, and how far off it is."""
    score, distance = 0, 0.0
    package = incident.package
    if session.package and package:
        if session.package != package:
            return 0, 0.0
        score += _BY_PACKAGE
    elif isinstance(session, Command) and not session.package and session.has_own_work:
        return 0, 0.0  # it works on something that lies in no staging folder
    apart = _apart(session, incident)
    shared = _codes(session) & {code for each in incident.sessions for code in _codes(each)}
    if apart is not None:
        if apart > _SLACK:
            return 0, 0.0
        distance = abs((session.begin.order or 0) - (incident.begin.order or 0))
        # Servers service themselves at night as well: time alone joins nothing.
        if score or shared:
            score += _BY_TIME
    if shared:
        score += _BY_CODE
    return score, distance


def _apart(session: Session, incident: Incident) -> timedelta | None:
    """Give the time between a session and an incident, none where they overlap or one has none."""
    span = _span(session)
    found: timedelta | None = None
    for other in map(_span, incident.sessions):
        if not span or not other:
            continue
        apart = max(other[0] - span[-1], span[0] - other[-1], timedelta())
        found = apart if found is None else min(found, apart)
    return found


def _span(session: Session) -> list[datetime]:
    """Give first and last time of a session; the clock may have been set back within it."""
    return sorted(filter(None, (session.begin.local_time, session.end.local_time)))


def _codes(session: Session) -> set[int]:
    return {code for trace in session.traces for code in trace.failures}


def _find_host(incident: Incident, hosts: list[HostSpan]) -> None:
    """Find the host: as its own commands name it, else as the same DISM.log does near that time.

    A DISM.log that has nothing to do with the incident may be of any machine, of another provider
    of the site too: its host is no evidence, but where it worked on the same package meanwhile, or
    the package failed there with the same code. Nor is one where commands of two hosts would
    belong to the incident.
    """
    named = [command for command in incident.commands if command.host is not None]
    own = [command for command in named if command.package] or named
    if own:
        if len({command.host for command in own}) == 1:
            incident.host, incident.host_place = own[0].host, own[0].host_place
        return
    families = {command.family for command in incident.commands}
    failures = {(incident.package, code) for each in incident.sessions for code in _codes(each)}
    near = [
        span
        for span in hosts
        if (
            span.family in families
            or not failures.isdisjoint(span.failures)
            or any(_is_within(place, incident) for place in span.packages.get(incident.package, ()))
        )
        and _is_near(span, incident)
    ]
    builds = {span.build for span in near}
    if len(builds) == 1:
        incident.host, incident.host_place = near[0].build, near[0].first


def _is_within(place: Place, incident: Incident) -> bool:
    """Tell whether something happened while an incident lasted."""
    span, at = _span(incident.sessions[0]), place.local_time
    return at is not None and bool(span) and span[0] - _SLACK <= at <= span[-1] + _SLACK


def _is_near(span: HostSpan, incident: Incident) -> bool:
    begin, end = incident.begin.local_time, incident.end.local_time
    first, last = span.first.local_time, span.last.local_time
    if begin is None or first is None or last is None:
        return True
    return first - _NEAR <= (end or begin) and begin <= last + _NEAR
