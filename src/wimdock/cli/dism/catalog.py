"""The list of images of a file, for /Get-ImageInfo: header and XML, and nothing else.

So it works for solid files (.esd) too, which no other room of wimdock reads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import NoSuchImage
from wimdock.files import naming, open_file, read_at, refuse_special
from wimdock.upcase import fold
from wimdock.wim import layout
from wimdock.wim.codec import Codec
from wimdock.wim.header import Header
from wimdock.wim.resource import OpenFile, read_resource
from wimdock.wim.xml import LARGEST_XML, ImageCatalog, ImageRecord

NO_SUCH_INDEX = 0xC1510113
"""What DISM gives for an index, or a name, that a file does not have."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """What header and XML say of a file's images."""

    path: Path
    xml: ImageCatalog
    records: tuple[ImageRecord, ...]

    def index(self, number: int) -> int:
        """Give the number of an image back; NoSuchImage where the file has none with it."""
        if number > len(self.records):
            message = f"{self.path} has no image {number}: it holds {len(self.records)}"
            raise NoSuchImage(message, hresult=NO_SUCH_INDEX)
        return number

    def named(self, name: str) -> int:
        """Give the number of the image with a name, exactly or without regard to case."""
        exact = [each.index for each in self.records if each.name == name]
        found = exact or [each.index for each in self.records if fold(each.name) == fold(name)]
        if not found:
            message = f"{self.path} has no image with the name {name}"
            raise NoSuchImage(message, hresult=NO_SUCH_INDEX)
        if len(found) > 1:
            message = f"{self.path} has {len(found)} images with the name {name}"
            raise NoSuchImage(message, hint="Give /Index.", hresult=NO_SUCH_INDEX)
        return found[0]


def read_catalog(path: Path) -> Catalog:
    """Read header and XML of a file; StorageError or an ImageError says why that fails."""
    refuse_special(path)
    fd = open_file(path)
    try:
        with naming(path):
            header = Header.parse(read_at(fd, layout.HEADER_SIZE, 0))
            codec = Codec(header.compression, header.chunk_size)
            source = OpenFile(fd, os.fstat(fd).st_size, codec)
            xml = ImageCatalog(read_resource(source, header.xml, LARGEST_XML))
            # A header may claim any number of images; those that the XML names can be shown.
            return Catalog(path, xml, xml.records(min(header.image_count, xml.count)))
    finally:
        os.close(fd)
