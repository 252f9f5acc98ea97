"""Image packages at a glance: two queries, however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from wimdock.site.models import FileState, Image, ImagePackage, PackageType
from wimdock.site.site import Site


@dataclass(frozen=True, slots=True)
class ListedImage:
    """One image of a listed package."""

    index: int
    name: str
    edition: str
    version: str
    architecture: str


@dataclass(frozen=True, slots=True)
class ListedPackage:
    """An image package at a glance; `length` is that of its file in bytes.

    `path` is None for one that was removed.
    """

    id: str
    type: PackageType
    name: str
    description: str
    storage: str
    path: str | None
    length: int
    generation: int | None
    content_version: int
    state: FileState
    reason: str
    added_at: datetime
    read_at: datetime
    removed_at: datetime | None
    images: tuple[ListedImage, ...]

    @property
    def architectures(self) -> tuple[str, ...]:
        """The architectures of its images, each once."""
        return tuple(dict.fromkeys(each.architecture for each in self.images if each.architecture))

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions of its images, each once."""
        return tuple(dict.fromkeys(each.version for each in self.images if each.version))


def list_packages(site: Site, *, removed: bool = False) -> list[ListedPackage]:
    """Give the image packages by their IDs; with `removed` those too that were removed."""
    packages = select(
        ImagePackage.id,
        ImagePackage.type,
        ImagePackage.name,
        ImagePackage.description,
        ImagePackage.storage,
        ImagePackage.path,
        ImagePackage.length,
        ImagePackage.generation,
        ImagePackage.content_version,
        ImagePackage.state,
        ImagePackage.reason,
        ImagePackage.added_at,
        ImagePackage.read_at,
        ImagePackage.removed_at,
    ).order_by(ImagePackage.id)
    if not removed:
        packages = packages.where(ImagePackage.removed_at.is_(None))
    images: dict[str, list[ListedImage]] = {}
    with site.reading() as session:
        for row in session.execute(_images(removed=removed)):
            package_id, index, name, edition, version, architecture = row
            image = ListedImage(index, name, edition, version, architecture)
            images.setdefault(package_id, []).append(image)
        return [
            ListedPackage(
                id=row.id,
                type=PackageType(row.type),
                name=row.name,
                description=row.description,
                storage=row.storage,
                path=row.path,
                length=row.length,
                generation=row.generation,
                content_version=row.content_version,
                state=row.state,
                reason=row.reason,
                added_at=row.added_at,
                read_at=row.read_at,
                removed_at=row.removed_at,
                images=tuple(images.get(row.id, ())),
            )
            for row in session.execute(packages)
        ]


def _images(*, removed: bool) -> Select[str, int, str, str, str, str]:
    wanted = select(
        Image.package_id, Image.index, Image.name, Image.edition, Image.version, Image.architecture
    ).order_by(Image.package_id, Image.index)
    if removed:
        return wanted
    joined = wanted.join(ImagePackage, ImagePackage.id == Image.package_id)
    return joined.where(ImagePackage.removed_at.is_(None))
