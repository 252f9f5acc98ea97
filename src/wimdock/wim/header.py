"""The 208-byte header of a WIM file, and the 24-byte resource headers in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wimdock.errors import MalformedImage, NotAnImage, UnsupportedImage
from wimdock.wim import layout


@dataclass(frozen=True, slots=True)
class ResourceHeader:
    """Where a resource lies: sizes and offset in bytes.

    `stored_size` is its length in the file, `size` that of the original data.
    """

    stored_size: int = 0
    flags: int = 0
    offset: int = 0
    size: int = 0

    @property
    def end(self) -> int:
        """The offset of the first byte after it."""
        return self.offset + self.stored_size

    @property
    def compressed(self) -> bool:
        """Tell whether it is stored in compressed chunks."""
        return bool(self.flags & layout.RESOURCE_COMPRESSED)

    @classmethod
    def parse(cls, data: bytes) -> ResourceHeader:
        """Read 24 bytes."""
        word, offset, size = layout.RESOURCE.unpack(data)
        return cls(word & 0xFFFFFFFFFFFFFF, word >> 56, offset, size)

    def pack(self) -> bytes:
        """Give the 24 bytes."""
        return layout.RESOURCE.pack(self.stored_size | self.flags << 56, self.offset, self.size)


@dataclass(frozen=True, slots=True)
class Header:
    """The header, field by field, in file order; `reserved` is kept as it was found."""

    version: int
    flags: int
    chunk_size: int
    guid: bytes
    part: int
    parts: int
    image_count: int
    blob_table: ResourceHeader
    xml: ResourceHeader
    boot_metadata: ResourceHeader
    boot_index: int
    integrity: ResourceHeader
    reserved: bytes

    @property
    def compression(self) -> str:
        """One of "none", "xpress", "lzx", "lzms"."""
        if not self.flags & layout.FLAG_COMPRESSION:
            return "none"
        if self.flags & layout.FLAG_LZX:
            return "lzx"
        if self.flags & layout.FLAG_LZMS:
            return "lzms"
        return "xpress"

    @classmethod
    def parse(cls, data: bytes) -> Header:
        """Read the first 208 bytes of a file.

        NotAnImage, UnsupportedImage or MalformedImage tell what is wrong with them.
        """
        if data[:8] == layout.MAGIC_PIPABLE:
            message = "this is a pipable WIM file, which wimdock does not work on"
            raise UnsupportedImage(
                message, hint="Convert it: wimlib-imagex optimize --not-pipable."
            )
        if data[:8] != layout.MAGIC:
            message = "this is no WIM file: it does not begin with MSWIM"
            raise NotAnImage(message)
        if len(data) < layout.HEADER_SIZE:
            message = f"the file ends after {len(data)} bytes, inside its header"
            raise MalformedImage(message)
        (
            _,
            size,
            version,
            flags,
            chunk_size,
            guid,
            part,
            parts,
            image_count,
            blob_table,
            xml,
            boot_metadata,
            boot_index,
            integrity,
            reserved,
        ) = layout.HEADER.unpack_from(data)
        if size != layout.HEADER_SIZE:
            message = f"the header says that it is {size} bytes long, not {layout.HEADER_SIZE}"
            raise MalformedImage(message)
        header = cls(
            version,
            flags,
            chunk_size,
            guid,
            part,
            parts,
            image_count,
            ResourceHeader.parse(blob_table),
            ResourceHeader.parse(xml),
            ResourceHeader.parse(boot_metadata),
            boot_index,
            ResourceHeader.parse(integrity),
            reserved,
        )
        header._check()
        return header

    def _check(self) -> None:
        if self.version not in (layout.VERSION_PLAIN, layout.VERSION_SOLID):
            message = f"WIM version 0x{self.version:X} is not known (header version mismatch)"
            raise NotAnImage(message)
        if self.parts != 1 or self.part != 1:
            message = f"this is part {self.part} of {self.parts} of a split WIM file (.swm)"
            raise UnsupportedImage(
                message, hint="Join the parts: wimlib-imagex join WHOLE.wim PART*.swm."
            )
        known = layout.FLAG_XPRESS | layout.FLAG_LZX | layout.FLAG_LZMS | layout.FLAG_XPRESS_2
        if self.flags & layout.FLAG_COMPRESSION:
            if (self.flags & known).bit_count() != 1 or self.flags & layout.FLAG_XPRESS_2:
                message = f"the compression flags 0x{self.flags & known:X} are not known"
                raise UnsupportedImage(message, hint="Export the image with LZX or XPRESS.")
            power = self.chunk_size & (self.chunk_size - 1) == 0
            most = layout.LARGEST_CHUNKS[self.compression]
            if not power or not layout.SMALLEST_CHUNK <= self.chunk_size <= most:
                message = f"a chunk size of {self.chunk_size} bytes cannot be"
                raise MalformedImage(message)

    def pack(self) -> bytes:
        """Give the 208 bytes."""
        return layout.HEADER.pack(
            layout.MAGIC,
            layout.HEADER_SIZE,
            self.version,
            self.flags,
            self.chunk_size,
            self.guid,
            self.part,
            self.parts,
            self.image_count,
            self.blob_table.pack(),
            self.xml.pack(),
            self.boot_metadata.pack(),
            self.boot_index,
            self.integrity.pack(),
            self.reserved,
        )

    def with_(
        self,
        *,
        blob_table: ResourceHeader,
        xml: ResourceHeader,
        boot_metadata: ResourceHeader,
        integrity: ResourceHeader,
    ) -> Header:
        """Give the header of the next generation: the same file with other resources."""
        return replace(
            self,
            blob_table=blob_table,
            xml=xml,
            boot_metadata=boot_metadata,
            integrity=integrity,
        )
