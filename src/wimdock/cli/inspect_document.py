"""What `wimdock inspect --json` says: the parts of the document "inspect", version 1.

`docs/reference/inspect.md` describes every field; a change of meaning is a new version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wimdock.image.listing import Listed, listing
from wimdock.image.reparse_points import ReparsePoint, grouped, reparse_points
from wimdock.paths import ImagePath
from wimdock.reparse.data import ReparseValue
from wimdock.reparse.decode import guid_text
from wimdock.reparse.tags import Tag

if TYPE_CHECKING:
    from wimdock.image.description import Description
    from wimdock.wim import Archive, Image, ImageRecord

Part = dict[str, object]


def file(archive: Archive) -> Part:
    """Give what the header says."""
    header = archive.header
    return {
        "path": archive.path,
        "size": archive.size,
        "image_count": archive.image_count,
        "compression": header.compression,
        "chunk_size": header.chunk_size,
        "guid": guid_text(header.guid),
        "boot_index": header.boot_index,
        "has_integrity_table": bool(header.integrity.size),
    }


def image(archive: Archive, record: ImageRecord, described: Description) -> Part:
    """Give what one image is."""
    return {
        "index": record.index,
        "name": described.name,
        "description": record.description,
        "display_name": record.display_name,
        "display_description": record.display_description,
        "product": described.product,
        "edition": described.edition,
        "installation_type": described.installation_type,
        "architecture": described.architecture,
        "version": described.version,
        "languages": described.languages,
        "default_language": described.default_language,
        "folders": record.directory_count,
        "files": record.file_count,
        "total_bytes": record.total_bytes,
        "hard_link_bytes": record.hard_link_bytes,
        "created": record.created,
        "modified": record.modified,
        "bootable": archive.header.boot_index == record.index,
    }


def reparse(image: Image) -> Part:
    """Give the reparse points of one image, summed up and each."""
    points = list(reparse_points(image))
    return {
        "count": len(points),
        "size": sum(point.size for point in points),
        "groups": [
            {
                "owner": group.owner,
                **_tag(group.tag),
                "count": group.count,
                "size": group.size,
                "example": group.example,
            }
            for group in grouped(points)
        ],
        "points": [_point(point) for point in points],
    }


def _point(point: ReparsePoint) -> Part:
    return {
        "path": point.path,
        "directory": point.is_directory,
        **_tag(point.tag),
        "owner": point.owner,
        "size": point.size,
        **_value(point.value),
    }


def _tag(tag: Tag) -> Part:
    return {"tag": tag.name, "tag_value": f"0x{tag.value:08X}", "microsoft": tag.is_microsoft}


def _value(value: ReparseValue) -> Part:
    return {"kind": value.kind, "data": value.facts()}


def packages(archive: Archive, index: int) -> list[Part]:
    """Give the packages that the registry of one image knows."""
    from wimdock.image.windows import WindowsImage

    windows = WindowsImage(archive, index)
    releases = windows.release_types()
    return [
        {
            "id": package.id,
            "name": package.name,
            "token": package.token,
            "architecture": package.arch,
            "language": package.language,
            "version": package.version,
            "state": package.state,
            "state_name": package.state_name,
            "installed_at": package.installed_at,
            "visibility": package.visibility,
            "client": package.client,
            "release_type": releases.get(package.id.lower(), ""),
        }
        for package in windows.installed_packages()
    ]


def tree(image: Image, path: ImagePath, depth: int | None) -> Part:
    """Give a folder of one image."""
    return {"path": path, "entries": [_entry(listed) for listed in listing(image, path, depth)]}


def _entry(listed: Listed) -> Part:
    found: Part = {
        "path": listed.path,
        "directory": listed.is_directory,
        "attributes": f"0x{listed.attributes:08X}",
        "attribute_letters": listed.letters,
        "size": listed.size,
        "links": listed.links,
        "short_name": listed.short_name,
        "created": listed.created,
        "written": listed.written,
        "streams": [{"name": stream.name, "size": stream.size} for stream in listed.streams],
        "reparse": None,
    }
    if listed.tag is not None and listed.target is not None:
        found["reparse"] = {**_tag(listed.tag), **_value(listed.target)}
    return found
