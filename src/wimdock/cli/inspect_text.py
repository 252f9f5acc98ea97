"""What `wimdock inspect` shows to people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from wimdock.cli.columns import is_too_narrow, print_columns, print_summary
from wimdock.cli.output import Column, count, moment, print_text, size, visible
from wimdock.image.reparse_points import ReparsePoint, grouped, reparse_points
from wimdock.paths import ImagePath
from wimdock.reparse.data import Link, ReparseValue

if TYPE_CHECKING:
    from wimdock.image.description import Description
    from wimdock.image.listing import Listed
    from wimdock.wim import Archive, Image, ImageRecord

_IMAGE_COLUMNS = (
    Column("Index", right=True),
    Column("Name"),
    Column("Edition"),
    Column("Architecture"),
    Column("Version"),
    Column("Languages"),
    Column("Folders", right=True),
    Column("Files", right=True),
    Column("Size", right=True),
    Column("Changed"),
)


def print_images(archive: Archive, images: Sequence[tuple[ImageRecord, Description]]) -> None:
    """Print a line about the file and the table of its images."""
    header = archive.header
    facts = [count(archive.image_count, "image"), size(archive.size)]
    if header.compression == "none":
        facts.append("not compressed")
    else:
        facts.append(f"{header.compression.upper()} in chunks of {size(header.chunk_size)}")
    if header.integrity.size:
        facts.append("with integrity table")
    if header.boot_index:
        facts.append(f"image {header.boot_index} boots")
    print_text(visible(f"{archive.path}: {', '.join(facts)}"))
    print_text()
    rows = [_image_row(record, described) for record, described in images]
    if is_too_narrow(_IMAGE_COLUMNS, rows):
        for record, described in images:
            _print_image(record, described)
    else:
        print_summary(_IMAGE_COLUMNS, rows)


def _image_row(record: ImageRecord, described: Description) -> tuple[str, ...]:
    return (
        str(record.index),
        described.name,
        described.edition,
        described.architecture,
        described.version,
        ", ".join(described.languages),
        _number(record.directory_count),
        _number(record.file_count),
        "" if record.total_bytes is None else size(record.total_bytes),
        _day(record),
    )


def _print_image(record: ImageRecord, described: Description) -> None:
    """Print one image in a few short lines."""
    languages = ", ".join(described.languages)
    print_text(visible(f"{record.index:>3}  {described.name or 'no name'}"))
    for facts in (
        (described.edition, described.architecture, described.version, languages),
        (
            count(record.directory_count or 0, "folder"),
            count(record.file_count or 0, "file"),
            size(record.total_bytes or 0),
            f"changed {_day(record)}" if _day(record) else "",
        ),
    ):
        line = "  ".join(fact for fact in facts if fact)
        if line:
            print_text(visible(f"     {line}"))


def _day(record: ImageRecord) -> str:
    changed = record.modified or record.created
    return f"{changed:%Y-%m-%d}" if changed else ""


def _number(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def print_reparse(image: Image) -> None:
    """Print the reparse points of one image: summed up by owner and tag, then each."""
    points = list(reparse_points(image))
    total = size(sum(point.size for point in points))
    print_text(f"Image {image.index}: {count(len(points), 'reparse point')}, {total}")
    print_text()
    if not points:
        return
    print_summary(
        ["Owner", "Tag", Column("Count", right=True), Column("Size", right=True), "For example"],
        [
            (group.owner.value, group.tag.name, f"{group.count:,}", size(group.size), group.example)
            for group in grouped(points)
        ],
    )
    print_text()
    print_columns(
        ["Tag", "Value", Column("Bytes", right=True), "Owner", "Path"],
        [
            (
                point.tag.name,
                f"0x{point.tag.value:08X}",
                point.size,
                point.owner.value,
                _point_text(point),
            )
            for point in points
        ],
    )
    print_text()


def _point_text(point: ReparsePoint) -> str:
    path = f"{point.path}\\" if point.is_directory and point.path.parts else str(point.path)
    return path + _target(point.value)


def _target(value: ReparseValue) -> str:
    if isinstance(value, Link):
        return f" -> {value.text}"
    return f" ({value.text})" if value.text else ""


def print_packages(archive: Archive, index: int) -> None:
    """Print the packages that the registry of one image knows."""
    from wimdock.image.windows import WindowsImage

    windows = WindowsImage(archive, index)
    packages = windows.installed_packages()
    print_text(f"Image {index}: {count(len(packages), 'package')}")
    print_text()
    if not packages:
        return
    releases = windows.release_types()
    print_columns(
        ["State", "Installed", "Release", "Package"],
        [
            (
                package.state_name,
                moment(package.installed_at),
                releases.get(package.id.lower()),
                package.id,
            )
            for package in packages
        ],
    )
    print_text()


def print_tree(image: Image, path: ImagePath, depth: int | None) -> None:
    """Print a folder of one image."""
    from wimdock.image.listing import listing

    listed = list(listing(image, path, depth))
    print_text(visible(f"Image {image.index}, {path}: {count(len(listed), 'entry', 'entries')}"))
    print_text()
    if not listed:
        return
    print_columns(
        [
            "Attributes",
            Column("Bytes", right=True),
            Column("Links", right=True),
            "Written",
            "Short name",
            "Name",
        ],
        list(_tree_rows(listed)),
    )
    print_text()


def _tree_rows(listed: Iterable[Listed]) -> Iterable[tuple[object, ...]]:
    for entry in listed:
        indent = "  " * entry.depth
        name = entry.path.name or "\\"
        if entry.is_directory and entry.path.parts:
            name += "\\"
        if entry.tag is not None and entry.target is not None:
            name += f"{_target(entry.target)} [{entry.tag.name}]"
        yield (
            entry.letters,
            None if entry.is_directory else _bytes(entry.size),
            entry.links,
            moment(entry.written),
            entry.short_name,
            indent + name,
        )
        for stream in entry.streams:
            yield "", _bytes(stream.size), None, None, None, f"{indent}  :{stream.name}"


def _bytes(number: int | None) -> str:
    return "missing" if number is None else f"{number:,}"
