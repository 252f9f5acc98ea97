"""Values that the options of schedules take."""

from __future__ import annotations

import re

import click

from wimdock.cli.options import LONGEST_NUMBER

_IMAGE = re.compile(r"([A-Za-z0-9]{8})(?::([0-9,-]{1,200}|all))?", re.ASCII)
_SPAN = re.compile(r"(?:([0-9]{1,5})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")
_UNITS = (86_400, 3_600, 60, 1)
_MOST_INDEXES = 1000

ImageTarget = tuple[str, tuple[int, ...]]


class ImageTargetType(click.ParamType[ImageTarget]):
    """An image package and, after a colon, the images in it: `CAS00001:1,3-4`."""

    name = "image package"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> ImageTarget:
        """Give the ID and the indexes, none for all."""
        if isinstance(value, tuple):
            return value
        text = str(value).strip()
        found = _IMAGE.fullmatch(text)
        indexes = None if found is None else _indexes(found[2])
        if found is None or indexes is None:
            message = f"{text[:40]!r} is no image package, such as CAS00001, CAS00001:1,3"
            self.fail(message, param, ctx)
        return found[1].upper(), indexes


class UpdateChoice(click.ParamType[int]):
    """The number of an update, or "all", which is 0."""

    name = "update"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Give the number."""
        text = str(value).strip().lower()
        if text == "all":
            return 0
        if not (text.isascii() and text.isdigit()) or len(text) > LONGEST_NUMBER or int(text) < 1:
            self.fail(f"{text[:20]!r} is neither the number of an update nor 'all'", param, ctx)
        return int(text)


class Span(click.ParamType[int]):
    """A span of time in units: `90s`, `30m`, `1h30m`, `2d`; in seconds."""

    name = "span"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Give the seconds."""
        if isinstance(value, int):
            return value
        found = _SPAN.fullmatch(str(value).strip().lower())
        if found is None or not any(found.groups()):
            self.fail(f"{str(value)[:20]!r} is no span: write it like 90s, 30m, 1h30m", param, ctx)
        return sum(int(n or 0) * unit for n, unit in zip(found.groups(), _UNITS, strict=True))


class Days(click.ParamType[int]):
    """A number of days, written as `+3`."""

    name = "days"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Give the number."""
        text = str(value).strip().removeprefix("+")
        if not (text.isascii() and text.isdigit()) or len(text) > LONGEST_NUMBER:
            self.fail(f"{str(value)[:20]!r} is no number of days, such as +3", param, ctx)
        return int(text)


def _indexes(text: str | None) -> tuple[int, ...] | None:
    """Give the indexes of a list of numbers and ranges; None where it is wrong."""
    if text is None or text == "all":
        return ()
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            return None
        low, high = int(first), int(last) if dash else int(first)
        if not 0 < low <= high or high - low >= _MOST_INDEXES:
            return None
        found += range(low, high + 1)
    return tuple(dict.fromkeys(found)) if len(found) <= _MOST_INDEXES else None
