"""Numbers of a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from wimdock.cbs.plan_counts import PlanCounts, count
from wimdock.errors import StorageError
from wimdock.image.change_set import (
    ChangeSet,
    CreateKey,
    HiveName,
    PutDirectory,
    PutFile,
    PutLinks,
    SetValue,
)
from wimdock.paths import ImagePath

A, B, C = ImagePath("a"), ImagePath("b"), ImagePath("c")


def test_counts(tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"12345")
    service = "ControlSet001\\Services\\lab"
    change_set = ChangeSet(
        (PutDirectory(A), PutFile(B, source, (C,)), PutFile(A, b"12"), PutLinks(B, (A, C))),
        (
            CreateKey(HiveName.SYSTEM, service),
            CreateKey(HiveName.SYSTEM, service.upper()),
            SetValue(HiveName.SYSTEM, f"{service}\\Security", "Security", 3, b""),
            SetValue(HiveName.SOFTWARE, "Lab", "", 1, b""),
        ),
    )
    assert count(change_set) == PlanCounts(
        files=2,
        links=3,
        directories=1,
        registry_keys=3,
        registry_values=2,
        services=1,
        bytes=7,
    )
    assert count(ChangeSet()) == PlanCounts()


def test_a_file_that_is_gone_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        count(ChangeSet((PutFile(A, tmp_path / "gone"),)))
