"""What a code means: every row of every table that has it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from wimdock.doctor.codes.parts import LOW_WORD, N_BIT, win32_value
from wimdock.doctor.codes.table import (
    CBS,
    DISM,
    HRESULTS,
    IMAGE_LIBRARY,
    NTSTATUS,
    TABLES,
    WINDOWS,
    Table,
)

# A log of gigabytes holds the same few codes over and over.
_REMEMBERED = 4096
_SMALLEST_LOW_WORD = 0x100
_GENERAL = 0x8000
"""The upper word of E_FAIL, E_NOTIMPL and their kind."""


class Meaning(NamedTuple):
    """One meaning of a code.

    `code` is the code that was looked up and `value` what stands in the table: 0x800700A1 is 161 in
    the table of Windows. `name` is empty for a message that has none, `text` where only a name is
    known. `table` is one of the names in `wimdock.doctor.codes.table`.
    """

    code: int
    value: int
    name: str
    text: str
    table: str


def _places(code: int) -> Iterator[tuple[Table, int]]:
    """Give each table with the value that the code can have in it."""
    win32 = win32_value(code)
    for table in TABLES:
        if table is not WINDOWS:
            yield table, code
        elif win32 is not None:
            yield table, win32
    if code & N_BIT:
        yield NTSTATUS, code & ~N_BIT  # HRESULT_FROM_NT sets the bit


@lru_cache(_REMEMBERED)
def meanings_of(code: int) -> tuple[Meaning, ...]:
    """Give every meaning of a code of 32 bits, best first; nothing where no table has it.

    A number up to 0xFFFF is a Win32 code first of all.
    """
    return tuple(
        Meaning(code, row.code, row.name, row.text, table.name)
        for table, value in _places(code)
        for row in table.rows(value)
    )


def name_of(code: int) -> str:
    """Give the best short name of a code, such as ERROR_BAD_PATHNAME; "" where none is known."""
    return next((meaning.name for meaning in meanings_of(code) if meaning.name), "")


def is_known(code: int) -> bool:
    """Tell whether a table has the code."""
    return bool(meanings_of(code))


def low_word_relatives(code: int) -> tuple[int, ...]:
    """Give the codes that a number up to 0xFFFF may be the low word of.

    They are those of servicing, of the image library and of DISM, and the general ones such as
    E_FAIL; a number below 0x100 says too little.
    """
    if not _SMALLEST_LOW_WORD <= code <= LOW_WORD:
        return ()
    rows = [
        row.code
        for table in (CBS, IMAGE_LIBRARY, DISM, HRESULTS)
        for row in table.rows_ending(f"{code:04x}")
        if row.code >> 16 == _GENERAL or (row.code > LOW_WORD and table is not HRESULTS)
    ]
    return tuple(dict.fromkeys(rows))
