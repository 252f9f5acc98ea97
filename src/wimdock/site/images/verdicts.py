"""Whether hosts can commit image packages, by what the site keeps of their reparse points.

No file is read: the answer is that of the file as it was last read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from wimdock.configmgr.provider import Provider as Host
from wimdock.servicing.preflight.host import Ability, Alike, HostVerdict, judge_alike, worst_of
from wimdock.site.images.reparse_facts import kinds_in
from wimdock.site.models import Image, ImagePackage
from wimdock.site.site import Site

_UNREAD = "an image could not be read, so nothing is known of what the host would meet."


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """What a host is judged by: one image, and its reparse points by kinds; None where unread."""

    index: int
    name: str
    kinds: tuple[Alike, ...] | None


@dataclass(frozen=True, slots=True)
class JudgedPackage:
    """An image package with the images that hosts are judged by."""

    id: str
    name: str
    images: tuple[JudgedImage, ...]

    def verdicts(self, host: Host) -> tuple[HostVerdict, ...]:
        """Judge a host by every image, in the order of the images."""
        return tuple(_judge(image, host) for image in self.images)

    def verdict(self, host: Host) -> HostVerdict:
        """Give the worst verdict: a host services all images of a file."""
        worst = worst_of(self.verdicts(host))
        return worst or HostVerdict(host.build, Ability.UNKNOWN, _UNREAD)


def _judge(image: JudgedImage, host: Host) -> HostVerdict:
    if image.kinds is None and not host.is_wimdock:
        return HostVerdict(host.build, Ability.UNKNOWN, _UNREAD)
    return judge_alike(image.kinds or (), host.build, is_wimdock=host.is_wimdock)


def judged_packages(site: Site, package_ids: Sequence[str] = ()) -> list[JudgedPackage]:
    """Give the image packages by ID, all unless some are named, ready to judge hosts by."""
    wanted = (
        select(ImagePackage.id, ImagePackage.name, Image.index, Image.name, Image.reparse)
        .add_columns(Image.unreadable)
        .join(Image, Image.package_id == ImagePackage.id)
        .where(ImagePackage.removed_at.is_(None))
        .order_by(ImagePackage.id, Image.index)
    )
    if package_ids:
        wanted = wanted.where(ImagePackage.id.in_(package_ids))
    known: dict[tuple[object, ...], Alike] = {}
    names: dict[str, str] = {}
    images: dict[str, list[JudgedImage]] = {}
    with site.reading() as session:
        for package_id, name, index, image_name, facts, unreadable in session.execute(wanted):
            kinds = None if unreadable else _kinds(facts, known)
            names[package_id] = name
            images.setdefault(package_id, []).append(JudgedImage(index, image_name, kinds))
    return [JudgedPackage(each, names[each], tuple(images[each])) for each in names]


def _kinds(
    facts: Iterable[dict[str, Any]], known: dict[tuple[object, ...], Alike]
) -> tuple[Alike, ...]:
    """Decode what an image holds; images that were captured alike hold the same."""
    found = []
    for fact in facts:
        key = (fact["tag"], fact["owner"], fact["count"], fact["data"], *fact["examples"])
        if key not in known:
            known[key] = kinds_in([fact])[0]
        found.append(known[key])
    return tuple(found)
