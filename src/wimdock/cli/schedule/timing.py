"""The options that say when a schedule is due, and the recurrence that they ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wimdock.cli.schedule.types import Days
from wimdock.errors import ScheduleError, UsageError

if TYPE_CHECKING:
    from wimdock.site.schedules.recurrence import Recurrence
    from wimdock.site.schedules.window import Window

_Command = TypeVar("_Command", bound=Callable[..., Any])

_HINT = "Give one of --at, --cron, --rrule, --patch-tuesday, --token or --run-now."


@dataclass(frozen=True, slots=True)
class Timing:
    """What was given of when a schedule is due."""

    at: str | None
    cron: str | None
    rrule: str | None
    patch_tuesday: int | None
    token: str | None
    run_now: bool
    time: str | None
    zone: str

    def recurrence(self, now: datetime, window: Window) -> Recurrence:
        """Give the recurrence; UsageError where none or several were asked for."""
        from wimdock.site.schedules.cron import Cron
        from wimdock.site.schedules.recurrence import Now, Once

        given = (self.at, self.cron, self.rrule, self.patch_tuesday, self.token)
        if sum(each is not None for each in given) > 1:
            message = "a schedule is due in one way"
            raise UsageError(message, hint=_HINT)
        if self.time is not None and self.rrule is None and self.patch_tuesday is None:
            message = "--time goes with --patch-tuesday and --rrule"
            raise UsageError(message, hint="Write the time into --at or --cron.")
        if self.at is not None:
            return Once.parse(self.at)
        if self.cron is not None:
            return Cron.parse(self.cron)
        if self.rrule is not None:
            return self._rule(self.rrule, now)
        if self.patch_tuesday is not None:
            return self._patch_tuesday(self.patch_tuesday, window)
        if self.token is not None:
            from wimdock.site.schedules.token import Tokens

            return Tokens.from_document({"tokens": self.token})
        if not self.run_now:
            message = "the schedule is never due"
            raise UsageError(message, hint=_HINT)
        return Now()

    def _rule(self, text: str, now: datetime) -> Recurrence:
        from wimdock.site.schedules.rule import Rule, start_of
        from wimdock.site.schedules.words import time_of
        from wimdock.site.schedules.zone import zone_of

        start = start_of(now, zone_of(self.zone))
        if self.time is not None:
            if "DTSTART" in text.upper():
                message = "--time and DTSTART both say when the rule starts"
                raise UsageError(message, hint="Leave --time away.")
            start = datetime.combine(start.date(), time_of(self.time))
        return Rule.parse(text.replace("\\n", "\n"), start)

    def _patch_tuesday(self, days: int, window: Window) -> Recurrence:
        from wimdock.site.schedules.patch_tuesday import LATEST, PatchTuesday
        from wimdock.site.schedules.words import time_of

        if days > LATEST:
            message = f"{days} days after the second Tuesday are more than {LATEST}"
            raise ScheduleError(message, hint="Write --cron or --rrule instead.")
        at: time = window.start if self.time is None else time_of(self.time)
        return PatchTuesday(days, at)


def timing_options(command: _Command) -> _Command:
    """Take the options, as `timing`."""

    @click.option("--at", metavar="TIME", help="Once, then: 2026-11-10T22:00.")
    @click.option(
        "--cron", metavar="EXPRESSION", help="By five fields: '0 22 * * TUE#2'; also 5L, LW."
    )
    @click.option(
        "--rrule", metavar="RULE", help="By a rule of iCalendar: 'FREQ=MONTHLY;BYDAY=2TU'."
    )
    @click.option(
        "--patch-tuesday",
        "patch_tuesday",
        type=Days(),
        metavar="+N",
        help="So many days after the second Tuesday of every month.",
    )
    @click.option(
        "--token",
        metavar="HEX",
        help="By schedule tokens of Configuration Manager, 16 digits each.",
    )
    @click.option("--run-now", is_flag=True, help="Run it now; alone, or besides one of the above.")
    @click.option(
        "--time",
        metavar="HH:MM",
        help="The time of day of --patch-tuesday (else the start of --window, else 00:00) and "
        "--rrule (else now).",
    )
    @click.option(
        "--zone",
        default="UTC",
        show_default=True,
        metavar="NAME",
        help="The time zone of all its times, such as Europe/Berlin.",
    )
    @wraps(command)
    def with_timing(
        *,
        at: str | None,
        cron: str | None,
        rrule: str | None,
        patch_tuesday: int | None,
        token: str | None,
        run_now: bool,
        time: str | None,
        zone: str,
        **others: Any,
    ) -> Any:
        timing = Timing(at, cron, rrule, patch_tuesday, token, run_now, time, zone)
        return command(timing=timing, **others)

    return with_timing  # type: ignore[return-value]
