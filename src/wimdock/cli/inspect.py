"""`wimdock inspect`: what is inside an image file, without mounting it.

Only what is asked for is read: the list of images comes from the file's XML, reparse points and
folders from the metadata, packages from the hives.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wimdock.cli.options import (
    Number,
    examples,
    image_argument,
    index_option,
    json_option,
)
from wimdock.cli.output import print_document
from wimdock.errors import NoSuchImage, RegistryError, UsageError
from wimdock.files import naming
from wimdock.paths import ImagePath

if TYPE_CHECKING:
    from wimdock.image.description import Description
    from wimdock.wim import Archive

_EXAMPLES = examples(
    "wimdock inspect golden.wim",
    "wimdock inspect golden.wim --index 1 --reparse",
    "wimdock inspect golden.wim --packages",
    r"wimdock inspect golden.wim --tree '\Users\Public' --depth 0",
    "wimdock inspect golden.wim --reparse --json",
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What of each image is to be shown; `levels` None is all of a folder's."""

    reparse: bool
    packages: bool
    folder: ImagePath | None
    levels: int | None

    @property
    def is_table(self) -> bool:
        """Tell whether it is the table of images."""
        return not (self.reparse or self.packages or self.folder is not None)


@click.command(epilog=_EXAMPLES)
@image_argument
@index_option
@click.option("--reparse", is_flag=True, help="Show every reparse point, summed up first.")
@click.option("--packages", is_flag=True, help="Show the packages that the registry knows.")
@click.option("--tree", metavar="PATH", help="List a folder of the image.")
@click.option(
    "--depth",
    type=Number(0),
    metavar="N",
    help="How many levels --tree shows: 1 unless given, 0 for all.",
)
@json_option
def inspect(
    *,
    image: Path,
    index: int | None,
    reparse: bool,
    packages: bool,
    tree: str | None,
    depth: int | None,
    as_json: bool,
) -> None:
    """Show what is inside an image file, without mounting it.

    Without options: a table of its images. With --reparse, --packages or --tree: that of every
    image, or of the one that --index names.
    """
    from wimdock.wim import Archive

    if depth is not None and tree is None:
        message = "--depth says how deep --tree goes, and there is no --tree"
        raise UsageError(message)
    levels = 1 if depth is None else depth or None
    wanted = _Wanted(reparse, packages, None if tree is None else ImagePath(tree), levels)
    with _without_collection(), naming(image), Archive.open(image) as archive:
        indexes = _indexes(archive, index)
        if as_json:
            print_document("inspect", _document(archive, indexes, wanted))
        else:
            _show(archive, indexes, wanted)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the garbage collector from looking again and again through what a listing is made of."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _indexes(archive: Archive, index: int | None) -> list[int]:
    if index is None:
        return list(range(1, len(archive.metadata_blobs) + 1))
    if index > len(archive.metadata_blobs):
        message = f"{archive.path} has no image {index}: it holds {archive.image_count}"
        raise NoSuchImage(message)
    return [index]


def _described(archive: Archive, index: int) -> Description:
    """Give what an image is, from the XML alone where its hives are broken."""
    from wimdock.image.description import description_in, is_complete

    known = description_in(archive.xml.record(index))
    if is_complete(known):
        return known
    from wimdock.image.windows import WindowsImage

    try:
        return WindowsImage(archive, index).description
    except RegistryError:
        return known


def _show(archive: Archive, indexes: list[int], wanted: _Wanted) -> None:
    from wimdock.cli import inspect_text as text

    if wanted.is_table:
        text.print_images(
            archive,
            [(archive.xml.record(number), _described(archive, number)) for number in indexes],
        )
    for number in indexes:
        if wanted.reparse:
            text.print_reparse(archive.image(number))
        if wanted.packages:
            text.print_packages(archive, number)
        if wanted.folder is not None:
            text.print_tree(archive.image(number), wanted.folder, wanted.levels)


def _document(archive: Archive, indexes: list[int], wanted: _Wanted) -> Mapping[str, object]:
    from wimdock.cli import inspect_document as parts

    images = []
    for number in indexes:
        found = parts.image(archive, archive.xml.record(number), _described(archive, number))
        if wanted.reparse:
            found["reparse"] = parts.reparse(archive.image(number))
        if wanted.packages:
            found["packages"] = parts.packages(archive, number)
        if wanted.folder is not None:
            found["tree"] = parts.tree(archive.image(number), wanted.folder, wanted.levels)
        images.append(found)
    return {"file": parts.file(archive), "images": images}
