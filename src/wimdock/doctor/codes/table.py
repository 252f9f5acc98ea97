"""The tables of codes: text files of one line a name, searched and never parsed as a whole.

A line is eight hexadecimal digits, a name (it may be empty) and a text (it may be empty), with tabs
between them; lines are in the order of the codes. `tables/ORIGIN.md` says where they come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from wimdock.errors import StorageError
from wimdock.files import storage_error

_FOLDER = Path(__file__).parent / "tables"
_ENCODING = "ascii"
_DIGITS = 8
_CODE = slice(0, _DIGITS)


class Row(NamedTuple):
    """One name of a code: the code as the table gives it, its name and its text."""

    code: int
    name: str
    text: str


@cache
def _content(file: str) -> bytes:
    """Give a table, with a line feed before the first line so that every line has one before it."""
    path = _FOLDER / file
    try:
        return b"\n" + path.read_bytes()
    except OSError as error:
        found: StorageError = storage_error(error, path)
        found.hint = "A part of wimdock itself is missing: install it again."
        raise found from error


@cache
def _raised(file: str) -> bytes:
    """Give a table in upper case, in which names are looked for: a few names are of mixed case."""
    return _content(file).upper()


def _row_at(content: bytes, start: int) -> Row:
    """Give the line that begins at `start`."""
    line = content[start : content.index(b"\n", start)].decode(_ENCODING)
    code, name, text = line.split("\t")
    return Row(int(code, 16), name, text)


class Table(NamedTuple):
    """One table: the name that people see, and its file."""

    name: str
    file: str

    def rows(self, code: int) -> Iterator[Row]:
        """Give every name of a code."""
        content = _content(self.file)
        wanted = f"\n{code:08x}\t".encode(_ENCODING)
        place = content.find(wanted)
        while place >= 0:
            yield _row_at(content, place + 1)
            place = content.find(wanted, place + 1)

    def all_rows(self) -> Iterator[Row]:
        """Give every row, in the order of the codes."""
        content = _content(self.file)
        place = 1
        while place < len(content):
            yield _row_at(content, place)
            place = content.index(b"\n", place) + 1

    def rows_ending(self, code: str) -> Iterator[Row]:
        """Give the rows whose eight digits end with `code`, in lower case."""
        content = _content(self.file)
        wanted = f"{code}\t".encode(_ENCODING)
        place = content.find(wanted)
        while place >= 0:
            start = place + len(code) - _DIGITS
            if content[start - 1 : start] == b"\n":
                yield _row_at(content, start)
            place = content.find(wanted, place + 1)

    def named(self, name: str) -> Iterator[Row]:
        """Give the rows of a name, in upper case."""
        return self._with(f"\t{name}\t".encode(_ENCODING))

    def ending(self, words: str) -> Iterator[Row]:
        """Give the rows whose names end with these words: `BAD_PATHNAME`."""
        return self._with(f"_{words}\t".encode(_ENCODING))

    def _with(self, wanted: bytes) -> Iterator[Row]:
        content, raised = _content(self.file), _raised(self.file)
        place = raised.find(wanted)
        while place >= 0:
            yield _row_at(content, content.rindex(b"\n", 0, place) + 1)
            place = raised.find(wanted, place + 1)


WINDOWS = Table("Windows", "win32.tsv")
HRESULTS = Table("HRESULT", "hresult.tsv")
CBS = Table("CBS", "cbs.tsv")
IMAGE_LIBRARY = Table("DISM image library", "image_library.tsv")
DISM = Table("DISM", "dism.tsv")
NTSTATUS = Table("NTSTATUS", "ntstatus.tsv")

TABLES = (WINDOWS, HRESULTS, CBS, IMAGE_LIBRARY, DISM, NTSTATUS)
"""Every table; what the first ones say of a code is said first."""
