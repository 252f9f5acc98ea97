"""What JSON documents say of image packages; docs/reference/schemas describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wimdock.configmgr.provider import Provider as Host
    from wimdock.servicing.preflight.host import HostVerdict
    from wimdock.site.images.details import PackageDetails
    from wimdock.site.images.listing import ListedPackage
    from wimdock.site.models import GenerationRow, Image, ImagePackage

Part = dict[str, Any]

TYPES = {257: "operating system image", 259: "operating system upgrade package"}
"""Configuration Manager's package types, in words."""


def package_content(package: ImagePackage | ListedPackage) -> Part:
    """Give what is said of an image package wherever one is named."""
    return {
        "id": package.id,
        "type": int(package.type),
        "type_name": TYPES[package.type],
        "name": package.name,
        "description": package.description,
        "storage": package.storage or None,
        "path": package.path,
        "size": package.length,
        "generation": package.generation,
        "content_version": package.content_version,
        "state": package.state.value,
        "reason": package.reason or None,
        "added": package.added_at,
        "read": package.read_at,
        "removed": package.removed_at,
    }


def listed_content(package: ListedPackage) -> Part:
    """Give what the list says of an image package: the images only as far as they tell it apart."""
    images = [
        {
            "index": image.index,
            "name": image.name,
            "edition": image.edition,
            "version": image.version,
            "architecture": image.architecture,
        }
        for image in package.images
    ]
    return package_content(package) | {"images": images}


def details_content(found: PackageDetails) -> Part:
    """Give everything but the history, which has a document of its own."""
    return package_content(found.package) | {
        "file": None if found.file is None else str(found.file),
        "images": [_image(image) for image in found.images],
        "generations": [
            _generation(row, current=row.number == found.package.generation)
            for row in found.generations
        ],
        "schedules": list(found.schedules),
        "hosts": [host_verdict(host, verdict) for host, verdict in found.verdicts],
        "preflight": found.package.preflight,
    }


def _image(image: Image) -> Part:
    return {
        "index": image.index,
        "name": image.name,
        "description": image.description,
        "edition": image.edition,
        "version": image.version,
        "architecture": image.architecture,
        "languages": image.languages,
        "size": image.size,
        "packages": image.packages,
        "reparse_points": [
            {
                "owner": kind["owner"],
                "tag": f"0x{kind['tag']:08X}",
                "count": kind["count"],
                "size": kind["bytes"],
                "examples": kind["examples"],
            }
            for kind in sorted(image.reparse, key=lambda each: -each["count"])
        ],
        "unreadable": image.unreadable or None,
    }


def _generation(row: GenerationRow, *, current: bool) -> Part:
    return {
        "number": row.number,
        "current": current,
        "length": row.length,
        "added_bytes": row.added,
        "time": row.at,
        "note": row.note,
        "run": row.run_id,
        "header": row.name,
    }


def host_verdict(host: Host, verdict: HostVerdict) -> Part:
    """Give a host with its verdict, as the document of a preflight does."""
    from wimdock.servicing.preflight.document import host_content, verdict_content

    return host_content(host) | verdict_content(verdict)
