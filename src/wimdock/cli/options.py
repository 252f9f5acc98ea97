"""Options and arguments that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

LONGEST_NUMBER = 9
"""So many digits has the longest number that an option takes."""

# Whether a file exists is for the room that opens it to say, with our error and its HRESULT.
FILE = click.Path(path_type=Path)


class Number(click.ParamType[int]):
    """A number from `least` on, counted as people do."""

    name = "number"

    def __init__(self, least: int) -> None:
        """Take the smallest number that makes sense."""
        self.least = least

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Give the number."""
        text = str(value).strip()
        digits = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
        if len(text) > LONGEST_NUMBER and text.isascii() and text.isdigit():
            self.fail(f"{text[:20]!r} is too large a number", param, ctx)
        if not digits or int(text) < self.least:
            self.fail(f"{text[:20]!r} is no number from {self.least} on", param, ctx)
        return int(text)


class IndexChoice(click.ParamType[int | None]):
    """The number of an image, or "all"."""

    name = "index"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Give the number, or None for all images."""
        text = str(value).strip().lower()
        if text == "all":
            return None
        digits = text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
        if not digits or int(text) < 1:
            self.fail(f"{text[:20]!r} is neither a number from 1 nor 'all'", param, ctx)
        return int(text)


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
        type=Number(1),
        metavar="N",
        help="The image in the file, counted from 1.",
    )(command)


def indexes_option(*, default: str) -> Callable[[_Command], _Command]:
    """Take --index, as `index`: a number from 1, or None for all images."""
    return click.option(
        "--index",
        type=IndexChoice(),
        default=default,
        show_default=True,
        metavar="N|all",
        help="The image in the file, counted from 1, or all of them.",
    )


def unsigned_option(command: _Command) -> _Command:
    """Take --allow-unsigned, as `allow_unsigned`."""
    return click.option(
        "--allow-unsigned", is_flag=True, help="Take packages that no catalog covers: your own."
    )(command)


def dictionary_option(command: _Command) -> _Command:
    """Take --manifest-dictionary, as `manifest_dictionary`: a file, or None."""
    return click.option(
        "--manifest-dictionary",
        type=FILE,
        metavar="FILE",
        help="The dictionary of compressed manifests, where the image has no servicing stack.",
    )(command)


def examples(*lines: str) -> str:
    """Give the epilog of a command: its examples, one to a line."""
    body = "\n".join(f"  {line}" for line in lines)
    return f"\b\nExamples:\n{body}"
