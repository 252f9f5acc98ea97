"""The options that say how the runs of a schedule are done."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wimdock.cli.options import Number, unsigned_option
from wimdock.cli.schedule.types import Span

if TYPE_CHECKING:
    from wimdock.site.schedules.options import ScheduleOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])

_MINUTE = 60
_NAMES = (
    "continue_on_error",
    "remove_superseded",
    "export_after",
    "update_points",
    "allow_unsigned",
    "on_copy",
    "retries",
    "backoff",
    "max_run_time",
)


def doing_options(command: _Command) -> _Command:
    """Take the options, as `doing`: a function that gives the options of the schedule."""

    @click.option(
        "--max-run-time",
        type=Span(),
        metavar="SPAN",
        help="End a run that takes longer, such as 90m or 2h; its image stays as it was.",
    )
    @click.option(
        "--continue-on-error",
        is_flag=True,
        help="Go on with the other updates where one fails.",
    )
    @click.option(
        "--remove-superseded", is_flag=True, help="Remove superseded updates: not offered yet."
    )
    @click.option("--export-after", is_flag=True, help="Export the image file: not offered yet.")
    @click.option(
        "--update-points", is_flag=True, help="Bring the image file to its distribution points."
    )
    @click.option("--copy", "on_copy", is_flag=True, help="Work on a copy; keep the old file.")
    @unsigned_option
    @click.option(
        "--retries",
        type=Number(0),
        default=0,
        show_default=True,
        metavar="N",
        help="Try a failed run again, so often, where that may help.",
    )
    @click.option(
        "--backoff",
        type=Span(),
        default="1m",
        show_default=True,
        metavar="SPAN",
        help="Wait so long before the first retry, and twice as long before each further one.",
    )
    @wraps(command)
    def with_doing(**given: Any) -> Any:
        values = {name: given.pop(name) for name in _NAMES}

        def options() -> ScheduleOptions:
            from wimdock.errors import ScheduleError
            from wimdock.site.schedules.options import ScheduleOptions

            seconds = values.pop("max_run_time")
            if seconds == 0:
                message = "no run ends in no time"
                raise ScheduleError(message, hint="Without --max-run-time there is no limit.")
            minutes = -(-(seconds or 0) // _MINUTE)
            return ScheduleOptions(max_run_minutes=minutes, **values).check()

        return command(doing=options, **given)

    return with_doing  # type: ignore[return-value]
