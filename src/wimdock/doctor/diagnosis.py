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
from wimdock.doctor.ordering import codes_of, in_order, innermost_first
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
from wimdock.reparse.hosts import Build

_MOST_RULED_OUT = 8
_WIN32, _LOW_WORD = 0x80070000, 0xFFFF
_PROVIDERS = (
    "A site can have several SMS Providers, also on other servers than the site server: check each "
    "one, with --provider NAME=BUILD for each."
)
_PROVIDERS_DIFFER = (
    "No log names the host that did the work, and the providers given differ: each of them may "
    "have done it."
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the logs: the rules, the providers, the image file."""

    rules: tuple[Rule, ...]
    providers: tuple[Provider, ...] = ()
    images: Images | None = None


def diagnose(incident: Incident, known: Known) -> list[Finding]:
    """Give what is found in one incident, in the order of the logs; nothing where none failed."""
    return _Diagnosis(incident, known).findings()


def surroundings(incident: Incident, known: Known) -> Surroundings:
    """Give what is known of host and image of an incident."""
    image = None if known.images is None else known.images.facts(incident.index)
    return Surroundings(_hosts(incident, known.providers), image)


def _hosts(incident: Incident, providers: Sequence[Provider]) -> tuple[Build | None, ...]:
    """Give the builds that may have done the work: the log's, the named provider's, or all.

    A server that a log names and nobody gave may be of any build: then so may the host.
    """
    if incident.host is not None:
        return (incident.host,)
    hosts = [provider for provider in providers if not provider.is_wimdock]
    named = named_providers(incident, hosts)
    builds = [each.build for each in (named or hosts)]
    if builds and not named and _is_server(system_of(incident)):
        builds.append(None)
    return tuple(dict.fromkeys(builds))


def _is_server(name: str) -> bool:
    """Tell whether this is a name, and no placeholder such as an article has."""
    return bool(name) and not name.startswith("<")


def named_providers(incident: Incident, providers: Sequence[Provider]) -> list[Provider]:
    """Give the providers that have the name of the server that did the work."""
    system = system_of(incident).partition(".")[0].casefold()
    return [
        each
        for each in providers
        if not each.is_wimdock and each.name.partition(".")[0].casefold() == system
    ]


def system_of(incident: Incident) -> str:
    """Give the name of the server as the status messages have it, empty where there is none."""
    if incident.work is None:
        return ""
    messages = (trace.status_message for trace in incident.work.traces)
    named = next((each.system for each in messages if each is not None and each.system), "")
    return named or incident.work.run.system


class _Diagnosis:
    def __init__(self, incident: Incident, known: Known) -> None:
        self.incident = incident
        self.known = known
        self.around = surroundings(incident, known)
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
            notes=self._notes(rule),
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

    def _notes(self, rule: Rule) -> list[str]:
        notes = []
        facts = [each for each in rule.evidence if each.is_fact]
        if any(each.bounds.host_before for each in facts):
            notes += self._notes_on_hosts()
        asks_image = any(
            each.bounds.image_reparse or each.bounds.image_before or each.bounds.image_from
            for each in facts
        )
        if asks_image and self.around.image is None:
            if self.known.images is None:
                notes.append("With --image IMAGE the image itself is looked at as well.")
            else:
                notes.append("The logs do not say which image of the file this is: give --index N.")
        if self.around.image is not None and any(each.bounds.image_reparse for each in facts):
            notes += self._notes_on_points()
        return notes

    def _notes_on_hosts(self) -> list[str]:
        server, notes = system_of(self.incident), []
        if len(self.around.hosts) > 1:
            if not named_providers(self.incident, self.known.providers) and _is_server(server):
                notes.append(
                    f"A status message names the server {server}, which is none of the providers "
                    f"given: give --provider {server.partition('.')[0]}=BUILD as well."
                )
            if len({*self.around.hosts} - {None}) > 1:
                notes.append(_PROVIDERS_DIFFER)
            return notes or [_PROVIDERS]
        host = self.incident.host
        named = named_providers(self.incident, self.known.providers)
        notes = [
            f"DISM.log names the host {host}, but {each.name} was given as {each.build}: "
            "the log counts here."
            for each in named
            if host is not None and each.build not in (None, host)
        ]
        return [*notes, _PROVIDERS]

    def _notes_on_points(self) -> list[str]:
        image = self.around.image
        if image is None or image.points is None:
            return []
        verdict = image.verdict(self.around.host)
        if verdict is None:
            return []
        where = f"Image {image.index} of the file given"
        if not image.applications:
            return [f"{where} has no reparse points but Windows' own links."]
        if verdict.strong or verdict.weak:
            return [f"{where}: {verdict.reason}"]
        return [f"{where} has reparse points, but none that troubles this host."]

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
