"""What a preflight found: one verdict for every host and image, the checks, and all in one word."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from wimdock.configmgr.provider import Provider
from wimdock.image.reparse_points import ReparseGroup
from wimdock.reparse.hosts import WINDOWS_10_1709, Build
from wimdock.reparse.judgement import Strength
from wimdock.servicing.preflight.captured import Capture
from wimdock.servicing.preflight.check import Check, Result
from wimdock.servicing.preflight.host import (
    CARRIES_WINDOWS_10,
    Ability,
    HostVerdict,
    worst_of,
)
from wimdock.servicing.preflight.image_file import COUNT
from wimdock.servicing.preflight.space import Part


class Readiness(Enum):
    """The whole preflight in one word; the value is for JSON."""

    READY = "ready"
    BLOCKED = "blocked"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Registered:
    """An image package that an image file is registered under.

    `sure` tells whether the whole path is the same, and not the name of the file alone.
    """

    package_id: str
    name: str
    source_path: str
    sure: bool


@dataclass(frozen=True, slots=True)
class ImageFindings:
    """One image: what it is, its reparse points, how it was captured, a verdict for every host.

    `verdicts` stand in the order of the report's hosts; empty where the image could not be read.
    """

    index: int
    name: str
    version: str
    architecture: str
    build: Build | None
    groups: tuple[ReparseGroup, ...]
    capture: Capture | None
    verdicts: tuple[HostVerdict, ...]


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """A preflight of one image file.

    `named` tells whether the hosts are those that somebody named; otherwise they are examples, one
    of each server build. `packages` are those under which a site may know this file.
    """

    image: Path
    hosts: tuple[Provider, ...]
    named: bool
    images: tuple[ImageFindings, ...]
    checks: tuple[Check, ...]
    parts: tuple[Part, ...] = ()
    packages: tuple[Registered, ...] = ()

    def verdict(self, number: int) -> HostVerdict:
        """Give the worst verdict on the host with this number, over all images."""
        found = [image.verdicts[number] for image in self.images if image.verdicts]
        unread = any(not image.verdicts for image in self.images) or not self.images
        host = self.hosts[number]
        worst = worst_of(found)
        if host.is_wimdock or (worst is not None and worst.ability is Ability.CANNOT):
            return worst or HostVerdict(None, Ability.UNKNOWN, _UNREAD)
        if unread or worst is None:
            return HostVerdict(host.build, Ability.UNKNOWN, _UNREAD)
        return worst

    @property
    def verdicts(self) -> tuple[HostVerdict, ...]:
        """The worst verdict on every host, in the order of the hosts."""
        return tuple(self.verdict(number) for number in range(len(self.hosts)))

    @property
    def ability(self) -> Ability:
        """The worst of all verdicts: any host may do the work."""
        worst = worst_of(self.verdicts)
        return Ability.UNKNOWN if worst is None else worst.ability

    @property
    def readiness(self) -> Readiness:
        """All in one word.

        Example hosts block nothing: where they differ, it depends on a host that nobody named.
        """
        results = {check.result for check in self.checks if check.wanted}
        if Result.FAILED in results or (self.named and self.ability is Ability.CANNOT):
            return Readiness.BLOCKED
        if Result.NOT_CHECKED in results or self.ability is not Ability.CAN_COMMIT:
            return Readiness.UNCERTAIN
        return Readiness.READY

    @property
    def leaves_out(self) -> bool:
        """Tell whether the file has images that were not looked at, and that a run services."""
        return any(
            check.name == COUNT[0] and check.result is Result.NOT_CHECKED for check in self.checks
        )

    def count(self, result: Result) -> int:
        """Count the checks with this result."""
        return sum(check.result is result for check in self.checks)

    def remedies(self) -> tuple[str, ...]:
        """Say what to do about hosts that cannot commit, or may not: the ways of KB 4517870."""
        doubtful = [
            host
            for host, verdict in zip(self.hosts, self.verdicts, strict=True)
            if verdict.ability is not Ability.CAN_COMMIT and not _is_new(host)
        ]
        if not doubtful or not any(image.verdicts for image in self.images):
            return ()
        older = ", ".join(dict.fromkeys(host.name for host in doubtful if host.build))
        unknown = tuple(dict.fromkeys(host.name for host in doubtful if not host.build))
        which = older if self.named else "a host older than that"
        owners = ", ".join(self._owners())
        return (
            *_asked(unknown),
            f"Upgrade {which} to Server 2016 or later." if which else "Upgrade it if it is older.",
            "Or move the SMS Provider to a server with Server 2016 or later, and a matching ADK.",
            "Or capture the image anew without what brings the reparse points"
            + (f" ({owners})" if owners else "")
            + ", and install that in the task sequence.",
            self._old_capture(),
            "Or service the file with wimdock, which captures nothing again.",
        )

    def _owners(self) -> tuple[str, ...]:
        """Name who owns what troubles the doubtful hosts: of strong troubles, where there are."""
        troubles = [
            trouble
            for image in self.images
            for number, verdict in enumerate(image.verdicts)
            if self.verdict(number).ability is not Ability.CAN_COMMIT
            for trouble in verdict.troubles
        ]
        strong = [each for each in troubles if each.strength is Strength.STRONG]
        return tuple(dict.fromkeys(each.owner.value for each in strong or troubles))

    def _old_capture(self) -> str:
        builds = [image.build for image in self.images if image.build is not None]
        if builds and max(builds) <= WINDOWS_10_1709:
            return "Or capture it anew with DISM of the ADK for Windows 10 1709: it is that old."
        if builds:
            return (
                "Capturing it with DISM of the 1709 ADK does not fit: that is for Windows 10 1709 "
                f"and earlier, and this is {max(builds).name}."
            )
        return "Capturing it with DISM of the 1709 ADK fits Windows 10 1709 and earlier only."


def _asked(names: tuple[str, ...]) -> Iterator[str]:
    """Ask for the Windows of hosts that nobody knows it of."""
    if names:
        example = shlex.quote(f"{names[0]}=Server 2016")
        yield (
            f"Find out the Windows of {', '.join(names)} and name it, such as --provider "
            f"{example}: from that on it can commit."
        )


def _is_new(host: Provider) -> bool:
    """Tell whether a host is none that an upgrade would help."""
    return host.is_wimdock or (host.build is not None and host.build >= CARRIES_WINDOWS_10)


_UNREAD = "an image could not be read, so nothing is known of what the host would meet."
