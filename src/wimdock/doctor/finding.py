"""Findings: what a diagnosis says of one failure, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from wimdock.doctor.image_facts import Application
from wimdock.doctor.incident import Incident
from wimdock.doctor.rule import Confidence, Rule, Source
from wimdock.doctor.session import Place
from wimdock.doctor.trace import Trace

FITS = "fits"
DOES_NOT_FIT = "does_not_fit"
NOT_KNOWN = "not_known"


@dataclass(frozen=True, slots=True)
class Advice:
    """One way out; `fits` is one of FITS, DOES_NOT_FIT and NOT_KNOWN, `why` the reason or empty."""

    title: str
    text: str
    fits: str
    why: str = ""
    applications: tuple[Application, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the clean-up; `command` is empty where words say it all."""

    text: str
    command: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A known failure that was looked at and is not what happened, and why."""

    rule: Rule
    because: str


@dataclass(frozen=True, slots=True)
class JudgedHost:
    """A host that may do the work, and what is said of it.

    `verdict` is one of `can_commit`, `cannot` and `unknown`, as the preflight gives them by the
    reparse points of an image, or else by the build `affected`, `not_affected` and `not_known`.
    """

    name: str
    build: str
    verdict: str
    reason: str


@dataclass(slots=True)
class Finding:
    """One failure of one incident.

    `rule` and `confidence` are None for a failure that is not known, and for one of wimdock's own
    runs, which tells of itself. `traces` are the lines that
    show it, the telling ones first, `codes` its codes, the innermost first. `others` are further
    incidents in which the same happened to the same image. `follows` is the finding of which this
    one is an after-effect, `may_follow` one of which it may be, `since_succeeded` where the same
    image ended well later, `also_seen` codes beside it that explain nothing.
    """

    incident: Incident
    rule: Rule | None = None
    confidence: Confidence | None = None
    because: str = ""
    number: int = 0
    title: str = ""
    what_happened: str = ""
    cause: str = ""
    codes: tuple[int, ...] = ()
    traces: tuple[Trace, ...] = ()
    ruled_out: tuple[LookedAt, ...] = ()
    advice: tuple[Advice, ...] = ()
    clean_up: tuple[Step, ...] = ()
    sources: tuple[Source, ...] = ()
    hosts: tuple[JudgedHost, ...] = ()
    notes: list[str] = field(default_factory=list)
    also_seen: tuple[int, ...] = ()
    updates: tuple[str, ...] = ()
    others: list[Incident] = field(default_factory=list)
    follows: Finding | None = None
    may_follow: Finding | None = None
    since_succeeded: Place | None = None
    by_wimdock: bool = False

    @property
    def is_known(self) -> bool:
        """Tell whether a rule describes it, or wimdock's own log."""
        return self.rule is not None or self.by_wimdock

    @property
    def incidents(self) -> list[Incident]:
        """Every incident in which it happened."""
        return [*self.others, self.incident]

    @property
    def latest(self) -> Incident:
        """The last incident in which it happened."""
        return max(self.incidents, key=lambda each: each.begin.order)

    @property
    def first(self) -> Incident:
        """The first incident in which it happened."""
        return min(self.incidents, key=lambda each: each.begin.order)
