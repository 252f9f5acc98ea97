"""What `wimdock image show` prints for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from wimdock.cli.columns import print_summary
from wimdock.cli.image.document import TYPES
from wimdock.cli.image_history import print_history
from wimdock.cli.output import Column, count, moment, print_text, size, visible
from wimdock.site.models import FileState

if TYPE_CHECKING:
    from wimdock.site.images.details import PackageDetails
    from wimdock.site.models import GenerationRow, Image

_PASSED = "passed"


def print_details(found: PackageDetails) -> None:
    """Print everything."""
    for line in _head(found):
        print_text(visible(line))
    _print_images(found.images)
    if found.package.removed_at is None:
        _print_preflight(found.package.preflight)
        _print_hosts(found)
    _print_generations(found.generations, found.package.generation)
    if found.history:
        print_text("\nHistory")
        print_history(found.history)


def _head(found: PackageDetails) -> Iterator[str]:
    package = found.package
    yield f"{package.id}: {package.name}, {TYPES[package.type]}"
    if package.description:
        yield f"  {package.description}"
    if package.removed_at is not None:
        yield f"  removed on {moment(package.removed_at)}"
    else:
        where = f" (storage location {package.storage})" if package.storage else ""
        yield f"  {found.file or package.path}{where}"
    if package.state is not FileState.AS_RECORDED:
        yield f"  the file is {package.state.value}: {package.reason}"
    generation = "not written by wimdock"
    if package.generation is not None:
        generation = f"generation {package.generation}"
    yield f"  {size(package.length)}, {generation}, content version {package.content_version}"
    yield f"  added on {moment(package.added_at)}, last read on {moment(package.read_at)}"
    if found.schedules:
        numbers = ", ".join(map(str, found.schedules))
        yield f"  serviced by {count(len(found.schedules), 'schedule')}: {numbers}"


def _print_images(images: Sequence[Image]) -> None:
    print_text("\nImages")
    columns = (
        Column("index", right=True),
        "name",
        "edition",
        "version",
        "architecture",
        "languages",
        Column("size", right=True),
        Column("packages", right=True),
        Column("reparse points", right=True),
    )
    print_summary(
        columns,
        [
            (
                image.index,
                image.name,
                image.edition,
                image.version,
                image.architecture,
                ", ".join(image.languages),
                size(image.size),
                None if image.unreadable else len(image.packages),
                None if image.unreadable else sum(kind["count"] for kind in image.reparse),
            )
            for image in images
        ],
    )
    for image in images:
        if image.unreadable:
            print_text(f"Image {image.index} could not be read: {visible(image.unreadable)}")


def _print_preflight(preflight: dict[str, Any]) -> None:
    checks = preflight["checks"]
    passed = sum(check["result"] == _PASSED for check in checks)
    print_text(f"\nPreflight: {preflight['readiness']}; {passed} of {len(checks)} checks passed")
    for check in checks:
        if check["result"] == _PASSED or not check["wanted"]:
            continue
        where = "" if check["index"] is None else f" of image {check['index']}"
        result = check["result"].replace("_", " ")
        print_text(f"  {result}: {check['title']}{where}: {visible(check['reason'])}")
        if check["what_to_do"]:
            print_text(f"    what to do: {visible(check['what_to_do'])}")


def _print_hosts(found: PackageDetails) -> None:
    if not found.verdicts:
        return
    print_text("\nProviders")
    print_summary(
        ("provider", "windows", "verdict", "because"),
        [
            (
                host.name,
                host.build.name if host.build else "not known",
                verdict.ability.value,
                verdict.reason,
            )
            for host, verdict in found.verdicts
        ],
    )


def _print_generations(rows: Sequence[GenerationRow], current: int | None) -> None:
    if not rows:
        return
    print_text("\nGenerations")
    columns = (
        Column("generation", right=True),
        "time",
        Column("file", right=True),
        Column("added", right=True),
        "state",
        Column("run", right=True),
        "what",
    )
    print_summary(
        columns,
        [
            (
                row.number,
                moment(row.at),
                size(row.length),
                size(row.added),
                "current" if row.number == current else "",
                row.run_id,
                row.note,
            )
            for row in rows
        ],
    )
