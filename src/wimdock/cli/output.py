"""What a command prints on stdout: JSON documents, tables, and numbers that people can read.

Names in an image are chosen by whoever made it. `visible` keeps them from steering the terminal.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath

from wimdock.clock import iso_utc
from wimdock.files import storage_error
from wimdock.paths import ImagePath

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
_KIBI = 1024
_MINUTE = 60
_HOUR = 3600
_TENTHS_BELOW = 10
_WIDE = 100_000
# Control, format (bidi overrides among them), surrogate, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""Give `text` with whatever could steer a terminal or hide itself written out (`\u202e`)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape", "surrogatepass").decode("ascii")
        if unicodedata.category(char) in _HIDDEN
        else char
        for char in text
    )


def size(count: int) -> str:
    """Give a number of bytes in words: `512 bytes`, `3.4 MiB`."""
    if count < _KIBI:
        return "1 byte" if count == 1 else f"{count} bytes"
    amount = float(count)
    unit = ""
    for unit in _UNITS:  # noqa: B007 - the last one stays where the number is larger still
        amount /= _KIBI
        if amount < _KIBI:
            break
    return f"{amount:.1f} {unit}"


def duration(seconds: float) -> str:
    """Give a time span in words: `0.3 s`, `42 s`, `3 min 05 s`, `1 h 02 min`."""
    if seconds < _TENTHS_BELOW:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"


def moment(at: datetime | None) -> str:
    """Give a time in words, UTC: `2024-05-01 12:00:00Z`; nothing for None."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Give a number with its noun: `1 file`, `12,345 files`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _plain(value: object) -> object:
    """Give the JSON form of a value that JSON does not know."""
    match value:
        case datetime():
            return iso_utc(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case ImagePath() | PurePath():
            return str(value)
        case Enum():
            return value.value
        case set() | frozenset():
            return sorted(value, key=str)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: getattr(value, field.name) for field in fields(value)}
        case _:
            message = f"{type(value).__name__} has no JSON form"
            raise TypeError(message)


def document(name: str, content: Mapping[str, object], *, version: int = 1) -> str:
    """Give a JSON document as text: `content` after the document's name and version.

    Times become ISO 8601 in UTC, bytes hexadecimal, paths text, dataclasses objects. The text is
    ASCII, so that no name in it can steer a terminal and every name survives any encoding.
    """
    head = {"wimdock": {"document": name, "version": version}}
    return json.dumps(head | dict(content), indent=2, default=_plain)


def print_document(name: str, content: Mapping[str, object], *, version: int = 1) -> None:
    """Print a JSON document; `docs/reference/json.md` describes each of them."""
    print_text(document(name, content, version=version))


@contextmanager
def writing() -> Iterator[None]:
    """Say of an output that cannot be written that it is the output, and not the work."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        found = storage_error(error, "the output")
        found.hint = "What the command had to do is done; only its output is not whole."
        raise found from error


def print_text(text: str = "") -> None:
    """Print a line on stdout; what comes from an image goes through `visible` first."""
    with writing():
        sys.stdout.write(text + "\n")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; numbers stand at the right."""

    title: str
    right: bool = False


def print_table(
    columns: Sequence[Column | str], rows: Iterable[Sequence[object]], *, title: str = ""
) -> None:
    """Print a table: folded to a terminal's width, as wide as it needs to be in a pipe.

    Nothing is ever cut off. Cells are printed by `str`, made `visible`; None is an empty cell.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    table = Table(
        title=Text(visible(title), style="bold") if title else None,
        title_justify="left",
        box=box.SIMPLE_HEAD if terminal else None,
        pad_edge=False,
        header_style="bold",
    )
    for column in columns:
        plain = Column(column) if isinstance(column, str) else column
        table.add_column(plain.title, justify="right" if plain.right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else visible(str(cell))) for cell in row))
    if terminal:
        Console(file=sys.stdout, highlight=False).print(table)
        return
    console = Console(file=sys.stdout, width=_WIDE, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        print_text(line.rstrip())
