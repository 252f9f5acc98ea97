"""The JSON document of `wimdock cleanup`; docs/reference/schemas/cleanup.json describes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from wimdock.cli.failure import failures
from wimdock.errors import WimdockError
from wimdock.servicing.cleanup import (
    CleanupPlan,
    CleanupResult,
    FolderPlan,
    FolderResult,
    Search,
    StagedPackage,
)


def content(
    staging: Sequence[Path],
    search: Search,
    plan: CleanupPlan,
    result: CleanupResult | None,
    commands: Sequence[str] | None,
) -> dict[str, object]:
    """Give the members of the document."""
    results = result.folders if result is not None else [None] * len(plan.folders)
    return {
        "roots": list(staging),
        "acted": result is not None,
        "unsearched": list(search.unsearched),
        "folders": [
            _folder(folder, outcome) for folder, outcome in zip(plan.folders, results, strict=True)
        ],
        "commands": None if commands is None else list(commands),
    }


def _folder(plan: FolderPlan, result: FolderResult | None) -> dict[str, object]:
    folder = plan.folder
    return {
        "path": folder.path,
        "size": folder.size,
        "files": folder.files,
        "packages": [_package(package) for package in folder.packages],
        "content_folders": list(folder.content_folders),
        "loose_files": list(folder.loose_files),
        "unknown": list(folder.unknown),
        "mounts": list(folder.mounts),
        "records": [each.directory for each in folder.records],
        "obstacles": _errors(plan.obstacles),
        "result": None if result is None else _result(result),
    }


def _package(package: StagedPackage) -> dict[str, object]:
    mounted = package.mounted
    return {
        "package_id": package.package_id,
        "path": package.path,
        "mount_directory": package.mount_directory,
        "state": package.state,
        "reason": package.reason,
        "image": str(mounted.image) if mounted and mounted.image else package.image or None,
        "index": mounted.index if mounted else None,
        "since": package.since,
        "size": package.size,
        "files": package.files,
        "lost": package.lost,
        "changed_files": package.change.files,
        "changed_bytes": package.change.size,
        "updates": None if package.change.updates is None else list(package.change.updates),
    }


def _result(result: FolderResult) -> dict[str, object]:
    proof = result.proof
    return {
        "unmounted": [package.mount_directory for package in result.unmounted],
        "deleted_files": result.tally.files,
        "deleted_folders": result.tally.folders,
        "deleted_links": result.tally.links,
        "freed_bytes": result.tally.freed,
        "errors": _errors(result.errors),
        "proof": None
        if proof is None
        else {
            "is_gone": proof.is_gone,
            "mounts": list(proof.mounts),
            "leftovers": [leftover.text for leftover in proof.leftovers],
            "free_bytes_before": proof.free_before,
            "free_bytes": proof.free,
            "allows_a_run": proof.allows_a_run,
        },
    }


def _errors(errors: Iterable[WimdockError]) -> list[dict[str, object]]:
    return [failure.content() for error in errors for failure in failures(error)]
