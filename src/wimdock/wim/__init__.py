"""The container: WIM files, read and written.

`Archive` reads, `Transaction` writes by appending and flipping the header, `verify` checks.
"""

from wimdock.wim.archive import Archive, Image
from wimdock.wim.dentry import Entry, Stream
from wimdock.wim.xml import ImageCatalog, ImageRecord

__all__ = ["Archive", "Entry", "Image", "ImageCatalog", "ImageRecord", "Stream"]
