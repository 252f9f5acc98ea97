"""One incident judged: the rules that hold in it, those ruled out, and what no rule knows.

Every rule is tried on every incident. What is left of failing records when all rules have had
their say is an unknown failure, whose innermost error is named first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wimdock.configmgr.provider import Provider
from wimdock.configmgr.staging import is_package_id
from wimdock.doctor.advice import advise, clean_up, judge_hosts
from wimdock.doctor.bounds import Surroundings, holds
from wimdock.doctor.finding import Finding, LookedAt
from wimdock.doctor.image_facts import Images
from wimdock.doctor.incident import Incident
from wimdock.doctor.notes import Notes
from wimdock.doctor.ordering import codes_of, in_order, innermost_first
from wimdock.doctor.own_finding import own_findings
from wimdock.doctor.providers import hosts_of, system_of
from wimdock.doctor.rule import Evidence, Rule, Verdict
from wimdock.doctor.trace import Trace
from wimdock.doctor.unknown import unknown_title, unknown_words
from wimdock.doctor.wording import (
    fill,
    is_posix_path,
    is_windows_path,
    likely_mount,
    staging_of,
)

_MOST_RULED_OUT = 8
_WIN32, _LOW_WORD = 0x80070000, 0xFFFF


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the logs: the rules, the providers, the image file."""

    rules: tuple[Rule, ...]
    providers: tuple[Provider, ...] = ()
    images: Images | None = None


def diagnose(incident: Incident, known: Known) -> list[Finding]:
    """Give what is found in one incident, in the order of the logs; nothing where none failed."""
    own = None if incident.work is None else incident.work.run.own
    if own is not None:
        return own_findings(incident, own)
    return _Diagnosis(incident, known).findings()


def surroundings(incident: Incident, known: Known) -> Surroundings:
    """Give what is known of host and image of an incident."""
    image = None if known.images is None else known.images.facts(incident.index)
    return Surroundings(hosts_of(incident, known.providers), image)


class _Diagnosis:
    def __init__(self, incident: Incident, known: Known) -> None:
        self.incident = incident
        self.known = known
        self.around = surroundings(incident, known)
        self.notes = Notes(incident, self.around, known.providers, known.images)
        self.traces = incident.traces()
        self.taken_back: set[int] = set()
        self.seen = self._evidence()

    def _evidence(self) -> dict[tuple[str, str], list[Trace]]:
        """Give the traces of each evidence, without those that something later takes back."""
        found: dict[tuple[str, str], list[Trace]] = {}
        for trace in self.traces:
            for key in trace.evidence:
                found.setdefault(key, []).append(trace)
        kept = {}
        for rule in self.known.rules:
            for evidence in rule.evidence:
                traces = found.get((rule.id, evidence.name), [])
                if evidence.unless_followed_by:
                    later = found.get((rule.id, evidence.unless_followed_by), [])
                    end = max((each.last_order for each in later), default=-1)
                    self.taken_back.update(each.order for each in traces if each.last_order <= end)
                    traces = [each for each in traces if each.last_order > end]
                kept[rule.id, evidence.name] = traces
        return kept

    def _is_there(self, rule: Rule, evidence: Evidence) -> bool | None:
        if evidence.is_fact:
            return holds(evidence.bounds, self.around)
        return bool(self.seen[rule.id, evidence.name])

    def _verdict(self, rule: Rule) -> Verdict | None:
        there = {each.name: self._is_there(rule, each) for each in rule.evidence}
        for verdict in rule.verdicts:
            if (
                all(there[name] is True for name in verdict.all)
                and (not verdict.any or any(there[name] is True for name in verdict.any))
                and not any(there[name] is True for name in verdict.none)
            ):
                return verdict
        return None

    def findings(self) -> list[Finding]:
        verdicts = {}
        for rule in self.known.rules:
            verdict = self._verdict(rule)
            if verdict is not None:
                verdicts[rule.id] = (rule, verdict)
        echoes = {
            name: [other for other in rule.lesser_than if other in verdicts]
            for name, (rule, _) in verdicts.items()
        }
        found = [
            self._known_finding(rule, verdict)
            for name, (rule, verdict) in verdicts.items()
            if not echoes[name]
        ]
        out = self._ruled_out(verdicts.keys(), echoes)
        unknown = self._unknown([rule for rule, _ in verdicts.values()], found)
        if unknown is not None:
            found.append(unknown)
        for finding in found:
            finding.ruled_out = out
        found.sort(
            key=lambda each: each.traces[0].order if each.traces else each.incident.end.order
        )
        return found

    def _known_finding(self, rule: Rule, verdict: Verdict) -> Finding:
        traces = in_order(
            trace
            for evidence in rule.evidence
            if evidence.name not in verdict.none
            for trace in self.seen[rule.id, evidence.name]
            if _is_telling(evidence, trace)
        )
        same = [
            trace
            for trace in self.traces
            if trace not in traces and set(trace.failures) & rule.all_codes
        ]
        codes = codes_of([*innermost_first(traces), *same], lambda code: code in rule.all_codes)
        updates = tuple(dict.fromkeys(trace.update for trace in traces if trace.update))
        values = self._values(codes, updates)
        return Finding(
            incident=self.incident,
            rule=rule,
            confidence=verdict.confidence,
            because=fill(verdict.because, values),
            title=rule.title,
            what_happened=fill(rule.what_happened, values),
            cause=fill(rule.cause, values),
            codes=codes,
            traces=tuple(in_order([*traces, *same])),
            advice=advise(rule, values, self.around, self.known.providers),
            clean_up=clean_up(rule, values),
            sources=rule.sources,
            hosts=judge_hosts(rule, self.around, self.known.providers, self.incident.host),
            notes=self.notes.of(rule),
            updates=updates,
        )

    def _values(self, codes: Sequence[int], updates: Sequence[str]) -> dict[str, str]:
        incident = self.incident
        mount = incident.mount
        if not (is_windows_path(mount) or is_posix_path(mount)) and is_package_id(incident.package):
            mount = likely_mount(incident.package)
        work = incident.work
        named = updates or ((work.update,) if work is not None and work.update else ())
        more = f" and {len(named) - 1} more" if len(named) > 1 else ""
        host = self.around.host
        return {
            "package": incident.package,
            "index": "" if incident.index is None else str(incident.index),
            "mount": mount,
            "staging": staging_of(mount),
            "image": incident.image,
            "update": f"{named[0]}{more}" if named else "",
            "host": "" if host is None else f"{host} ({host.name})",
            "code": f"0x{codes[0]:08X}" if codes else "",
            "command": next((each.line for each in incident.commands if each.line), ""),
            "site": "" if work is None else work.run.site,
            "provider": system_of(incident),
        }

    def _ruled_out(
        self, there: Iterable[str], echoes: dict[str, list[str]]
    ) -> tuple[LookedAt, ...]:
        """Name the failures of which a code occurs, and why they are not what happened."""
        codes = {code for trace in self.traces for code in trace.failures}
        values = self._values((), ())
        found = []
        by_id = {rule.id: rule for rule in self.known.rules}
        for name, others in echoes.items():
            if others:
                greater = by_id[others[0]]
                found.append(
                    LookedAt(by_id[name], f"here it only follows from failure {greater.number}")
                )
        known = set(there)
        for rule in self.known.rules:
            if rule.id in known or not codes & set(rule.codes):
                continue
            found.append(LookedAt(rule, self._why_not(rule, values)))
        return tuple(found[:_MOST_RULED_OUT])

    def _why_not(self, rule: Rule, values: dict[str, str]) -> str:
        by_name = {each.name: each for each in rule.evidence}
        for ruled in rule.ruled_out:
            if self._is_there(rule, by_name[ruled.when]) is True:
                return fill(ruled.because, values)
        wanted = [
            by_name[name]
            for name in (*rule.verdicts[-1].all, *rule.verdicts[-1].any)
            if not self._is_there(rule, by_name[name])
        ]
        described = " or ".join(filter(None, map(_described, wanted)))
        return "its code occurs, but not its evidence" + (f": {described}" if described else "")

    def _unknown(self, rules: Sequence[Rule], found: Sequence[Finding]) -> Finding | None:
        """Make a finding of what fails and is explained by no rule."""
        explained = {code for rule in rules for code in rule.all_codes}
        # "Image UnMount failed with error 279" and insertion strings carry the low word only.
        low_words = {_WIN32 | code & _LOW_WORD for code in explained}
        names = {rule.id for rule in rules}
        left = [
            trace
            for trace in self.traces
            if trace.failing
            and trace.order not in self.taken_back
            and not explained.intersection(trace.failures)
            and not (trace.log == "offline" and low_words.intersection(trace.failures))
            and not any(rule in names for rule, _ in trace.evidence)
        ]
        if found:
            # Beside a known failure DISM and component servicing name many codes that only pass
            # it on; what the site's own log names besides is a failure of its own.
            beside = codes_of([each for each in left if each.log != "offline"])
            for finding in found:
                finding.also_seen = beside
            left = [each for each in left if each.log == "offline" and each.failures]
        if not left and (found or self.incident.result != "failed"):
            return None
        traces = innermost_first(left)
        codes = codes_of(traces)
        updates = tuple(dict.fromkeys(trace.update for trace in left if trace.update))
        return Finding(
            incident=self.incident,
            title=unknown_title(codes),
            what_happened=unknown_words(self.incident, codes),
            cause="No rule describes it: what its codes mean is all that can be said of it.",
            codes=codes,
            traces=tuple(traces),
            updates=updates,
        )


def _is_telling(evidence: Evidence, trace: Trace) -> bool:
    """Tell whether a trace of an evidence shows the failure, and not its absence."""
    return evidence.codes != {0} and (trace.failing or not evidence.codes or bool(trace.failures))


def _described(evidence: Evidence) -> str:
    """Say in words what an evidence looks for; empty for facts, which have reasons of their own."""
    if evidence.is_fact:
        return ""
    words = []
    if evidence.codes:
        words.append(" or ".join(f"0x{code:08X}" for code in sorted(evidence.codes)))
    if evidence.functions:
        words.append("from " + " or ".join(sorted(evidence.functions)))
    if evidence.status_message is not None:
        words.append(f"status message {evidence.status_message}")
    if evidence.logs:
        names = {"offline": "OfflineServicingMgr.log", "dism": "DISM.log", "cbs": "CBS.log"}
        words.append("in " + " or ".join(names.get(log, log) for log in sorted(evidence.logs)))
    return " ".join(words)
