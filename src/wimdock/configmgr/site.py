"""What a Configuration Manager site says of itself: its providers, image packages and images.

Rows come from the classes SMS_ProviderLocation, SMS_R_System, SMS_G_System_OPERATING_SYSTEM,
SMS_ImagePackage and SMS_ImageInformation (reference of the Configuration Manager SDK). Members that
only some versions of a site have are optional here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from wimdock.configmgr.provider import Provider
from wimdock.errors import UnexpectedAnswer
from wimdock.reparse.hosts import SERVER_2012, SERVER_2012_R2, SERVER_2016, Build

Row = Mapping[str, object]
"""One object of an answer."""

BOOT_IMAGE = 258
"""The package type of boot images, which Scheduled Updates never services."""

_VERSION = re.compile(r"(\d{1,5})\.(\d{1,5})\.(\d{1,9})(?:\.\d{1,9})?", re.ASCII)
_NAME_AND_VERSION = re.compile(r".*\bserver\b.*?(\d{1,2}\.\d)(?:\D.*)?", re.IGNORECASE | re.ASCII)
_LONGEST = 1024
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which JSON can hold
# What an operating system's name says without a build: 10.0 is Server 2016 or any later one.
_SERVERS = {"6.2": SERVER_2012, "6.3": SERVER_2012_R2, "10.0": SERVER_2016}


@dataclass(frozen=True, slots=True)
class ImagePackage:
    """An image file that is registered with a site; `source_path` is its UNC path."""

    package_id: str
    name: str
    source_path: str
    version: str = ""
    os_version: str = ""


@dataclass(frozen=True, slots=True)
class SiteImage:
    """One image in an image package, as the site knows it.

    `index` counts from 1 and is None where the site did not say it; `size` is bytes.
    `package_type` is 257 for OS images and 259 for OS upgrade packages.
    """

    package_id: str
    index: int | None
    name: str
    os_version: str
    architecture: str
    language: str = ""
    size: int | None = None
    package_type: int | None = None

    @property
    def build(self) -> Build | None:
        """Its build of Windows, None where the site's text is no version."""
        return build_of(self.os_version)


@dataclass(frozen=True, slots=True)
class Site:
    """What a site says: every server with an SMS Provider, the image packages and their images."""

    url: str
    providers: tuple[Provider, ...]
    image_packages: tuple[ImagePackage, ...]
    images: tuple[SiteImage, ...]

    def images_of(self, package_id: str) -> tuple[SiteImage, ...]:
        """Give the images of an image package."""
        return tuple(image for image in self.images if image.package_id == package_id)


def text(row: Row, member: str, *, required: bool = False) -> str:
    """Give a text of a row in one line, "" where it is not there or null.

    Raises UnexpectedAnswer where it is something else, or is missing and required.
    """
    value = row.get(member)
    if value is None:
        value = ""
    broken = not isinstance(value, str) or len(value) > _LONGEST or _SURROGATE.search(value)
    if not isinstance(value, str) or broken or (required and not value.strip()):
        message = f"{member} of a row is no text that it can be"
        raise UnexpectedAnswer(message)
    return " ".join(value.split())


def number(row: Row, member: str) -> int | None:
    """Give a number of a row, None where it is not there or null; 64-bit numbers may be text.

    Raises UnexpectedAnswer where it is something else.
    """
    value = row.get(member)
    if isinstance(value, str) and re.fullmatch(r"\d{1,19}", value, re.ASCII):
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    message = f"{member} of a row is no number"
    raise UnexpectedAnswer(message)


def build_of(version: str) -> Build | None:
    """Read `10.0.17763` or `10.0.17763.1879`; None for any other text."""
    match = _VERSION.fullmatch(version.strip())
    return Build(int(match[1]), int(match[2]), int(match[3])) if match else None


def build_of_system(rows: Iterable[Row]) -> tuple[Build | None, str]:
    """Give the build that rows of SMS_R_System tell of one server, and from which member.

    BuildExt and Build hold versions; OperatingSystemNameandVersion only `… Server 6.3`. Obsolete
    records do not count. Where records disagree the oldest build is given: a provider that is taken
    for older than it is costs a warning, one that is taken for newer costs an image.
    """
    current = [row for row in rows if not number(row, "Obsolete")]
    for member in ("BuildExt", "Build"):
        builds = [build for row in current if (build := build_of(text(row, member)))]
        if builds:
            return min(builds), member
    member = "OperatingSystemNameandVersion"
    names = [_NAME_AND_VERSION.fullmatch(text(row, member)) for row in current]
    known = [_SERVERS[name[1]] for name in names if name and name[1] in _SERVERS]
    return (min(known), member) if known else (None, "")


def image_package(row: Row) -> ImagePackage:
    """Read a row of SMS_ImagePackage."""
    return ImagePackage(
        package_id=text(row, "PackageID", required=True),
        name=text(row, "Name"),
        source_path=text(row, "PkgSourcePath"),
        version=text(row, "Version"),
        os_version=text(row, "ImageOSVersion"),
    )


def site_images(rows: Iterable[Row]) -> tuple[SiteImage, ...]:
    """Read rows of SMS_ImageInformation, without boot images, in the order of package and index.

    Index is a lazy property, which a site may leave out: the only image of a package is then 1.
    """
    found = [_site_image(row) for row in rows if number(row, "PackageType") != BOOT_IMAGE]
    packages = [image.package_id for image in found]
    for place, image in enumerate(found):
        if image.index is None and packages.count(image.package_id) == 1:
            found[place] = replace(image, index=1)
    return tuple(sorted(found, key=lambda image: (image.package_id, image.index or 0)))


def _site_image(row: Row) -> SiteImage:
    return SiteImage(
        package_id=text(row, "PackageID", required=True),
        index=number(row, "Index") or None,
        name=text(row, "Name"),
        os_version=text(row, "OSVersion") or text(row, "ImageOSVersion"),
        architecture=text(row, "Architecture"),
        language=text(row, "Language"),
        size=number(row, "Size"),
        package_type=number(row, "PackageType"),
    )
