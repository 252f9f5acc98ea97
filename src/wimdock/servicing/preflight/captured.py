"""How an image was probably captured, and why we think so.

Failure 1 needs an image whose capture kept the reparse points of Windows 10, as the ADK for Windows
10 1803 and later do. No field of a WIM file names the program, so this is a judgement by evidence:
what the image still has, when it was captured, and marks that wimlib leaves. The marks are proved
by tests with wimlib; how Microsoft's own library writes is known here only from what others say, so
nothing is concluded from a likeness to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

from wimdock.reparse.hosts import SERVER_2012_R2, WINDOWS_10_1803, Build

if TYPE_CHECKING:
    from wimdock.image.reparse_points import ReparsePoint
    from wimdock.wim import Archive, Image

RELEASE_OF_1803 = datetime(2018, 4, 30, tzinfo=UTC)
"""Windows 10 1803 and its ADK came out that day."""

_SHOWN = 4


class Capturer(Enum):
    """What kind of program captured an image; the value is for JSON."""

    WIMLIB = "wimlib"
    ADK_1803 = "adk-1803-or-later"
    BEFORE_1803 = "before-adk-1803"
    OTHER = "other"
    UNKNOWN = "unknown"


_WORDS = {
    Capturer.WIMLIB: "probably by wimlib",
    Capturer.ADK_1803: "probably by DISM of the ADK for Windows 10 1803 or later",
    Capturer.BEFORE_1803: "probably by a program older than the ADK for Windows 10 1803",
    Capturer.OTHER: "probably by a program other than Microsoft's that keeps reparse points",
    Capturer.UNKNOWN: "by a program that cannot be told",
}


class Confidence(Enum):
    """How sure a judgement is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class CaptureFacts:
    """What an image shows of its capture.

    `newer` names the kinds of reparse points that Server 2012 R2 does not know and counts them;
    `doubled` counts folders stored with an empty data stream besides their reparse data, as wimlib
    before 1.14.2 does; `order` gives the elements of the image's XML in their order.
    """

    newer: tuple[tuple[str, int], ...]
    doubled: int
    order: tuple[str, ...]
    created: datetime | None
    build: Build | None


@dataclass(frozen=True, slots=True)
class Capture:
    """Which program captured an image, how sure that is, and each thing that speaks for it.

    `keeps` tells whether the capture kept the reparse points of Windows 10: None where the image
    does not show it, as one that never had any.
    """

    program: Capturer
    confidence: Confidence
    keeps: bool | None
    evidence: tuple[str, ...]

    @property
    def words(self) -> str:
        """The judgement for people."""
        sure = f" ({self.confidence.value} confidence)"
        return _WORDS[self.program] + ("" if self.program is Capturer.UNKNOWN else sure)


def capture_facts(
    archive: Archive, image: Image, points: Iterable[ReparsePoint], build: Build | None
) -> CaptureFacts:
    """Look at an image for what shows how it was captured; `build` is that of its Windows."""
    newer = Counter(
        point.tag.name
        for point in points
        if point.tag.is_microsoft and not point.tag.is_known_to(SERVER_2012_R2)
    )
    doubled = sum(
        entry.is_directory and sum(not stream.name for stream in entry.streams) > 1
        for _, entry in image.reparse_points()
    )
    return CaptureFacts(
        newer=tuple(newer.most_common()),
        doubled=doubled,
        order=archive.xml.order(image.index),
        created=archive.xml.record(image.index).created,
        build=build,
    )


def judge_capture(facts: CaptureFacts) -> Capture:
    """Tell which kind of program captured an image."""
    evidence = [_tags(facts), *_marks(facts), *_dates(facts)]
    keeps = True if facts.newer else None
    by_name = _is_named_first(facts)
    if by_name or facts.doubled:
        sure = Confidence.HIGH if by_name and facts.doubled else Confidence.MEDIUM
        return Capture(Capturer.WIMLIB, sure, keeps, tuple(evidence))
    early = _is_early(facts)
    if facts.newer and early:
        program, sure = Capturer.OTHER, Confidence.LOW
    elif facts.newer:
        program = Capturer.ADK_1803
        sure = Confidence.LOW if facts.created is None else Confidence.MEDIUM
    elif early:
        program, sure, keeps = Capturer.BEFORE_1803, Confidence.MEDIUM, False
    elif facts.build is not None and facts.build >= WINDOWS_10_1803:
        program, sure = Capturer.ADK_1803, Confidence.LOW
    else:
        program, sure = Capturer.UNKNOWN, Confidence.LOW
    return Capture(program, sure, keeps, tuple(evidence))


def _is_early(facts: CaptureFacts) -> bool:
    """Tell whether it was captured before the ADK for 1803, if its Windows is old enough for that.

    A Windows that is newer than its own capture had a wrong clock, or was not released yet.
    """
    is_old = facts.build is None or facts.build < WINDOWS_10_1803
    return is_old and facts.created is not None and facts.created < RELEASE_OF_1803


def _tags(facts: CaptureFacts) -> str:
    if not facts.newer:
        return (
            "it has no reparse points newer than Server 2012 R2: there were none, or the capture "
            "dropped them."
        )
    kinds = ", ".join(f"{count:,} {name}" for name, count in facts.newer[:_SHOWN])
    if len(facts.newer) > _SHOWN:
        kinds += f" and {len(facts.newer) - _SHOWN} kinds more"
    return (
        f"it has reparse points newer than Server 2012 R2 ({kinds}): DISM keeps them since the ADK "
        "for Windows 10 1803, wimlib does too."
    )


def _is_named_first(facts: CaptureFacts) -> bool:
    return facts.order[:2] == ("NAME", "DIRCOUNT")


def _marks(facts: CaptureFacts) -> Iterable[str]:
    if _is_named_first(facts):
        yield "its XML begins with the image's name, as wimlib writes it."
    if facts.doubled:
        yield (
            f"{facts.doubled:,} folders that are reparse points have a second, empty stream, as "
            "wimlib before 1.14.2 stores them at a capture or an update."
        )


def _dates(facts: CaptureFacts) -> Iterable[str]:
    if facts.created is None:
        yield "its XML does not say when it was captured."
    elif facts.created < RELEASE_OF_1803:
        yield (
            f"it was captured on {facts.created:%Y-%m-%d}, before the ADK for Windows 10 1803 came "
            "out on 2018-04-30, if the machine's clock was right."
        )
    else:
        yield (
            f"it was captured on {facts.created:%Y-%m-%d}, after the ADK for Windows 10 1803 came "
            "out on 2018-04-30."
        )
    if facts.build is not None and facts.build >= WINDOWS_10_1803:
        yield (
            f"its Windows is {facts.build.name}: Microsoft wants it captured with a DISM as new as "
            "itself, so of 1803 or later."
        )
        if facts.created is not None and facts.created < RELEASE_OF_1803:
            yield "so that date says little: the clock was wrong, or this Windows not released yet."
    elif facts.build is not None:
        yield f"its Windows is {facts.build.name}, which DISM of an older ADK may capture too."
