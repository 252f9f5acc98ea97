"""`wimdock service`: updates put into the images of one file, in place."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import (
    FILE,
    dictionary_option,
    examples,
    image_argument,
    indexes_option,
    json_option,
    unsigned_option,
)
from wimdock.cli.output import (
    Column,
    count,
    print_document,
    print_text,
    size,
    visible,
)
from wimdock.errors import UsageError

if TYPE_CHECKING:
    from wimdock.cbs.plan import Plan
    from wimdock.servicing.outcome import ServiceReport, UpdateResult

_EXAMPLES = examples(
    "wimdock service golden.wim --update OpenSSH-Server.cab",
    "wimdock service golden.wim --update a.cab --update b.msu --index all",
    "wimdock service golden.wim --update a.cab --dry-run",
    "wimdock service /srv/share/golden.wim --update a.cab --copy",
)


@click.command(epilog=_EXAMPLES)
@image_argument
@click.option(
    "--update",
    "updates",
    type=FILE,
    multiple=True,
    required=True,
    metavar="FILE",
    help="An update, .cab or .msu; may be given several times, in order.",
)
@indexes_option(default="1")
@click.option("--dry-run", is_flag=True, help="Show what would be done and write nothing.")
@click.option(
    "--continue-on-error",
    is_flag=True,
    help="Leave out an update that fails, where all or none would be written without it.",
)
@unsigned_option
@click.option(
    "--copy",
    "on_copy",
    is_flag=True,
    help="Work on a copy and rename it over the file; keep the file as IMAGE.backup.",
)
@click.option(
    "--remove-superseded",
    is_flag=True,
    help="Remove superseded components afterwards; this version refuses it.",
)
@dictionary_option
@json_option
def service(
    *,
    image: Path,
    updates: tuple[Path, ...],
    index: int | None,
    dry_run: bool,
    continue_on_error: bool,
    allow_unsigned: bool,
    on_copy: bool,
    remove_superseded: bool,
    manifest_dictionary: Path | None,
    as_json: bool,
) -> int:
    """Put updates into the images of a file, in place.

    Every hash of an update is verified and everything is planned before the file is touched. What
    is new is appended; one write of the header commits it. `wimdock rollback` undoes it at once.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.servicing.service import ServiceOptions, read_dictionary, surroundings
    from wimdock.servicing.service import service as put_in

    if remove_superseded:
        message = "removing superseded components is not possible in this version"
        raise UsageError(message, hint="Leave --remove-superseded out; nothing was touched.")
    options = ServiceOptions(
        indexes=() if index is None else (index,),
        dry_run=dry_run,
        continue_on_error=continue_on_error,
        allow_unsigned=allow_unsigned,
        on_copy=on_copy,
        dictionary=read_dictionary(manifest_dictionary),
    )
    with Terminal() as terminal:
        report = put_in(image, updates, options, surroundings(Reporter(terminal)))
    if as_json:
        print_document("service", _document(report))
    elif dry_run:
        _show_plans(report)
    else:
        _show(report, image)
    return report.failure.exit_code if report.failure else 0


def _show(report: ServiceReport, image: Path) -> None:
    from wimdock.servicing.outcome import Outcome

    commit = report.commit
    rows = [
        (
            report.image.name,
            result.index,
            result.update.name,
            _short(result),
            size(result.added) if result.plan and commit else "",
            commit.generation.number if commit and result.plan else "",
        )
        for result in report.results
    ]
    columns = (
        "image",
        Column("index", right=True),
        "update",
        "result",
        Column("added", right=True),
        Column("generation", right=True),
    )
    print_summary(columns, rows)
    for result in report.results:
        if result.plan is None and result.outcome is not Outcome.ALREADY_INSTALLED:
            print_text(
                f"image {result.index}, {visible(result.update.name)}: {visible(result.reason)}"
            )
    _show_reasons(report)
    _show_signatures(report)
    plans = [result.plan for result in report.results if result.plan]
    for note in dict.fromkeys(note for plan in plans for note in plan.notes):
        print_text(f"note: {visible(note)}")
    for line in dict.fromkeys(line for plan in plans for line in plan.left_alone):
        print_text(f"left alone: {visible(line)}")
    if commit is None:
        print_text("Nothing was written.")
        return
    print_text(
        f"{size(commit.added)} appended, generation {commit.generation.number} committed; "
        f"`wimdock rollback {visible(shlex.quote(str(image)))}` undoes it."
    )
    if report.backup:
        print_text(f"The file as it was before: {visible(str(report.backup))}")


def _short(result: UpdateResult) -> str:
    has_code = result.plan is None and result.hresult is not None
    return result.outcome.value + (f" (0x{result.hresult:08X})" if has_code else "")


def _words(result: UpdateResult) -> str:
    from wimdock.servicing.outcome import Outcome

    if result.plan is not None or result.outcome is Outcome.ALREADY_INSTALLED:
        return _short(result)
    code = "" if result.hresult is None else f" (0x{result.hresult:08X})"
    return f"{result.outcome.value}: {result.reason}{code}"


def _show_reasons(report: ServiceReport) -> None:
    """Name what updates that were left out hold and wimdock does not do, each once."""
    reasons = {
        result.update: _reasons(result)
        for result in report.results
        if _reasons(result) not in ((), (result.reason,))
    }
    for path, lines in reasons.items():
        print_text(f"{visible(path.name)} needs what wimdock does not do:")
        for line in lines:
            print_text(f"  - {visible(line)}")


def _reasons(result: UpdateResult) -> tuple[str, ...]:
    return () if result.error is None else result.error.reasons


def _show_signatures(report: ServiceReport) -> None:
    for path, catalogued in report.catalogued.items():
        what = "hashes verified, signature not" if catalogued else "no catalog covers it (allowed)"
        print_text(f"{visible(path.name)}: {what}")


def _show_plans(report: ServiceReport) -> None:
    for result in report.results:
        print_text(
            f"Image {result.index}, {visible(result.update.name)}: {visible(_words(result))}"
        )
        if result.plan is not None:
            _show_plan(result.plan)
    _show_reasons(report)
    _show_signatures(report)
    print_text("Nothing was written.")


def _show_plan(plan: Plan) -> None:
    counts = plan.counts
    print_text(
        "  "
        + ", ".join(
            (
                count(counts.files, "file"),
                count(counts.links, "further name"),
                count(counts.directories, "folder"),
                count(counts.registry_keys, "registry key"),
                count(counts.registry_values, "registry value"),
                count(counts.services, "service"),
                f"{size(counts.bytes)} of content",
            )
        )
    )
    for package in plan.packages:
        print_text(f"  package {visible(package)}")
    for component in plan.components:
        print_text(f"  component {visible(component.key_form)}: {visible(component.why)}")
    for edit in plan.change_set.files:
        print_text(f"  {_edit(edit)}")
    for change in plan.change_set.registry:
        key = f"{change.hive.value}\\{change.key}"
        name = getattr(change, "name", None)
        value = "" if name is None else f" {visible(name) if name else '(default)'}"
        print_text(f"  registry {visible(key)}{value}")
    for note in plan.notes:
        print_text(f"  note: {visible(note)}")
    for note in plan.left_alone:
        print_text(f"  left alone: {visible(note)}")


def _edit(edit: object) -> str:
    names = [str(getattr(edit, "path", ""))]
    names += [str(link) for link in getattr(edit, "links", ())]
    kind = {"PutFile": "file", "PutLinks": "link", "PutDirectory": "folder"}
    return f"{kind.get(type(edit).__name__, 'edit')} {visible(' = '.join(names))}"


def _document(report: ServiceReport) -> dict[str, object]:
    commit = report.commit
    return {
        "image": str(report.image),
        "committed": commit is not None,
        "generation": commit.generation.number if commit else None,
        "added_bytes": commit.added if commit else 0,
        "backup": str(report.backup) if report.backup else None,
        "signatures": {
            str(path): "hashes verified, signature not" if catalogued else "not covered"
            for path, catalogued in report.catalogued.items()
        },
        "results": [_result(result) for result in report.results],
    }


def _result(result: UpdateResult) -> dict[str, object]:
    plan = result.plan
    return {
        "index": result.index,
        "update": str(result.update),
        "package": result.package,
        "result": result.outcome.name.lower(),
        "reason": result.reason,
        "hresult": None if result.hresult is None else f"0x{result.hresult:08X}",
        "reasons": list(_reasons(result)),
        "packages": list(plan.packages) if plan else [],
        "added_bytes": result.added,
        "counts": plan.counts if plan else None,
        "notes": list(plan.notes) if plan else [],
        "left_alone": list(plan.left_alone) if plan else [],
    }
