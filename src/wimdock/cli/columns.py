"""Long lists on stdout, line by line: aligned, never cut off, and without the cost of rich.

`wimdock.cli.output.print_table` draws what a person reads at a glance. A list of thousands of lines
is for scrolling and for `grep`: short columns first, the long one last, one line for each row.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from wimdock.cli.output import Column, print_table, visible, writing

# What rich leaves between two columns.
_GAP = 3


def print_columns(columns: Sequence[Column | str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their titles; cells are printed by `str`, made `visible`; None is empty."""
    heads = [Column(column) if isinstance(column, str) else column for column in columns]
    lines = [tuple(head.title for head in heads)]
    lines += [tuple("" if cell is None else visible(str(cell)) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    # Nothing follows the last column, so that a single long cell in it pads no other line.
    widths[-1] = widths[-1] if heads[-1].right else 0
    layout = "  ".join(
        f"{{:{'>' if head.right else '<'}{width}}}"
        for head, width in zip(heads, widths, strict=True)
    )
    with writing():
        sys.stdout.writelines(layout.format(*line).rstrip() + "\n" for line in lines)


def print_summary(columns: Sequence[Column | str], rows: Sequence[Sequence[object]]) -> None:
    """Print a small table: drawn on a terminal that is wide enough, plain columns elsewhere."""
    if sys.stdout.isatty() and not is_too_narrow(columns, rows):
        print_table(columns, rows)
    else:
        print_columns(columns, rows)


def is_too_narrow(columns: Sequence[Column | str], rows: Sequence[Sequence[object]]) -> bool:
    """Tell whether a terminal is too narrow for a table; a pipe never is."""
    if not sys.stdout.isatty():
        return False
    from shutil import get_terminal_size

    widths = [
        max(
            len(column.title if isinstance(column, Column) else column),
            *(0 if row[place] is None else len(visible(str(row[place]))) for row in rows),
            0,
        )
        for place, column in enumerate(columns)
    ]
    return sum(widths) + _GAP * len(widths) > get_terminal_size().columns
