"""The XML of a WIM file: read into values, edited without losing what is not understood.

UTF-16LE with a byte order mark. One IMAGE element per index; times are FILETIMEs, split into a high
and a low part in hexadecimal. Unknown elements, attributes and their order stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from wimdock.clock import from_filetime, to_filetime
from wimdock.errors import MalformedImage

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_BOM = b"\xff\xfe"
# What may stand before the root element: a declaration, instructions, comments.
_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
LARGEST_XML = 64 << 20
_ARCHITECTURES = {
    0: "x86",
    5: "arm",
    6: "ia64",
    9: "amd64",
    12: "arm64",
}


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What the XML says of one image. Counts and sizes are None where it does not say them.

    Sizes are in bytes; `architecture` is in the words of component servicing ("amd64"), `version`
    is major.minor.build.revision as far as given.
    """

    index: int
    name: str
    description: str
    display_name: str
    display_description: str
    flags: str
    directory_count: int | None
    file_count: int | None
    total_bytes: int | None
    hard_link_bytes: int | None
    created: datetime | None
    modified: datetime | None
    architecture: str
    product_name: str
    edition_id: str
    installation_type: str
    languages: tuple[str, ...]
    default_language: str
    version: tuple[int, ...]
    service_pack_level: int | None
    system_root: str


@dataclass(frozen=True, slots=True)
class ImageCounts:
    """The figures of one image that the XML carries: counts of names, sums of bytes."""

    directories: int
    files: int
    total_bytes: int
    hard_link_bytes: int

    def __add__(self, change: ImageCounts) -> ImageCounts:
        """Give the figures after a change; none falls below 0."""
        return ImageCounts(
            max(self.directories + change.directories, 0),
            max(self.files + change.files, 0),
            max(self.total_bytes + change.total_bytes, 0),
            max(self.hard_link_bytes + change.hard_link_bytes, 0),
        )


class ImageCatalog:
    """The XML document of one file."""

    def __init__(self, data: bytes | bytearray) -> None:
        """Parse it; MalformedImage where it is no XML or has no WIM element."""
        from lxml import etree

        text = bytes(data)
        text = text.removeprefix(_BOM)
        try:
            decoded = text.decode("utf-16-le").rstrip("\0")
            parser = etree.XMLParser(
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                huge_tree=False,
                strip_cdata=False,
            )
            # As bytes: text with a declaration of its encoding would be refused.
            self._root = etree.fromstring(_BOM + decoded.encode("utf-16-le"), parser)
        except (UnicodeDecodeError, ValueError, etree.XMLSyntaxError) as error:
            message = f"the XML of the file cannot be read: {error}"
            raise MalformedImage(message) from error
        if self._root.tag != "WIM" or self._root.getroottree().docinfo.internalDTD is not None:
            message = "the XML of the file is not that of a WIM file"
            raise MalformedImage(message)
        prolog = _PROLOG.match(decoded)
        self._prolog = prolog.group() if prolog else ""
        self._images: dict[int | None, Element] | None = None

    def _image(self, index: int) -> Element | None:
        if self._images is None:
            images: list[Element] = self._root.findall("IMAGE")
            self._images = {}
            for position, image in enumerate(images, start=1):
                self._images.setdefault(_number(image.get("INDEX", ""), position), image)
        return self._images.get(index)

    @property
    def count(self) -> int:
        """The number of IMAGE elements."""
        return len(self._root.findall("IMAGE"))

    def text(self, index: int, path: str) -> str:
        """Give the text of one element of an image (`WINDOWS/HAL`); nothing where it has none."""
        image = self._image(index)
        found = image.findtext(path) if image is not None else None
        return (found or "").strip()

    def record(self, index: int) -> ImageRecord:
        """Give what is said of one image; empty fields where nothing is said."""
        image = self._image(index)

        def text(path: str) -> str:
            return self.text(index, path)

        languages = []
        if image is not None:
            languages = [
                language.text.strip()
                for language in image.findall("WINDOWS/LANGUAGES/LANGUAGE")
                if language.text
            ]
        version = []
        for part in ("MAJOR", "MINOR", "BUILD", "SPBUILD"):
            number = _number(text(f"WINDOWS/VERSION/{part}"))
            if number is None:
                break
            version.append(number)
        architecture = _number(text("WINDOWS/ARCH"))
        return ImageRecord(
            index=index,
            name=text("NAME"),
            description=text("DESCRIPTION"),
            display_name=text("DISPLAYNAME"),
            display_description=text("DISPLAYDESCRIPTION"),
            flags=text("FLAGS"),
            directory_count=_number(text("DIRCOUNT")),
            file_count=_number(text("FILECOUNT")),
            total_bytes=_number(text("TOTALBYTES")),
            hard_link_bytes=_number(text("HARDLINKBYTES")),
            created=_time(text("CREATIONTIME/HIGHPART"), text("CREATIONTIME/LOWPART")),
            modified=_time(
                text("LASTMODIFICATIONTIME/HIGHPART"), text("LASTMODIFICATIONTIME/LOWPART")
            ),
            architecture=_ARCHITECTURES.get(-1 if architecture is None else architecture, ""),
            product_name=text("WINDOWS/PRODUCTNAME"),
            edition_id=text("WINDOWS/EDITIONID"),
            installation_type=text("WINDOWS/INSTALLATIONTYPE"),
            languages=tuple(languages),
            default_language=text("WINDOWS/LANGUAGES/DEFAULT"),
            version=tuple(version),
            service_pack_level=_number(text("WINDOWS/VERSION/SPLEVEL")),
            system_root=text("WINDOWS/SYSTEMROOT"),
        )

    def records(self, count: int) -> tuple[ImageRecord, ...]:
        """Give the records of the images 1 to `count`."""
        return tuple(self.record(index) for index in range(1, count + 1))

    def order(self, index: int) -> tuple[str, ...]:
        """Name the elements that are said of one image, in the order of the document."""
        image = self._image(index)
        return () if image is None else tuple(str(element.tag) for element in image)

    def counts(self, index: int) -> ImageCounts | None:
        """Give the figures of one image, or None where one of them is missing."""
        record = self.record(index)
        directories, files = record.directory_count, record.file_count
        total, hard_link = record.total_bytes, record.hard_link_bytes
        if directories is None or files is None or total is None or hard_link is None:
            return None
        return ImageCounts(directories, files, total, hard_link)

    def add_image(
        self, index: int, name: str, properties: Mapping[str, str], created: datetime
    ) -> None:
        """Add an IMAGE element; `properties` are texts by path (`WINDOWS/VERSION/BUILD`)."""
        from lxml import etree

        image = etree.SubElement(self._root, "IMAGE", INDEX=str(index))
        self._images = None
        _set_time(image, "CREATIONTIME", created)
        _set_time(image, "LASTMODIFICATIONTIME", created)
        for path, text in {"NAME": name, **properties}.items():
            *above, tag = path.split("/")
            here = image
            for step in above:
                found = here.find(step)
                here = etree.SubElement(here, step) if found is None else found
            etree.SubElement(here, tag).text = text

    def set_counts(self, index: int, counts: ImageCounts, modified: datetime) -> None:
        """Write the figures and the time of last change of one image."""
        from lxml import etree

        image = self._image(index)
        if image is None:
            image = etree.SubElement(self._root, "IMAGE", INDEX=str(index))
            self._images = None
        _set(image, "DIRCOUNT", str(counts.directories))
        _set(image, "FILECOUNT", str(counts.files))
        _set(image, "TOTALBYTES", str(counts.total_bytes))
        _set(image, "HARDLINKBYTES", str(counts.hard_link_bytes))
        _set_time(image, "LASTMODIFICATIONTIME", modified)

    def set_total_bytes(self, size: int) -> None:
        """Write how many bytes of the file lie before its XML."""
        _set(self._root, "TOTALBYTES", str(size), first=True)

    def pack(self) -> bytes:
        """Give the document as it is stored."""
        from lxml import etree

        behind = self._root.itersiblings()
        parts = [etree.tostring(node, encoding="unicode") for node in (self._root, *behind)]
        return _BOM + "".join([self._prolog, *parts]).encode("utf-16-le")


def _set(parent: Element, tag: str, text: str, *, first: bool = False) -> None:
    from lxml import etree

    child = parent.find(tag)
    if child is None:
        child = etree.SubElement(parent, tag)
        if first:
            parent.insert(0, child)
    child.text = text


def _set_time(image: Element, tag: str, moment: datetime) -> None:
    from lxml import etree

    filetime = to_filetime(moment)
    time = image.find(tag)
    if time is None:
        time = etree.SubElement(image, tag)
    _set(time, "HIGHPART", f"0x{filetime >> 32:08X}")
    _set(time, "LOWPART", f"0x{filetime & 0xFFFFFFFF:08X}")


def _number(text: str, missing: int | None = None) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= len(str(1 << 64)):
        return int(text)
    return missing


def _time(high: str, low: str) -> datetime | None:
    try:
        filetime = int(high, 16) << 32 | int(low, 16)
    except ValueError:
        return None
    return from_filetime(filetime) if 0 < filetime < 1 << 63 else None
