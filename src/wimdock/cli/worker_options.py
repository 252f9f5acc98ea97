"""Options of the commands that execute runs until they are told to end: `worker` and `serve`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from wimdock.cli.options import Number

_Command = TypeVar("_Command", bound=Callable[..., Any])


def worker_options(command: _Command) -> _Command:
    """Give a command --concurrency and --grace (seconds)."""
    grace = click.option(
        "--grace",
        type=Number(0),
        default=60,
        show_default=True,
        metavar="SECONDS",
        help="How long runs may go on when it is told to end; then they are handed back.",
    )
    concurrency = click.option(
        "--concurrency",
        type=Number(1),
        metavar="N",
        help="Execute so many runs at once; without it worker.concurrency of the settings.",
    )
    return concurrency(grace(command))
