"""Sessions: what one log tells of one piece of work, rebuilt from its records.

Each log has its own kind. OfflineServicingMgr.log: a run of a schedule, and in it the work on one
index of one image package. DISM.log: one command, or the use of its interface by one program.
CBS.log: what component servicing did without a pause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from wimdock.configmgr.status_message import StatusMessage
from wimdock.doctor.trace import Trace, Traces
from wimdock.reparse.hosts import Build

MOST_UPDATES = 1000
"""So many updates are named of one session."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the file, the line counted from 1, and its order over all files."""

    file: str
    line: int
    order: int
    local_time: datetime | None = None
    time: datetime | None = None


@dataclass(slots=True)
class OwnRun:
    """What the log says of a run of wimdock's own; one without a number is of no run.

    `end` is the status message of its end and `said` what that says, `faults` are the errors in it
    with what they say, `generation` what it committed. `abandoned` counts how often it was begun
    and neither ended nor put back; `is_put_back` says that it is to be begun again.
    """

    number: str = ""
    end: int | None = None
    said: str = ""
    remedy: str = ""
    generation: str = ""
    abandoned: int = 0
    is_put_back: bool = False
    faults: list[tuple[StatusMessage, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """One run of a schedule, as far as the log shows it; `result` is "success", "failed" or "".

    `own` is there where wimdock did the work.
    """

    schedule: str = ""
    begin: Place | None = None
    end: Place | None = None
    result: str = ""
    system: str = ""
    site: str = ""
    own: OwnRun | None = None


@dataclass(slots=True)
class Session:
    """What every kind has in common; `family` names the log with its older parts.

    `tells_severity` says whether its log says of a record how grave it is: then what stands beside
    no error is none. `result` is "success", "failed" or "" where the log does not say.
    """

    family: str
    begin: Place
    end: Place
    traces: Traces = field(default_factory=Traces)
    package: str = ""
    mount: str = ""
    result: str = ""
    tells_severity: bool = False
    has_error: bool = False

    def reaches(self, place: Place) -> None:
        """Take note that the session lasts at least to that place."""
        self.end = place
        if self.begin.local_time is None and place.local_time is not None:
            self.begin = Place(
                self.begin.file, self.begin.line, self.begin.order, place.local_time, place.time
            )

    @property
    def is_troubled(self) -> bool:
        """Tell whether it says anything that a diagnosis could be made of."""
        return self.result == "failed" or any(trace.failing for trace in self.evident())

    def evident(self) -> list[Trace]:
        """Give the traces that count.

        The image library writes frames with codes into healthy logs as well, while it only tries
        something: they count where an error stands beside them.
        """
        if self.has_error or not self.tells_severity:
            return list(self.traces)
        return [trace for trace in self.traces if not trace.is_stack]


@dataclass(slots=True)
class ImageWork(Session):
    """The work on one index of one image package in one run."""

    run: Run = field(default_factory=Run)
    index: int | None = None
    image: str = ""
    update: str = ""
    updates: dict[str, None] = field(default_factory=dict)
    finish: Place | None = None

    def names_update(self, update: str) -> None:
        """Take note of an update that is at work."""
        self.update = update
        if len(self.updates) < MOST_UPDATES:
            self.updates[update] = None


@dataclass(slots=True)
class Command(Session):
    """One command of DISM, or one use of its interface.

    `host` is the machine's build, `process` the first process that wrote of it.
    """

    host: Build | None = None
    host_place: Place | None = None
    line: str = ""
    image: str = ""
    index: int | None = None
    process: int | None = None
    has_begun: bool = False
    has_ended: bool = False

    @property
    def has_succeeded(self) -> bool:
        """Tell whether its log shows beginning and end and no error between them."""
        return self.has_begun and self.has_ended and not self.has_error and not self.is_troubled

    @property
    def has_own_work(self) -> bool:
        """Tell whether it says what it was called for: a command line, a mount or an image."""
        return bool(self.line or self.mount or self.image)

    @property
    def key(self) -> str:
        """What makes two commands the same: their words, without regard to case and spaces."""
        return " ".join(self.line.casefold().replace('"', "").split())


@dataclass(slots=True)
class Servicing(Session):
    """What component servicing did without a pause."""
