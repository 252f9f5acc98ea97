"""The page about DISM's syntax says of every verb and option what the table in the code says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wimdock.cli.dism.verbs import (
    GLOBAL_OPTIONS,
    REFUSED,
    REFUSED_EVERYWHERE,
    SERVED,
    Option,
)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "dism.md"


def served(option: Option) -> str:
    """Give what the page's table says of an option."""
    if option.refused:
        return f"Error: 50; {option.refused}"
    return f"no effect: {option.idle}" if option.idle else "served"


def row(verb: str, option: Option) -> str:
    name = f"/{option.name}:" if option.takes_value else f"/{option.name}"
    return f"| {verb} | `{name}` | {served(option)} |"


def rows() -> Iterator[str]:
    """Give every row that the page must have."""
    for option in (*GLOBAL_OPTIONS, *REFUSED_EVERYWHERE):
        yield row("every verb", option)
    for verb in SERVED:
        names = ", ".join(f"`/{name}`" for name in (verb.name, *verb.aliases))
        if not verb.options:
            yield f"| {names} | | served |"
        for option in verb.options:
            yield row(names, option)
    for verb in REFUSED:
        yield f"| `/{verb.name}` | Error: 50; {verb.refused} |"


def test_every_verb_and_option_has_its_row() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    missing = [each for each in rows() if each not in lines]
    assert missing == []


def test_no_row_is_left_of_what_is_no_more() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    tables = [line for line in lines if line.startswith(("| `/", "| every verb"))]
    assert [line for line in tables if line not in set(rows())] == []
