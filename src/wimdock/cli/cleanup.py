"""`wimdock cleanup`: what failed runs of Configuration Manager left, shown and cleared away."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wimdock.cli.options import FILE, examples, json_option
from wimdock.cli.output import print_document, print_text, visible
from wimdock.errors import StorageError, UsageError

if TYPE_CHECKING:
    from wimdock.servicing.cleanup import CleanupPlan, CleanupResult, Search

_EXAMPLES = examples(
    "wimdock cleanup /srv/d",
    "wimdock cleanup /srv/d --yes",
    "wimdock cleanup /srv/d --print-commands --drive D=/srv/d",
    "wimdock cleanup /srv/d --json | jq '.folders[].packages[] | {package_id, state, lost}'",
)


@click.command(epilog=_EXAMPLES)
@click.argument("staging", type=FILE, metavar="STAGING...", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option(
    "--print-commands",
    is_flag=True,
    help="Print the commands for a Windows host instead: Dism.exe for each package, then rmdir.",
)
@click.option(
    "--drive",
    "drives",
    metavar="LETTER=FOLDER",
    multiple=True,
    help="The folder that is a drive of the Windows host, for --print-commands; may be repeated.",
)
@json_option
def cleanup(
    *,
    staging: tuple[Path, ...],
    dry_run: bool,
    yes: bool,
    print_commands: bool,
    drives: tuple[str, ...],
    as_json: bool,
) -> int:
    """Clear away what failed runs left in ConfigMgr_OfflineImageServicing.

    Looks for that folder at each STAGING and up to four levels below, never through a link and
    never on another file system. Mounted images are unmounted and their changes DISCARDED, never
    committed; then the whole folder is deleted, but only what is proved unmounted, and nothing at
    all where anything in it is not recognised.

    Nothing is done without --yes or an answer to the question that is asked where input and output
    are a terminal. Everywhere else, and with --dry-run or --json without --yes, it is only shown.
    A clean-up that was killed is simply run again. On Windows the commands are printed instead.
    """
    if yes and (dry_run or print_commands):
        other = "--dry-run" if dry_run else "--print-commands"
        message = f"--yes and {other} contradict each other"
        raise UsageError(message, hint="Give one of them.")
    from wimdock.cli.cleanup_text import print_plan, print_result
    from wimdock.servicing.cleanup import plan_cleanup, search_staging

    search = search_staging(staging)
    if print_commands or sys.platform == "win32":
        return _print_commands(staging, search, drives, as_json=as_json)
    plan = plan_cleanup(search.folders)
    is_asked = not (yes or dry_run or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
    if not as_json:
        print_plan(staging, search, plan)
    may_act = bool(plan.folders) and (yes or (is_asked and not plan.obstacles and _confirmed(plan)))
    result = _carried_out(plan) if may_act else None
    if as_json:
        _print_json(staging, search, plan, result)
    elif result is not None:
        print_result(result)
    elif plan.folders:
        hint = "" if is_asked or plan.obstacles else " --yes does it."
        print_text(f"Nothing was touched.{hint}")
    errors = plan.obstacles if result is None else result.errors
    if errors:
        return errors[0].exit_code
    return StorageError.exit_code if search.unsearched else 0


def _confirmed(plan: CleanupPlan) -> bool:
    count = sum(len(folder.unmounts) for folder in plan.folders)
    what = f"Discard {count} mount{'' if count == 1 else 's'} and delete" if count else "Delete"
    places = ", ".join(visible(str(folder.folder.path)) for folder in plan.folders)
    return click.confirm(f"{what} {places}?", default=False, err=True)


def _carried_out(plan: CleanupPlan) -> CleanupResult:
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.servicing.cleanup import clean_up
    from wimdock.servicing.options import surroundings

    with Terminal() as terminal:
        return clean_up(plan, surroundings(Reporter(terminal)))


def _print_commands(
    staging: Sequence[Path], search: Search, drives: Sequence[str], *, as_json: bool
) -> int:
    import os

    from wimdock.cli.dism.drives import SETTING, Drives, read_drives
    from wimdock.files import real_path
    from wimdock.servicing.cleanup.commands import commands_for

    named = read_drives(drives, os.environ.get(SETTING, "")).folders
    known = Drives({letter: real_path(folder) for letter, folder in named.items()})
    commands = [line for each in search.folders for line in commands_for(each, known.windows_name)]
    if as_json:
        from wimdock.servicing.cleanup import plan_cleanup

        _print_json(staging, search, plan_cleanup(search.folders), None, commands)
    else:
        for line in commands:
            print_text(visible(line))
        _explain(search, commands)
    return StorageError.exit_code if search.unsearched else 0


def _explain(search: Search, commands: Sequence[str]) -> None:
    """Say on stderr what to mind: what is on stdout are commands and nothing else."""
    lines = [visible(f"not searched: {text}") for text in search.unsearched]
    for folder in search.folders:
        names = ", ".join(visible(str(path)) for path in folder.unknown[:20])
        if names:
            lines.append(f"no rmdir for {visible(str(folder.path))}: not recognised: {names}")
    if any(line.startswith("rmdir") for line in commands):
        lines.append(
            "Run rmdir only when every unmount before it has succeeded, or has said that nothing "
            "is mounted there."
        )
    if not search.folders:
        lines.append("There is no staging folder.")
    for line in lines:
        click.echo(line, err=True)


def _print_json(
    staging: Sequence[Path],
    search: Search,
    plan: CleanupPlan,
    result: CleanupResult | None,
    commands: Sequence[str] | None = None,
) -> None:
    from wimdock.cli.cleanup_document import content

    print_document("cleanup", content(staging, search, plan, result, commands))
