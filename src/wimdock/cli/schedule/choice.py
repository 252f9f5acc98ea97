"""The options that say which updates a schedule takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wimdock.cli.options import Number
from wimdock.cli.schedule.types import UpdateChoice

if TYPE_CHECKING:
    from wimdock.site.updates.selection import Selection

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Choice:
    """What was given of the updates."""

    updates: tuple[int, ...]
    newest_per_family: bool
    kbs: tuple[str, ...]
    min_age: int | None
    max_age: int | None
    classifications: tuple[str, ...]

    def selection(self) -> Selection:
        """Give the selection; ScheduleError where it takes nothing or contradicts itself."""
        from wimdock.site.updates.selection import Selection

        document: dict[str, Any] = {
            "ids": [update for update in self.updates if update],
            "all_applicable": 0 in self.updates,
            "newest_per_family": self.newest_per_family,
            "kbs": list(self.kbs),
            "min_age_days": self.min_age,
            "max_age_days": self.max_age,
            "classifications": list(self.classifications),
        }
        return Selection.from_document(document)


def choice_options(command: _Command) -> _Command:
    """Take the options, as `choice`."""

    @click.option(
        "--update",
        "updates",
        type=UpdateChoice(),
        multiple=True,
        metavar="all|ID",
        help="This update, or all that are applicable; may be given several times.",
    )
    @click.option(
        "--newest-per-family",
        is_flag=True,
        help="Of all versions of an update only the newest that is applicable.",
    )
    @click.option(
        "--kb",
        "kbs",
        multiple=True,
        metavar="KB",
        help="Only updates of this KB number; may be given several times.",
    )
    @click.option(
        "--min-age", type=Number(0), metavar="DAYS", help="Only updates at least so many days old."
    )
    @click.option(
        "--max-age", type=Number(0), metavar="DAYS", help="Only updates at most so many days old."
    )
    @click.option(
        "--classification",
        "classifications",
        multiple=True,
        metavar="NAME",
        help="Only updates such as 'Security Update'; may be given several times.",
    )
    @wraps(command)
    def with_choice(
        *,
        updates: tuple[int, ...],
        newest_per_family: bool,
        kbs: tuple[str, ...],
        min_age: int | None,
        max_age: int | None,
        classifications: tuple[str, ...],
        **others: Any,
    ) -> Any:
        choice = Choice(updates, newest_per_family, kbs, min_age, max_age, classifications)
        return command(choice=choice, **others)

    return with_choice  # type: ignore[return-value]
