"""Whether hosts can commit image packages, by what the site keeps of their reparse points.

No file is read: the answer is that of the file as it was last read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import String, cast, select

from wimdock.configmgr.provider import Provider as Host
from wimdock.servicing.preflight.host import Ability, Alike, HostVerdict, judge_alike, worst_of
from wimdock.site.images.reparse_facts import kinds_in
from wimdock.site.models import Image, ImagePackage
from wimdock.site.site import Site

_UNREAD = "an image could not be read, so nothing is known of what the host would meet."


@dataclass(frozen=True, slots=True)
class Kinds:
    """The reparse points of images that hold the same: judged once for every host."""

    found: tuple[Alike, ...]
    _verdicts: dict[Host, HostVerdict] = field(default_factory=dict, compare=False, repr=False)

    def verdict(self, host: Host) -> HostVerdict:
        """Judge a host."""
        if host not in self._verdicts:
            self._verdicts[host] = judge_alike(self.found, host.build, is_wimdock=host.is_wimdock)
        return self._verdicts[host]


_NOTHING = Kinds(())


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """What a host is judged by: one image, and its reparse points by kinds; None where unread."""

    index: int
    name: str
    kinds: Kinds | None

    def verdict(self, host: Host) -> HostVerdict:
        """Judge a host; of an image that could not be read nothing is known."""
        if self.kinds is not None:
            return self.kinds.verdict(host)
        if host.is_wimdock:
            return _NOTHING.verdict(host)
        return HostVerdict(host.build, Ability.UNKNOWN, _UNREAD)


@dataclass(frozen=True, slots=True)
class JudgedPackage:
    """An image package with the images that hosts are judged by."""

    id: str
    name: str
    images: tuple[JudgedImage, ...]

    def verdicts(self, host: Host) -> tuple[HostVerdict, ...]:
        """Judge a host by every image, in the order of the images."""
        return tuple(image.verdict(host) for image in self.images)

    def verdict(self, host: Host) -> HostVerdict:
        """Give the worst verdict: a host services all images of a file."""
        # Most images of a file hold the same.
        different = {id(image.kinds): image for image in self.images}.values()
        worst = worst_of([image.verdict(host) for image in different])
        return worst or HostVerdict(host.build, Ability.UNKNOWN, _UNREAD)


def judged_packages(site: Site, package_ids: Sequence[str] = ()) -> list[JudgedPackage]:
    """Give the image packages by ID, all unless some are named, ready to judge hosts by."""
    wanted = (
        select(ImagePackage.id, ImagePackage.name, Image.index, Image.name)
        .add_columns(cast(Image.reparse, String), Image.unreadable)
        .join(Image, Image.package_id == ImagePackage.id)
        .where(ImagePackage.removed_at.is_(None))
        .order_by(ImagePackage.id, Image.index)
    )
    if package_ids:
        wanted = wanted.where(ImagePackage.id.in_(package_ids))
    known: dict[str, Kinds] = {}
    names: dict[str, str] = {}
    images: dict[str, list[JudgedImage]] = {}
    with site.reading() as session:
        for package_id, name, index, image_name, facts, unreadable in session.execute(wanted):
            kinds = None if unreadable else _kinds(facts, known)
            names[package_id] = name
            images.setdefault(package_id, []).append(JudgedImage(index, image_name, kinds))
    return [JudgedPackage(each, names[each], tuple(images[each])) for each in names]


def _kinds(facts: str, known: dict[str, Kinds]) -> Kinds:
    """Decode what an image holds, once for all images that hold the same.

    Servicing leaves reparse points as they are: all images of one capture do.
    """
    if facts not in known:
        known[facts] = Kinds(tuple(kinds_in(json.loads(facts))))
    return known[facts]
