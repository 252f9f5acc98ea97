"""One image package brought to one point: claimed, routed, sent, recorded."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wimdock.errors import (
    ImageBusy,
    PointDown,
    RunError,
    SiteError,
    WimdockError,
)
from wimdock.events import Reporter
from wimdock.site.distribution import outcome
from wimdock.site.distribution.claim import Claim, Overtaken, take
from wimdock.site.distribution.contents import Placed
from wimdock.site.distribution.folder_transfer import arrived_otherwise
from wimdock.site.distribution.location import name_at_point
from wimdock.site.distribution.points import Means
from wimdock.site.distribution.route import (
    Held,
    Known,
    Route,
    Way,
    base_header,
    decide,
    tables_agree,
    whole,
)
from wimdock.site.distribution.source import Source, SourceState
from wimdock.site.distribution.store import Job, PointStore
from wimdock.site.images.records import file_of
from wimdock.site.models import ContentState
from wimdock.site.site import Site

# So often is gone on with a newer state when the source changes while it is sent.
_STATES = 5


class SourceMoved(WimdockError):
    """The source came into another state while it was sent; nothing was committed."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one image package at one point.

    `way` is what travelled, None where nothing was tried or it failed; `sent` and `reused` count
    bytes, whatever came of them. `error` is None where the point holds the newest state now.
    """

    point: str
    package_id: str
    way: Way | None
    sent: int = 0
    reused: int = 0
    seconds: float = 0.0
    content_version: int | None = None
    why: str = ""
    error: WimdockError | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """What sending needs besides what is sent. `permit` is asked often; what it raises ends all."""

    site: Site
    reporter: Reporter
    permit: Callable[[], None]
    means: Means


class _Transfer:
    """Looks over one transfer: see `wimdock.site.distribution.store.Watch`."""

    def __init__(self, work: _Work, source: Source, state: SourceState) -> None:
        self._work = work
        self._source = source
        self._state = state

    @property
    def kept(self) -> Mapping[str, Any]:
        return self._work.claim.content.transfer

    def alive(self) -> None:
        self._work.claim.alive()

    def sent(self, count: int) -> None:
        self._work.sent += count

    def reused(self, count: int) -> None:
        self._work.reused += count

    def passed(self, done: int, total: int) -> None:
        self._work.sender.reporter.progress(done, total)
        self._work.sender.permit()

    def keep(self, document: Mapping[str, Any]) -> None:
        self._work.claim.renew(document)

    def committing(self, sha256: str = "") -> None:
        self._work.sender.permit()
        if not self._source.is_still(self._state):
            message = f"{self._source.path} has changed while it was sent"
            raise SourceMoved(message)
        target = {
            "header": self._state.header.hex(),
            "length": self._state.length,
            "sha256": sha256,
        }
        self._work.claim.renew({"target": target})


@dataclass(slots=True)
class _Work:
    """One image package on its way to one point, and what it cost so far."""

    sender: Sender
    placed: Placed
    claim: Claim
    store: PointStore
    sent: int = 0
    reused: int = 0

    def bring(self) -> tuple[int | None, Route]:
        """Send until the point holds the state that the source is in; give the version."""
        path = file_of(self.sender.site, self.placed.package)
        name = name_at_point(self.placed.package.id, path.name)
        with self.claim.held() as (_, content):
            if content.state is not ContentState.REMOVING:
                content.state = ContentState.SENDING
            content.name = content.name or name
        self.store.check()
        with Source(path) as source:
            for _ in range(_STATES):
                state = source.state()
                held = self.store.look(name)
                route = self._route(state, held, source, name)
                try:
                    arrival = self._arrival(name, source, state, held, route)
                except SourceMoved:
                    continue
                if not source.is_still(state):
                    outcome.arrived(self.claim, arrival)
                    continue
                before = self.claim.content.name
                if before and before != name:
                    self.store.remove(before)
                site = self.sender.site
                version = outcome.finished(site, self.placed, self.claim, arrival, self.sent)
                return version, route
        message = f"{path} changes faster than it can be sent"
        raise ImageBusy(message, hint="Send it again when nobody writes it.")

    def _arrival(
        self, name: str, source: Source, state: SourceState, held: Held | None, route: Route
    ) -> outcome.Arrival:
        """Send what the route says; SourceMoved where the source has moved on."""
        watch = _Transfer(self, source, state)
        tag = held.tag if held else ""
        if route.way is not Way.NOTHING:
            tag = self.store.send(Job(name, source, state, route, tag, watch))
            return outcome.Arrival(name, state, tag, verified=True)
        recorded = self._recorded(name)
        if held is not None and recorded is not None and recorded.is_in(held):
            return outcome.Arrival(name, state, tag, verified=False)
        self._compare(name, source, state, watch)
        return outcome.Arrival(name, state, tag, verified=True)

    def _compare(self, name: str, source: Source, state: SourceState, watch: _Transfer) -> None:
        """Read what was committed by a transfer that was stopped before it was recorded."""
        found = hashlib.sha256()
        done = 0
        for piece in self.store.pieces(name, state.length):
            watch.alive()
            found.update(piece)
            done += len(piece)
            watch.passed(done, state.length)
        if found.hexdigest() == source.sha256(state.header, state.length, watch.alive):
            return
        if not source.is_still(state):
            message = f"{source.path} has changed while it was compared"
            raise SourceMoved(message)
        raise arrived_otherwise(self.placed.point.name, name)

    def _recorded(self, name: str) -> Known | None:
        content = self.claim.content
        if not content.header or content.name != name:
            return None
        return Known(bytes.fromhex(content.header), content.length, content.tag)

    def _route(self, state: SourceState, held: Held | None, source: Source, name: str) -> Route:
        content = self.claim.content
        if content.transfer.get("whole"):
            return whole("what was sent before read otherwise at the point")
        recorded = self._recorded(name)
        known = [] if recorded is None else [recorded]
        if target := content.transfer.get("target"):
            known.append(Known(bytes.fromhex(target["header"]), int(target["length"])))
        route = decide(state, held, known)
        if held is None or route.way is Way.WHOLE:
            return route
        header = base_header(state, held, route)
        if tables_agree(header, source.read, lambda at, size: self.store.read(name, at, size)):
            return route
        return whole("the point holds another file with the same header")


def send(sender: Sender, placed: Placed, store: PointStore) -> Sent:
    """Bring an image package to a point, whatever it holds; give what came of it.

    Failures of the point, the file or the transfer are recorded and given; those of the run or of
    the site's database are raised.
    """
    site, point, package = sender.site, placed.point.name, placed.package.id
    claim = take(site, placed.point.id, package, sender.means.lease)
    if claim is None:
        return Sent(point, package, None, why="another process sends it")
    work = _Work(sender, placed, claim, store)
    began = time.monotonic()
    failure: WimdockError | None = None
    version, route, why = None, None, ""
    try:
        with sender.reporter.step(f"Send {package} to {point}") as step:
            version, route = work.bring()
            why = route.why
            step.result = f"{route.way.value}, {work.sent:,} bytes"
    except (RunError, SiteError):
        claim.release(ContentState.WAITING)
        raise
    except Overtaken as error:
        why = error.message
    except PointDown as error:
        failure = error
        claim.release(ContentState.WAITING)
        outcome.point_down(site, placed.point.id, error)
    except WimdockError as error:
        failure = error
        outcome.failed(site, placed, claim, error)
    except BaseException:
        claim.release(ContentState.WAITING)
        raise
    finally:
        if work.sent:
            outcome.count_sent(site, placed.point.id, work.sent)
    return Sent(
        point,
        package,
        route.way if route else None,
        work.sent,
        work.reused,
        time.monotonic() - began,
        version,
        why,
        failure,
    )
