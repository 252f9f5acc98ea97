"""The options by which status messages are chosen, and what JSON says of one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wimdock.cli.options import Number

if TYPE_CHECKING:
    from wimdock.site.messages.listing import MessageFilter
    from wimdock.site.models import StatusMessageRow
    from wimdock.site.site import Site

_Command = TypeVar("_Command", bound=Callable[..., Any])

SEVERITIES = {"information": "I", "warning": "W", "error": "E"}
"""The severities as people write them, and their letters."""

_SPAN = re.compile(r"(\d{1,6})(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Since(click.ParamType[datetime | timedelta]):
    """A time, UTC where no zone is told, or how long ago it was: 90m, 24h, 7d, 2w."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | timedelta:
        """Give the time, aware, or the span."""
        if isinstance(value, datetime | timedelta):
            return value
        text = str(value).strip()
        span = _SPAN.fullmatch(text.lower())
        if span is not None:
            return timedelta(**{_UNITS[span[2]]: int(span[1])})
        try:
            at = datetime.fromisoformat(text)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{text[:40]!r} is neither a time such as 2026-11-03T22:00 nor a span such as 24h",
                param,
                ctx,
            )


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which status messages were asked for."""

    ids: tuple[int, ...]
    severities: tuple[str, ...]
    run_id: int | None
    package_id: str | None
    schedule_id: int | None
    since: datetime | timedelta | None

    def filter_for(self, site: Site) -> MessageFilter:
        """Give what to look for; a span counts back from the site's time."""
        from wimdock.site.messages.listing import MessageFilter
        from wimdock.site.models import MessageSeverity

        since = self.since
        if isinstance(since, timedelta):
            now = site.now()
            since = now - min(since, now - datetime.min.replace(tzinfo=UTC))
        return MessageFilter(
            self.ids,
            tuple(MessageSeverity(SEVERITIES[name]) for name in self.severities),
            self.run_id,
            None if self.package_id is None else self.package_id.upper(),
            self.schedule_id,
            since,
        )


def filter_options(command: _Command) -> _Command:
    """Take the options that choose status messages, as `chosen`."""

    @click.option(
        "--id",
        "ids",
        type=Number(1),
        multiple=True,
        metavar="ID",
        help="Only messages with this ID, such as 42001; may be given several times.",
    )
    @click.option(
        "--severity",
        "severities",
        type=click.Choice(tuple(SEVERITIES)),
        multiple=True,
        help="Only messages of this severity; may be given several times.",
    )
    @click.option("--run", "run_id", type=Number(1), metavar="RUN", help="Only messages of a run.")
    @click.option(
        "--image", "package_id", metavar="ID", help="Only messages about this image package."
    )
    @click.option(
        "--schedule",
        "schedule_id",
        type=Number(1),
        metavar="ID",
        help="Only messages of this schedule.",
    )
    @click.option(
        "--since",
        type=Since(),
        metavar="TIME",
        help="Only messages from this time on: 2026-11-03T22:00, UTC where no zone is told, or how "
        "long ago: 90m, 24h, 7d, 2w.",
    )
    @wraps(command)
    def with_filter(
        *,
        ids: tuple[int, ...],
        severities: tuple[str, ...],
        run_id: int | None,
        package_id: str | None,
        schedule_id: int | None,
        since: datetime | timedelta | None,
        **others: Any,
    ) -> Any:
        chosen = Chosen(ids, severities, run_id, package_id, schedule_id, since)
        return command(chosen=chosen, **others)

    return with_filter  # type: ignore[return-value]


def severity_word(row: StatusMessageRow) -> str:
    """Give a severity as people write it."""
    return next(word for word, letter in SEVERITIES.items() if letter == row.severity.value)


def message_content(row: StatusMessageRow) -> dict[str, Any]:
    """Give what JSON documents say of a status message."""
    from wimdock.site.messages import TABLE, name_of, text_of

    kind = TABLE.get(row.message_id)
    return {
        "number": row.id,
        "id": row.message_id,
        "name": name_of(kind) if kind else None,
        "severity": severity_word(row),
        "time": row.at,
        "text": text_of(row),
        "component": row.component,
        "machine": row.machine,
        "site": row.site_code,
        "process": row.pid,
        "thread": row.tid,
        "run": row.run_id,
        "schedule": row.schedule_id,
        "image_package": row.package_id,
        "strings": row.strings,
    }
