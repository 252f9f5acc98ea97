"""One known failure as data: its evidence, its verdicts, its cause and what to do about it.

Rules are read from TOML files (`wimdock.doctor.rules`); nothing here reads or judges. Words in
braces such as `{package}` stand for what a case brings (`wimdock.doctor.wording`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wimdock.doctor.expression import Expression

Version = tuple[int, ...]
"""A version of Windows: three numbers of a build, or four with its revision."""


class Confidence(Enum):
    """How sure a diagnosis is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What must hold of the host and of the image; None is any.

    `before` excludes, `from` includes. `image_reparse` is "strong", "weak" or "none": how far the
    image's reparse points trouble the host.
    """

    host_before: Version | None = None
    host_from: Version | None = None
    image_before: Version | None = None
    image_from: Version | None = None
    image_reparse: str | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is asked for."""
        return self == Bounds()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that can be seen, by its name; all conditions must hold on one and the same record.

    Where `bounds` asks for anything, the evidence is a fact about host or image and no record is
    needed. Codes are unsigned HRESULTs; a Win32 code on a record counts as its HRESULT. Without
    `severity` and `message`, records of DISM.log and CBS.log that are mere information do not
    count. Nor does a match where a later record of the incident matches `unless_followed_by`.
    """

    name: str
    logs: frozenset[str] = frozenset()
    codes: frozenset[int] = frozenset()
    functions: frozenset[str] = frozenset()
    message: Expression | None = None
    component: str = ""
    severity: frozenset[str] = frozenset()
    status_message: int | None = None
    insertions: tuple[tuple[int, str], ...] = ()
    unless_followed_by: str = ""
    bounds: Bounds = Bounds()

    @property
    def is_fact(self) -> bool:
        """Tell whether it is judged from host and image, without a record."""
        return not self.bounds.is_empty


@dataclass(frozen=True, slots=True)
class Verdict:
    """When the failure is there, how sure that is, and why; evidences are named."""

    confidence: Confidence
    because: str
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuledOut:
    """An evidence that rules the failure out although a code of it occurs, and why."""

    when: str
    because: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way out; `fits` says for which hosts and images, `why_not` why not for others.

    `lists` is "applications" where the owners of the image's reparse points belong to it.
    """

    title: str
    text: str
    fits: Bounds = Bounds()
    why_not: str = ""
    lists: str = ""


@dataclass(frozen=True, slots=True)
class CleanUp:
    """One step of the clean-up: words, and a command where there is one.

    `on` is "windows" or "wimdock" where the step is only for leftovers of that kind of host.
    """

    text: str
    command: str = ""
    on: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the knowledge comes from."""

    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One known failure.

    `codes` are unsigned HRESULTs. `leaves_behind` and `lesser_than` hold the `id` of other rules:
    what may follow on later images until this one is cleaned up, and what this one is only an
    echo of where both are found in one incident.
    """

    number: int
    id: str
    title: str
    codes: tuple[int, ...]
    what_happened: str
    cause: str
    evidence: tuple[Evidence, ...]
    verdicts: tuple[Verdict, ...]
    ruled_out: tuple[RuledOut, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    clean_up: tuple[CleanUp, ...] = ()
    sources: tuple[Source, ...] = ()
    leaves_behind: tuple[str, ...] = ()
    lesser_than: tuple[str, ...] = ()
    file: str = ""

    @property
    def all_codes(self) -> frozenset[int]:
        """Every code that the rule knows, in its list or in an evidence."""
        return frozenset(self.codes).union(*(each.codes for each in self.evidence))
