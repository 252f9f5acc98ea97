"""The options by which every command of the site finds it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wimdock.cli.options import FILE
from wimdock.cli.output import visible

if TYPE_CHECKING:
    from wimdock.site.site import Site

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class SitePlace:
    """What was given of where the site is."""

    folder: Path | None
    url: str | None

    @contextmanager
    def opened(self, *, warn: bool = True) -> Iterator[Site]:
        """Open the site for as long as the block lasts; say what is unwise in its settings."""
        from wimdock.site.opening import Place, open_site

        site = open_site(Place(self.folder, self.url))
        gc.freeze()
        gc.enable()
        for warning in site.settings.warnings if warn else ():
            sys.stderr.write(f"wimdock: warning: {visible(warning)}\n")
        try:
            yield site
        finally:
            site.close()


def site_options(command: _Command) -> _Command:
    """Take --site and --database, as `place`."""

    @click.option(
        "--site",
        "folder",
        type=FILE,
        metavar="FOLDER",
        help="The folder of the site; without it WIMDOCK_SITE.",
    )
    @click.option(
        "--database",
        "url",
        metavar="URL",
        help="The site's PostgreSQL database; without it WIMDOCK_DATABASE.",
    )
    @wraps(command)
    def with_place(*, folder: Path | None, url: str | None, **others: Any) -> Any:
        # What is imported now stays: to look through it for garbage takes a fifth of the start.
        gc.disable()
        try:
            return command(place=_place(folder, url), **others)
        finally:
            gc.enable()

    return with_place  # type: ignore[return-value]


def _place(folder: Path | None, url: str | None) -> SitePlace:
    """Take what is given; it outweighs all that the environment says."""
    if folder is None and url is None:
        named = os.environ.get("WIMDOCK_SITE")
        return SitePlace(Path(named) if named else None, os.environ.get("WIMDOCK_DATABASE") or None)
    return SitePlace(folder, url)
