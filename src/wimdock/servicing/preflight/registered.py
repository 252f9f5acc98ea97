"""Which image packages of a site are an image file, and whether the site knows what is in it.

A site names the source of a package by a UNC path. Where the image lies on a mounted share, the two
paths can be compared; elsewhere the name of the file is all that can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.servicing.preflight.check import Check, Result
from wimdock.servicing.preflight.report import ImageFindings, Registered
from wimdock.servicing.preflight.volume import Volume

if TYPE_CHECKING:
    from wimdock.configmgr.site import ImagePackage, Site

NAME = "site-record"
TITLE = "What the site knows"

_SHARES = ("cifs", "smb3", "smbfs")
_SHOWN = 5


def registered_as(
    image: Path, volume: Volume, packages: Sequence[ImagePackage]
) -> tuple[Registered, ...]:
    """Give the packages whose source is this file; else those whose source has its file name."""
    mine = _share_path(image, volume)
    found = [(package, _parts(package.source_path)) for package in packages]
    same = [package for package, parts in found if mine and parts == mine]
    if same:
        return tuple(_registered(package, sure=True) for package in same)
    name = image.name.lower()
    alike = [package for package, parts in found if parts and parts[-1] == name]
    return tuple(_registered(package, sure=False) for package in alike)


def _registered(package: ImagePackage, *, sure: bool) -> Registered:
    return Registered(package.package_id, package.name, package.source_path, sure)


def _parts(path: str) -> tuple[str, ...]:
    """Give the parts of a UNC path; Windows compares them without case."""
    return tuple(part.lower() for part in path.replace("/", "\\").split("\\") if part)


def _share_path(image: Path, volume: Volume) -> tuple[str, ...]:
    """Give the parts of a file's UNC path; () where it lies on no share of Windows."""
    if volume.file_system not in _SHARES or not image.is_relative_to(volume.mount_point):
        return ()
    below = image.relative_to(volume.mount_point)
    return (*_parts(volume.source), *(part.lower() for part in below.parts))


def check_record(
    packages: Sequence[Registered], images: Sequence[ImageFindings], count: int, site: Site
) -> Iterator[Check]:
    """Compare what the site says of a package with what is in the file, which holds `count`."""
    if not packages:
        reason = f"no image package of {site.url} has a source with this file's name."
        yield Check(NAME, TITLE, Result.WARNING, reason, "Name the file that the site services.")
        return
    for package in packages:
        known = site.images_of(package.package_id)
        versions = {each.index: each.os_version for each in known if each.index is not None}
        wrong = [
            f"image {image.index}: the site says {versions[image.index]}, it is {image.version}"
            for image in images
            if versions.get(image.index) and versions[image.index] != image.version
        ]
        if known and len(known) != count:
            wrong.insert(0, f"the site says {len(known)} images, there are {count}")
        sure = "this file" if package.sure else "a file of this name, perhaps this one"
        source = f"package {package.package_id} is {sure} ({package.source_path})"
        if wrong:
            yield Check(
                NAME,
                TITLE,
                Result.WARNING,
                f"{source}, and the site has another record of it.",
                "Reload the image's information in the console before the run, if it is this file.",
                details=tuple(wrong[:_SHOWN]),
            )
        else:
            yield Check(NAME, TITLE, Result.PASSED, f"{source}.")
