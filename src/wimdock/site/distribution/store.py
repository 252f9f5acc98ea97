"""What every kind of distribution point can do, and what it is given to do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from wimdock.site.distribution.route import Held, Route
from wimdock.site.distribution.source import Source, SourceState


class Watch(Protocol):
    """Looks over a transfer. What its methods raise ends the transfer; nothing is committed."""

    @property
    def kept(self) -> Mapping[str, Any]:
        """What an interrupted transfer left to go on with."""

    def alive(self) -> None:
        """Be called before every write, and often while much is read: raise where it must end.

        The claim on the content is renewed, so that nobody takes it over from one who works on it.
        """

    def sent(self, count: int) -> None:
        """Count bytes that went to the point."""

    def reused(self, count: int) -> None:
        """Count bytes that an interrupted transfer had left there, and that need not be sent."""

    def passed(self, done: int, total: int) -> None:
        """Be told that so many bytes are at the point and verified."""

    def keep(self, document: Mapping[str, Any]) -> None:
        """Keep what an interrupted transfer goes on with."""

    def committing(self, sha256: str = "") -> None:
        """Be called right before what arrived becomes what the point serves.

        It raises where the source is in another state by now, or the claim is lost. `sha256` is
        that of the whole file, where the whole file was sent.
        """


@dataclass(frozen=True, slots=True)
class Job:
    """One transfer: what of which state travels, to which name at the point.

    `tag` is the store's mark of what lies there.
    """

    name: str
    source: Source
    state: SourceState
    route: Route
    tag: str
    watch: Watch = field(repr=False)


class PointStore(Protocol):
    """A distribution point that is being worked with.

    PointDown where it cannot be reached, DistributionError where it refuses, ContentMismatch where
    what arrived is not what was sent.
    """

    def check(self) -> None:
        """Make sure that the point is there and is the one that was added."""

    def look(self, name: str) -> Held | None:
        """Give what lies under a name; None for nothing."""

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Give so many bytes; fewer at the end."""

    def pieces(self, name: str, end: int) -> Iterator[bytes]:
        """Give the first `end` bytes, piece by piece; fewer where there are no more."""

    def send(self, job: Job) -> str:
        """Bring the point into the state of the job, verified; give the store's mark of it."""

    def remove(self, name: str) -> None:
        """Remove a file and whatever a transfer of it left; nothing there is fine."""

    def close(self) -> None:
        """Let go of what is open."""
