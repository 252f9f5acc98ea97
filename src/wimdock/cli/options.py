"""Options and arguments that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

# Whether a file exists is for the room that opens it to say, with our error and its HRESULT.
FILE = click.Path(path_type=Path)


def image_argument(command: _Command) -> _Command:
    """Take the image file, as `image`."""
    return click.argument("image", type=FILE, metavar="IMAGE")(command)


def json_option(command: _Command) -> _Command:
    """Take --json, as `as_json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print a JSON document on stdout, nothing else."
    )(command)


def index_option(command: _Command) -> _Command:
    """Take --index, as `index`: a number from 1, or None."""
    return click.option(
        "--index",
        type=click.IntRange(min=1),
        metavar="N",
        help="The image in the file, counted from 1.",
    )(command)


def examples(*lines: str) -> str:
    """Give the epilog of a command: its examples, one to a line."""
    body = "\n".join(f"  {line}" for line in lines)
    return f"\b\nExamples:\n{body}"
