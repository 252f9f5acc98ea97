"""What a diagnosis needs to know of the image file: version, and what its reparse points are.

Everything of the rooms that read images is imported inside, so that the doctor works on logs alone
without them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from wimdock.doctor.rule import Version
from wimdock.reparse.hosts import Build
from wimdock.reparse.owner import Owner

if TYPE_CHECKING:
    from wimdock.image.reparse_points import ReparsePoint
    from wimdock.servicing.preflight.host import HostVerdict
    from wimdock.wim import Archive


@dataclass(frozen=True, slots=True)
class Application:
    """One that brings reparse points: its name, how many, their tags, the first of them.

    `unknown_to_host` counts those that the host in question does not know, `unusual` those that it
    knows with data of an unusual kind.
    """

    name: str
    count: int
    tags: tuple[str, ...]
    example: str
    unknown_to_host: int = 0
    unusual: int = 0


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of one image; None or nothing where it is not known.

    `reparse` says how far the reparse points trouble a host, whichever that is, where it is known
    without the points: "strong", "weak" or "none".
    """

    version: Version | None = None
    reparse: str | None = None
    file: str = ""
    index: int = 1
    applications: tuple[Application, ...] = ()
    points: tuple[ReparsePoint, ...] | None = None

    def facts(self, index: int | None) -> ImageFacts:  # noqa: ARG002 - one image is one image
        """Give itself: it is the image that is asked for."""
        return self

    def verdict(self, host: Build | None) -> HostVerdict | None:
        """Judge a host by the reparse points, where they are known."""
        if self.points is None:
            return None
        from wimdock.servicing.preflight.host import judge_host

        return judge_host(self.points, host)

    def applications_for(self, host: Build | None) -> tuple[Application, ...]:
        """Give the applications with what of theirs troubles a host, the most troubling first."""
        verdict = self.verdict(host)
        if verdict is None:
            return self.applications
        found = []
        for each in self.applications:
            counts = {
                strength: sum(
                    trouble.count
                    for trouble in verdict.troubles
                    if trouble.owner.value == each.name and trouble.strength.value == strength
                )
                for strength in ("strong", "weak")
            }
            found.append(replace(each, unknown_to_host=counts["strong"], unusual=counts["weak"]))
        found.sort(key=lambda each: (-each.unknown_to_host, -each.unusual))
        return tuple(found)

    def trouble_for(self, host: Build | None) -> str | None:
        """Say how far the points trouble a host: "strong", "weak" or "none"; None: not known.

        A host that nobody knows is judged as the oldest that may be meant, Windows Server 2012.
        """
        if self.reparse is not None:
            return self.reparse
        verdict = self.verdict(host)
        if verdict is None:
            return None
        if verdict.strong:
            return "strong"
        return "weak" if verdict.weak else "none"


class Images(Protocol):
    """Whatever gives the facts of the image with an index; None where it cannot tell which."""

    def facts(self, index: int | None) -> ImageFacts | None:
        """Give the facts of an image; `index` is what the logs say, None where they do not."""


@dataclass(slots=True)
class ImageFile:
    """An image file, and the index where the user names one; each image is read once."""

    archive: Archive
    index: int | None = None
    _known: dict[int, ImageFacts] = field(default_factory=dict)

    def facts(self, index: int | None) -> ImageFacts | None:
        """Give the facts of the image named by the user, else by the logs, else of the only one."""
        count = len(self.archive.metadata_blobs)
        chosen = self.index or index or (1 if count == 1 else None)
        if chosen is None or not 1 <= chosen <= count:
            return None
        if chosen not in self._known:
            self._known[chosen] = _read(self.archive, chosen)
        return self._known[chosen]


@contextmanager
def open_image(path: Path, index: int | None) -> Iterator[ImageFile]:
    """Open an image file; raises as `Archive.open` does, NoSuchImage for an index it has not."""
    from wimdock.errors import NoSuchImage
    from wimdock.files import naming
    from wimdock.wim import Archive

    with naming(path), Archive.open(path) as archive:
        count = len(archive.metadata_blobs)
        if index is not None and index > count:
            message = f"{path} has no image {index}: it holds {count}"
            raise NoSuchImage(message)
        yield ImageFile(archive, index)


def _read(archive: Archive, index: int) -> ImageFacts:
    from wimdock.image.reparse_points import grouped, reparse_points

    points = tuple(reparse_points(archive.image(index)))
    by_owner: dict[Owner, list[tuple[int, str, str]]] = {}
    for group in grouped(points):
        if group.owner is not Owner.WINDOWS:
            row = (group.count, group.tag.name, str(group.example))
            by_owner.setdefault(group.owner, []).append(row)
    applications = tuple(
        Application(
            name=owner.value,
            count=sum(count for count, _, _ in rows),
            tags=tuple(tag for _, tag, _ in rows),
            example=rows[0][2],
        )
        for owner, rows in by_owner.items()
    )
    return ImageFacts(
        version=_version(archive, index),
        file=str(archive.path),
        index=index,
        applications=applications,
        points=points,
    )


def _version(archive: Archive, index: int) -> Version | None:
    from wimdock.errors import ImageError, RegistryError
    from wimdock.image.description import description_in
    from wimdock.image.windows import WindowsImage

    text = description_in(archive.xml.record(index)).version
    if text.count(".") < 3:  # noqa: PLR2004 - four numbers with the revision
        with suppress(RegistryError, ImageError):
            text = WindowsImage(archive, index).description.version or text
    numbers = text.split(".") if text else []
    if len(numbers) < 3 or not all(number.isdigit() for number in numbers):  # noqa: PLR2004
        return None
    return tuple(int(number) for number in numbers)
