"""What a plan amounts to in numbers, for people who decide whether to carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wimdock.files import storage_error
from wimdock.image.change_set import (
    ChangeSet,
    CreateKey,
    HiveName,
    PutDirectory,
    PutFile,
    PutLinks,
    RegistryEdit,
    SetValue,
)

_SERVICE_DEPTH = 3


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """Numbers of a plan; `links` are names besides the first, `bytes` the size of new files."""

    files: int = 0
    links: int = 0
    directories: int = 0
    registry_keys: int = 0
    registry_values: int = 0
    services: int = 0
    bytes: int = 0


def count(change_set: ChangeSet) -> PlanCounts:
    """Count the edits of a change set; StorageError where a file of the update is gone."""
    files = [edit for edit in change_set.files if isinstance(edit, PutFile)]
    links = [edit for edit in change_set.files if isinstance(edit, PutLinks)]
    values = [edit for edit in change_set.registry if isinstance(edit, SetValue)]
    keys = {(edit.hive, edit.key.lower()) for edit in change_set.registry}
    return PlanCounts(
        files=len(files),
        links=sum(len(edit.links) for edit in files) + sum(len(edit.links) for edit in links),
        directories=sum(isinstance(edit, PutDirectory) for edit in change_set.files),
        registry_keys=len(keys),
        registry_values=len(values),
        services=len({edit.key.lower() for edit in change_set.registry if _is_service(edit)}),
        bytes=sum(_size(edit.source) for edit in files),
    )


def _is_service(edit: RegistryEdit) -> bool:
    if not isinstance(edit, CreateKey) or edit.hive is not HiveName.SYSTEM:
        return False
    parts = edit.key.split("\\")
    return len(parts) == _SERVICE_DEPTH and parts[1].lower() == "services"


def _size(source: Path | bytes) -> int:
    if isinstance(source, bytes):
        return len(source)
    try:
        return source.stat().st_size
    except OSError as error:
        raise storage_error(error, source) from error
