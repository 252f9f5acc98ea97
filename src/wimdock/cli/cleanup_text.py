"""What `wimdock cleanup` says to people: what was found, what would be lost, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wimdock.cli.columns import print_summary
from wimdock.cli.failure import failures
from wimdock.cli.output import Column, count, moment, print_text, size, visible
from wimdock.configmgr.staging import STAGING_FOLDER
from wimdock.errors import WimdockError
from wimdock.servicing.cleanup import (
    CleanupPlan,
    CleanupResult,
    FolderPlan,
    FolderResult,
    PackageState,
    Search,
    StagedPackage,
)
from wimdock.servicing.cleanup.find import DEPTH

_STATES = {
    PackageState.MOUNTED_BY_WIMDOCK: "mounted by wimdock",
    PackageState.MOUNTED_BY_WIMLIB: "mounted by wimlib",
    PackageState.MOUNTED_BY_DISM: "mounted by DISM",
    PackageState.MOUNTED_BY_OTHER: "mounted by another",
    PackageState.UNPROVED: "not proved unmounted",
    PackageState.STALE: "unmounted, not empty",
    PackageState.EMPTY: "unmounted",
    PackageState.ABSENT: "no mount directory",
}


def print_plan(staging: Sequence[Path], search: Search, plan: CleanupPlan) -> None:
    """Print what was found, what would be done with it and what stands in the way."""
    for text in search.unsearched:
        print_text(f"not searched: {visible(text)}")
    for folder in plan.folders:
        _print_folder(folder)
    if not plan.folders:
        places = ", ".join(visible(str(path)) for path in staging)
        found = f"no {STAGING_FOLDER} at {places} or up to {DEPTH} levels below"
        if search.unsearched:
            print_text(f"Found {found}, but not everything was searched.")
        else:
            print_text(f"There is {found}: nothing to clean up.")


def _print_folder(plan: FolderPlan) -> None:
    folder = plan.folder
    held = f"{count(folder.files or 0, 'file')}, {size(folder.size or 0)}"
    print_text(f"{visible(str(folder.path))}: {held}")
    if folder.packages:
        columns = (
            "package",
            "state",
            "since",
            Column("files", right=True),
            Column("size", right=True),
            "mount directory",
        )
        print_summary(columns, [_row(package) for package in folder.packages])
    for package in folder.packages:
        lines = [f"{package.reason}."] if package.state.is_mounted else []
        if not plan.obstacles:
            lines.append(_step(package))
        for line in lines:
            print_text(visible(f"  {package.package_id}: {line}"))
    beside = (
        [count(len(folder.content_folders), "content folder")] if folder.content_folders else []
    )
    beside += [visible(path.name) for path in folder.loose_files]
    if beside:
        print_text(f"  beside the packages: {', '.join(beside)}")
    for record in folder.records:
        print_text(f"  {visible(str(record.directory))} is gone; the record of its mount is left.")
    if plan.obstacles:
        _print_errors(plan.obstacles)
        return
    print_text("  Then the whole folder is deleted.")


def _row(package: StagedPackage) -> tuple[object, ...]:
    return (
        package.package_id,
        _STATES[package.state],
        moment(package.since),
        package.files,
        None if package.size is None else size(package.size),
        package.mount_directory.relative_to(package.path.parent),
    )


def _step(package: StagedPackage) -> str:
    if package.state.can_be_discarded:
        return f"unmount, never commit; lost: {package.lost}."
    return f"delete; lost: {package.lost}."


def _print_errors(errors: Sequence[WimdockError]) -> None:
    for error in errors:
        for failure in failures(error):
            for line in failure.lines():
                print_text(f"  {line.removeprefix('wimdock: ')}")


def print_result(result: CleanupResult) -> None:
    """Print what became of each folder, and whether a new run is possible."""
    for folder in result.folders:
        _print_outcome(folder)


def _print_outcome(result: FolderResult) -> None:
    path = visible(str(result.plan.folder.path))
    if result.plan.obstacles:
        print_text(f"{path}: nothing was touched.")
        return
    tally = result.tally
    done = [
        f"{count(len(result.unmounted), 'image')} unmounted" if result.unmounted else "",
        f"{count(tally.files, 'file')} and {count(tally.folders, 'folder')} deleted",
        f"{count(tally.links, 'link')} deleted and not followed" if tally.links else "",
        f"{size(tally.freed)} freed" if tally.freed else "",
    ]
    text = ", ".join(part for part in done if part)
    if result.errors:
        print_text(f"{path} is not cleaned up: {text}.")
        _print_errors(result.errors)
        return
    print_text(f"{path}: {text}.")
    proof = result.proof
    if proof is None:
        return
    if proof.is_gone and proof.allows_a_run:
        print_text("The folder is gone and nothing is mounted there: a new run is possible.")
    for leftover in proof.leftovers:
        print_text(f"  still there: {visible(leftover.text)}")
