"""Whether a rule's bounds hold of host and image: yes, no, or not known.

A log names one host at most. Where it names none, the providers that the user gave may have done
the work: bounds hold of them only where they hold of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wimdock.doctor.image_facts import ImageFacts
from wimdock.doctor.rule import Bounds, Version
from wimdock.reparse.hosts import Build

_PARTS = 4


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of where a failure happened.

    `hosts` are the builds that may have done the work, None among them for one that is not known;
    `image` is what is known of the image, None where none was given.
    """

    hosts: tuple[Build | None, ...] = ()
    image: ImageFacts | None = None

    @property
    def host(self) -> Build | None:
        """The one build that did the work, where there is only one."""
        return self.hosts[0] if len(set(self.hosts)) == 1 else None


def holds(bounds: Bounds, around: Surroundings) -> bool | None:
    """Tell whether all bounds hold; None where that is not known."""
    return _all(
        (
            _host_holds(bounds, around.hosts),
            image_holds(bounds, around.image),
            _reparse_holds(bounds, around),
        )
    )


def of_host(bounds: Bounds, build: Build | None) -> bool | None:
    """Tell whether the bounds of the host hold of one build."""
    return _within(build, bounds.host_before, bounds.host_from)


def image_holds(bounds: Bounds, image: ImageFacts | None) -> bool | None:
    """Tell whether the bounds of the image's version hold."""
    version = None if image is None else image.version
    return _within(version, bounds.image_before, bounds.image_from)


def _host_holds(bounds: Bounds, hosts: Sequence[Build | None]) -> bool | None:
    if bounds.host_before is None and bounds.host_from is None:
        return True
    found = {of_host(bounds, host) for host in hosts}
    return found.pop() if len(found) == 1 else None


def _reparse_holds(bounds: Bounds, around: Surroundings) -> bool | None:
    if bounds.image_reparse is None:
        return True
    if around.image is None:
        return None
    found = {around.image.trouble_for(host) for host in around.hosts or (None,)}
    trouble = found.pop() if len(found) == 1 else None
    return None if trouble is None else trouble == bounds.image_reparse


def _within(
    version: Version | Build | None, before: Version | None, start: Version | None
) -> bool | None:
    if before is None and start is None:
        return True
    if version is None:
        return None
    older = True if before is None else _is_older(tuple(version), before)
    newer = True
    if start is not None:
        behind = _is_older(tuple(version), start)
        newer = None if behind is None else not behind  # type: ignore[assignment]
    return _all((older, newer))


def _is_older(version: Version, other: Version) -> bool | None:
    """Tell whether a version is older; None where its revision would decide and is not known."""
    if len(version) < len(other) and version == other[: len(version)]:
        return None
    padded = version + (0,) * (_PARTS - len(version))
    return padded < other + (0,) * (_PARTS - len(other))


def _all(found: Sequence[bool | None]) -> bool | None:
    if False in found:
        return False
    return None if None in found else True
