"""What the site knows of an image file: read as a whole, outside of any transaction.

The file is read as it was when it was opened: whoever writes it meanwhile appends. What was read is
given only if the file is still the same afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wimdock.configmgr.provider import WIMDOCK
from wimdock.configmgr.provider import Provider as Host
from wimdock.errors import GenerationError, ImageBusy, NoSuchImage, WimdockError
from wimdock.events import Reporter
from wimdock.files import naming
from wimdock.image.description import description_in
from wimdock.site.images.mark import FileMark, read_mark
from wimdock.site.images.reparse_facts import reparse_facts
from wimdock.site.stored_text import storable, storable_text
from wimdock.wim import Archive
from wimdock.wim.generations import (
    Generation,
    current_generation,
    read_generations,
    sidecar_path,
)

if TYPE_CHECKING:
    from wimdock.image.description import Description
    from wimdock.servicing.options import Surroundings

_ATTEMPTS = 3
# What the tables can hold: an image's XML and a sidecar may say anything.
_LONGEST_ARCHITECTURE = 16
_GREATEST_SIZE = (1 << 63) - 1
_GENERATIONS = 1 << 31
_YEARS = (1, 9999)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the table of images says of one; `unreadable` is why the image could not be read."""

    index: int
    name: str
    description: str
    edition: str
    version: str
    architecture: str
    languages: tuple[str, ...]
    size: int
    packages: tuple[dict[str, str], ...] = ()
    reparse: tuple[dict[str, Any], ...] = ()
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was read of a file, and by which mark it is known that it is still the same.

    `end` is the offset behind its last byte that counts. `generations` are those that can be gone
    to, and `current` is the one that the file is in, None where wimdock has not written it;
    `preflight` is the document of a preflight.
    """

    mark: FileMark
    end: int
    images: tuple[ImageFacts, ...]
    generations: tuple[Generation, ...]
    current: Generation | None
    preflight: dict[str, Any]


def read_facts(file: Path, hosts: Sequence[Host], world: Surroundings) -> FileFacts:
    """Read everything; the preflight judges wimdock itself and `hosts`.

    Raises what servicing would refuse the file with, where it would refuse all of its images;
    ImageBusy where somebody writes it all the while.
    """
    for _ in range(_ATTEMPTS):
        mark = read_mark(file)
        with world.reporter.step(f"Read {file.name}") as step:
            facts = _read(file, mark, hosts, world)
            if read_mark(file) == mark:
                step.result = f"{len(facts.images)} image{'' if len(facts.images) == 1 else 's'}"
                return facts
            step.result = "it was changed meanwhile"
    message = f"{file} is being written: it was another each time it was read"
    raise ImageBusy(message, hint="Run the command again when nobody writes it.")


def _read(file: Path, mark: FileMark, hosts: Sequence[Host], world: Surroundings) -> FileFacts:
    from wimdock.wim.write_access import refuse_unwritable

    with naming(file), Archive.open(file) as archive:
        refuse_unwritable(archive)
        end = archive.committed_end
        if not archive.image_count:
            message = f"{file} holds no image"
            raise NoSuchImage(message, hint="Capture or export an image into it first.")
        images = _read_images(archive)
        recorded = _storable(file, read_generations(file))
        current = current_generation(recorded, mark.header)
        known = tuple(each for each in recorded if each.committed or each is current)
    return FileFacts(
        mark,
        end,
        images,
        known if current is not None else (),
        current,
        _look(file, hosts, world),
    )


def _storable(file: Path, generations: list[Generation]) -> list[Generation]:
    """Give the generations; GenerationError for numbers and times that no database keeps."""
    for each in generations:
        in_range = 0 < each.number < _GENERATIONS
        in_range = in_range and max(each.length, abs(each.added)) <= _GREATEST_SIZE
        if not in_range or not _YEARS[0] < each.time.year < _YEARS[1]:
            message = f"{sidecar_path(file)} cannot be read: a generation in it cannot be"
            hint = "Move it away: the image file is whole, but its older states are then lost."
            raise GenerationError(message, hint=hint)
    return generations


def _look(file: Path, hosts: Sequence[Host], world: Surroundings) -> dict[str, Any]:
    """Give the document of the preflight; its steps would only repeat what is read."""
    from wimdock.servicing.preflight.document import content
    from wimdock.servicing.preflight.run import PreflightOptions, preflight

    options = PreflightOptions(hosts=(Host(WIMDOCK, None), *hosts))
    found: dict[str, Any] = storable(
        content(preflight(file, options, replace(world, reporter=Reporter())))
    )
    return found


def _read_images(archive: Archive) -> tuple[ImageFacts, ...]:
    """Read the images; raise what is wrong with the first where none can be serviced."""
    found = []
    errors = []
    for index in range(1, len(archive.metadata_blobs) + 1):
        facts, error = _read_image(archive, index)
        found.append(facts)
        if error is not None:
            errors.append(error)
    archive.release_image()
    if len(errors) == len(found):
        raise errors[0]
    return tuple(found)


def _read_image(archive: Archive, index: int) -> tuple[ImageFacts, WimdockError | None]:
    """Give what is known of an image, and the error with which servicing would refuse it."""
    from wimdock.image.windows import WindowsImage
    from wimdock.servicing.needed_hives import lacking_hive

    in_xml = _described(archive, index, description_in(archive.xml.record(index)))
    try:
        image = WindowsImage(archive, index)
        facts = replace(in_xml, reparse=tuple(reparse_facts(image.files)))
        error = lacking_hive(image)
        if error is None:
            described = _described(archive, index, image.description)
            packages = tuple(
                {"id": storable_text(each.id), "state": each.state_name}
                for each in image.installed_packages()
            )
            facts = replace(described, packages=packages, reparse=facts.reparse)
    except WimdockError as error:
        return replace(in_xml, unreadable=storable_text(error.message)), error
    return facts, error


def _described(archive: Archive, index: int, described: Description) -> ImageFacts:
    record = archive.xml.record(index)
    return ImageFacts(
        index=index,
        name=storable_text(described.name),
        description=storable_text(record.description),
        edition=storable_text(described.edition),
        version=storable_text(described.version),
        architecture=storable_text(described.architecture)[:_LONGEST_ARCHITECTURE],
        languages=tuple(storable_text(each) for each in described.languages),
        size=min(record.total_bytes or 0, _GREATEST_SIZE),
    )
