"""The tables hold what their sources hold, can be searched, and carry none of the wrong claims."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from wimdock.doctor.codes import meanings_of, name_of, table
from wimdock.doctor.codes.table import TABLES, Row, Table
from wimdock.errors import StorageError

SOURCES = [
    (table.WINDOWS, "win32.json"),
    (table.HRESULTS, "hresult.json"),
    (table.NTSTATUS, "ntstatus.json"),
    (table.IMAGE_LIBRARY, "wimgapi.json"),
]


@pytest.mark.parametrize("each", TABLES, ids=lambda each: each.name)
def test_rows_are_in_order_and_well_formed(each: Table) -> None:
    rows = list(each.all_rows())
    assert rows
    assert len(set(rows)) == len(rows)
    assert all(before.code <= after.code for before, after in pairwise(rows))
    for row in rows:
        assert row.name or row.text
        assert re.fullmatch(r"[A-Za-z0-9_]*", row.name)
        assert row.text == row.text.strip()
        assert row in tuple(each.rows(row.code))


@pytest.mark.parametrize("each, source", SOURCES)
def test_nothing_of_the_source_is_lost_or_changed(
    each: Table, source: str, shared_data: Path
) -> None:
    given = json.loads((shared_data / "codes" / source).read_text(encoding="utf-8"))
    rows = set(each.all_rows())
    for code, entry in given.items():
        name, text = ("", entry) if isinstance(entry, str) else entry
        assert Row(int(code, 16), name, text.strip()) in rows


def test_every_servicing_code_of_the_source_has_its_names(shared_data: Path) -> None:
    given = json.loads((shared_data / "codes" / "cbs.json").read_text(encoding="utf-8"))
    for code, names in given.items():
        found = [row.name for row in table.CBS.rows(int(code, 16))]
        assert found[0] in names or f"CBS_S_{found[0].removeprefix('CBS_E_')}" in found
    assert {row.code for row in table.CBS.all_rows()} == {int(code, 16) for code in given}


@pytest.mark.parametrize(
    "code, name",
    [
        (0x800700A1, "ERROR_BAD_PATHNAME"),
        (161, "ERROR_BAD_PATHNAME"),
        (0x80004001, "E_NOTIMPL"),
        (0x8007007B, "ERROR_INVALID_NAME"),
        (0x800F082F, "CBS_E_EXCLUSIVE_WOULD_MERGE"),
        (0x800F0823, "CBS_E_NEW_SERVICING_STACK_REQUIRED"),
        (0x800F081E, "CBS_E_NOT_APPLICABLE"),
        (0x800F0830, "CBS_E_IMAGE_UNSERVICEABLE"),
        (0x80073712, "ERROR_SXS_COMPONENT_STORE_CORRUPT"),
        (0xD00000BB, "STATUS_NOT_SUPPORTED"),
        (0xC00000BB, "STATUS_NOT_SUPPORTED"),
        (0xC1510114, "DISMAPI_E_NEEDS_REMOUNT"),
        (0xC1420127, ""),
        (0x80240017, ""),
    ],
)
def test_best_name(code: int, name: str) -> None:
    assert name_of(code) == name


def test_the_wrong_tables_that_circulate_were_not_taken() -> None:
    (mounted,) = meanings_of(0xC1420127)
    assert mounted.table == "DISM image library"
    assert "already mounted for read/write access" in mounted.text
    (unserviceable,) = meanings_of(0x800F0830)
    assert "exist" not in unserviceable.text


@pytest.mark.parametrize("low", [0x111, 0x112, 0x113, 0x114, 0x115, 0x1FD])
def test_the_wim_provider_of_dism_is_there(low: int) -> None:
    (meaning,) = meanings_of(0xC1510000 | low)
    assert (meaning.table, meaning.value) == ("DISM", 0xC1510000 | low)


def test_a_code_in_two_tables_has_both_meanings() -> None:
    assert [(m.table, m.name) for m in meanings_of(0x80070005)] == [
        ("Windows", "ERROR_ACCESS_DENIED"),
        ("HRESULT", "E_ACCESSDENIED"),
    ]


def test_a_table_that_is_missing_is_an_error_of_ours() -> None:
    with pytest.raises(StorageError) as caught:
        next(Table("none", "none.tsv").all_rows())
    assert "install it again" in caught.value.hint
