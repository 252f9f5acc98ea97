"""Image packages that are serviced and distributed, for tests of how they travel."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.lab.cases import component, package
from tests.lab.image import verify
from tests.lab.package import write_package
from tests.servicing.surroundings import QuickDisk, put_in
from wimdock.clock import FixedClock
from wimdock.files import Disk
from wimdock.servicing.options import ServiceOptions, surroundings
from wimdock.site.distribution import Means, Placed, placed
from wimdock.site.distribution.object_parts import PART
from wimdock.site.images.adding import add_package
from wimdock.site.images.going_back import rollback_package
from wimdock.site.images.reading import record_commit
from wimdock.site.site import Site
from wimdock.wim import Archive

SEGMENT = 64 << 10
"""Small, so that small images have several."""

_BEGAN = datetime(2026, 3, 4, tzinfo=UTC)


class WrittenDisk(QuickDisk):
    """Counts the bytes that are written to files below a folder, and how often."""

    def __init__(self, folder: Path) -> None:
        """Start at none."""
        self.folder = folder
        self.bytes = 0
        self.writes: list[tuple[int, int]] = []

    def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Count and write."""
        self.bytes += len(data)
        self.writes.append((offset, len(data)))
        super().write_at(fd, data, offset)


def means(disk: Disk | None = None, segment: int = SEGMENT, part: int = PART) -> Means:
    """Give quick means."""
    return Means(disk=disk or QuickDisk(), segment=segment, part=part)


@dataclass
class ServedImage:
    """An image package of a site, with a folder that is to be a distribution point."""

    site: Site
    image: Path
    id: str
    point: Path
    runs: int = 0

    @property
    def served(self) -> Path:
        """The file at the folder point."""
        return self.point / self.id / self.image.name

    def service(self, name: str = "", at: int = 0, *, record: bool = True) -> int:
        """Put a made update in; give by how many bytes the file grew."""
        self.runs += 1
        name = name or f"Lab-{self.runs}-Package"
        cabinet = self.image.with_name(f"{name}.cab")
        write_package(cabinet, package(component(f"Lab-{self.runs}-Program"), name=name))
        clock = FixedClock(_BEGAN + timedelta(days=at or self.runs))
        world = surroundings(clock=clock, disk=QuickDisk())
        commit = put_in(self.image, [cabinet], ServiceOptions(indexes=(1,)), world).commit
        assert commit is not None
        if record:
            record_commit(self.site, self.id)
        return commit.added

    def roll_back(self, to: int | None = None) -> None:
        """Take it back to an older generation, or forward to a newer one."""
        rollback_package(self.site, self.id, to)

    def placed(self, point: str = "here") -> Placed:
        """Give what the site knows of it at a point."""
        with self.site.reading() as session:
            (found,) = placed(session, package_ids=[self.id], points=[point])
        return found

    def is_served_as_it_is(self) -> bool:
        """Tell whether the folder point has every byte of the file that belongs to its state."""
        return committed(self.served) == committed(self.image)


def committed(image: Path) -> bytes:
    """Give the bytes of an image file up to its committed end."""
    with Archive.open(image) as archive:
        end = archive.committed_end
    return image.read_bytes()[:end]


def sha256(image: Path) -> str:
    """Give the SHA-256 of an image file up to its committed end."""
    return hashlib.sha256(committed(image)).hexdigest()


def register(site: Site, image: Path, point: Path) -> ServedImage:
    """Make a lab image an image package."""
    point.mkdir(exist_ok=True)
    return ServedImage(site, image, add_package(site, image).id, point)


__all__ = ["ServedImage", "WrittenDisk", "committed", "means", "register", "sha256", "verify"]
