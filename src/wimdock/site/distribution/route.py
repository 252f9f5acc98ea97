"""Deciding what travels: nothing, the header, the appended tail, or the whole file. Pure.

Only a point that holds what the site last brought there, byte for byte as far as its header and
length tell, and whose state is one that the source's records chain to the current one, is given a
part. All else is given the whole file: a wrong guess would make a file that never was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from wimdock.errors import ImageError
from wimdock.site.distribution.source import PIECE, SourceState
from wimdock.wim import layout
from wimdock.wim.header import Header, ResourceHeader

Read = Callable[[int, int], bytes]
"""Gives so many bytes at an offset; fewer at the end of the file."""


class Way(StrEnum):
    """What travels."""

    NOTHING = "nothing"
    HEADER = "header"
    TAIL = "tail"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Held:
    """What a point holds: the first bytes, the size, and a store's own mark of the object."""

    header: bytes
    size: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the site brought to a point, or was about to: `tag` empty stands for any."""

    header: bytes
    length: int
    tag: str = ""

    def is_in(self, held: Held) -> bool:
        """Tell whether the point still holds it; a folder may hold an older tail behind it."""
        same = held.header == self.header and held.size >= self.length
        return same and self.tag in ("", held.tag)


@dataclass(frozen=True, slots=True)
class Route:
    """What travels, and why; the point has the first `base` bytes, but for the header."""

    way: Way
    base: int
    why: str


def decide(state: SourceState, held: Held | None, known: Sequence[Known]) -> Route:
    """Say what must be sent so that a point that holds `held` comes into a state."""
    if held is None:
        return whole("the point does not hold it")
    base = next((each for each in known if each.is_in(held)), None)
    if base is None:
        return whole("another program changed it at the point")
    if base.header == state.header:
        return Route(Way.NOTHING, state.length, "the point holds it")
    return _along_the_records(state, base) or whole("it was not made from what the point holds")


def _along_the_records(state: SourceState, base: Known) -> Route | None:
    """Give the way from an older or a newer generation; None where the records know none."""
    found = next((g for g in reversed(state.records) if g.header == base.header), None)
    if found is None or found.length != base.length or state.current is None:
        return None
    if found.number > state.current.number:
        return Route(Way.HEADER, state.length, "it was rolled back")
    return Route(Way.TAIL, found.length, "it was made from what the point holds")


def base_header(state: SourceState, held: Held, route: Route) -> bytes:
    """Give the header of the state whose tables must be the same at both ends."""
    return held.header if route.way is Way.TAIL else state.header


def tables_agree(header: bytes, source: Read, point: Read) -> bool:
    """Tell whether source and point have the same blob table, XML and integrity table.

    A header tells where these lie, not what is in them: after a rollback another servicing may make
    a header of the same 208 bytes. The blob table has the place and the hash of all content, so
    where it is the same, all content is.
    """
    try:
        parsed = Header.parse(header)
    except ImageError:
        return False
    return all(
        _same(resource, source, point)
        for resource in (parsed.blob_table, parsed.xml, parsed.integrity)
    )


def _same(resource: ResourceHeader, source: Read, point: Read) -> bool:
    for offset in range(resource.offset, resource.end, PIECE):
        size = min(PIECE, resource.end - offset)
        ours = source(offset, size)
        if len(ours) != size or ours != point(offset, size):
            return False
    return True


def whole(why: str) -> Route:
    """Give the way that is always open."""
    return Route(Way.WHOLE, layout.HEADER_SIZE, why)
