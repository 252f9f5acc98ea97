"""Findings seen together: the same failure again, its after-effects, and what went well later."""

from __future__ import annotations

from collections.abc import Sequence

from wimdock.doctor.finding import Finding
from wimdock.doctor.gathering import Gathered
from wimdock.doctor.incident import Incident
from wimdock.doctor.own_finding import own_key
from wimdock.doctor.rule import Confidence
from wimdock.doctor.session import Place

_RANK = {Confidence.HIGH: 3, Confidence.MEDIUM: 2, Confidence.LOW: 1, None: 0}
_ALL_MOUNTS = ""


def is_later(place: Place, than: Place, *, same_log: bool) -> bool:
    """Tell whether a place is surely later: by its order in one log, by time between two logs."""
    if same_log:
        return place.order > than.order
    if place.time is not None and than.time is not None:
        return place.time > than.time
    if place.local_time is not None and than.local_time is not None:
        return place.local_time > than.local_time
    return False


def together(findings: Sequence[Finding], gathered: Gathered) -> tuple[Finding, ...]:
    """Join findings that are the same, mark after-effects and later successes, and number them."""
    _mark_after_effects(findings, gathered)
    joined = _joined(findings)
    for number, finding in enumerate(joined, 1):
        finding.number = number
        finding.since_succeeded = _success_after(finding, gathered)
    return tuple(joined)


def _key(finding: Finding) -> tuple[object, ...]:
    incident = finding.incident
    what: object = (
        finding.rule.id
        if finding.rule is not None
        else (finding.codes[:1], finding.traces[0].functions[:1] if finding.traces else ())
    )
    own = None if incident.work is None else incident.work.run.own
    if own is not None:
        what = ("wimdock", own_key(own), finding.codes[:1])
    where: object = (incident.package, incident.index, incident.mount.casefold())
    if not any(where if isinstance(where, tuple) else ()):
        where = incident.commands[0].key if incident.commands else incident.sessions[0].family
    updates = finding.updates if finding.rule is None else ()
    return what, where, updates


def _joined(findings: Sequence[Finding]) -> list[Finding]:
    """Make one finding of the same failure of the same image: the surest, of these the last."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_key(finding), []).append(finding)
    replaced: dict[int, Finding] = {}
    joined = []
    for group in groups.values():
        best = max(group, key=lambda each: (_RANK[each.confidence], each.incident.begin.order))
        best.others = [each.incident for each in group if each is not best]
        replaced |= {id(each): best for each in group}
        joined.append(best)
    for finding in joined:
        if finding.follows is not None:
            finding.follows = replaced[id(finding.follows)]
        if finding.may_follow is not None:
            finding.may_follow = replaced[id(finding.may_follow)]
    joined.sort(key=lambda each: each.first.begin.order)
    return joined


def _mark_after_effects(findings: Sequence[Finding], gathered: Gathered) -> None:
    """Mark what follows, or may follow, from the last failure before it that left things behind."""
    leaving = [each for each in findings if each.rule is not None and each.rule.leaves_behind]
    for finding in findings:
        for earlier in reversed(leaving):
            if not _can_follow(finding, earlier) or not _precedes(earlier, finding):
                continue
            if _is_cleared(earlier, finding, gathered):
                continue
            origin = earlier.follows or earlier
            if finding.rule is None:
                finding.may_follow = origin
            else:
                finding.follows = origin
            break


def _can_follow(finding: Finding, earlier: Finding) -> bool:
    """Tell whether a failure is of a kind that an earlier one brings about."""
    if earlier.incident is finding.incident or earlier.rule is None or finding.by_wimdock:
        return False
    if finding.rule is not None and finding.rule.id not in earlier.rule.leaves_behind:
        return False
    return not _is_elsewhere(finding.incident, earlier.incident)


def _is_elsewhere(one: Incident, other: Incident) -> bool:
    """Tell whether two incidents share no folder or no host: what one leaves disturbs no other."""
    hosts = {one.host, other.host} - {None}
    staged = {bool(each.package or each.work) for each in (one, other)}
    return len(hosts) > 1 or len(staged) > 1


def _precedes(earlier: Finding, later: Finding) -> bool:
    one, other = earlier.incident, later.incident
    same_log = one.sessions[0].family == other.sessions[0].family
    return is_later(other.begin, one.begin, same_log=same_log)


def _is_cleared(earlier: Finding, later: Finding, gathered: Gathered) -> bool:
    """Tell whether what the earlier failure left was cleared away before the later one."""
    incident = earlier.incident
    places = [
        *gathered.discards.get(incident.mount.casefold() or "-", ()),
        *gathered.discards.get(_ALL_MOUNTS, ()),
        *gathered.successes.get(incident.package or "-", ()),
    ]
    return any(_is_after(place, incident) and _is_before(place, later.incident) for place in places)


def _family_of(place: Place, incident: Incident) -> bool:
    return any(place.file in (each.begin.file, each.end.file) for each in incident.sessions)


def _is_after(place: Place, incident: Incident) -> bool:
    return is_later(place, incident.end, same_log=_family_of(place, incident))


def _is_before(place: Place, incident: Incident) -> bool:
    return is_later(incident.begin, place, same_log=_family_of(place, incident))


def _success_after(finding: Finding, gathered: Gathered) -> Place | None:
    """Give the first place after the last incident at which the same thing ended well."""
    latest = finding.latest
    successes = gathered.own_successes if finding.by_wimdock else gathered.successes
    places = list(successes.get(latest.package or "-", ()))
    if latest.work is None:
        for command in latest.commands:
            if command.line:
                places += gathered.good_commands.get(command.key, ())
    own = latest.work.finish if latest.work is not None else None
    later = [place for place in places if place != own and _is_after(place, latest)]
    return min(later, key=lambda place: place.order) if later else None
