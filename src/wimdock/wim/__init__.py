"""The container: WIM files, read and written.

`Archive` reads; `Transaction` writes, by appending and flipping the header; `rollback` writes an
older header back; `verify` checks.
"""

from wimdock.wim.archive import Archive, Image
from wimdock.wim.dentry import Entry, Stream
from wimdock.wim.xml import ImageCatalog, ImageRecord

__all__ = ["Archive", "Entry", "Image", "ImageCatalog", "ImageRecord", "Stream"]
