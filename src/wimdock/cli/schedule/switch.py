"""`wimdock schedule enable`, `disable` and `remove`: schedules switched on and off, and removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import moment, print_document, print_text
from wimdock.cli.schedule.document import schedule_content
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.models import Schedule
    from wimdock.site.site import Site

_Verb = Callable[["Site", int], "Schedule"]
_SCHEDULES = click.argument(
    "schedule_ids", type=Number(1), metavar="SCHEDULE...", nargs=-1, required=True
)


@click.command(epilog=examples("wimdock schedule enable 16777217"))
@_SCHEDULES
@site_options
@json_option
def enable(*, schedule_ids: tuple[int, ...], place: SitePlace, as_json: bool) -> None:
    """Switch schedules on: they are due again from now on; what lay between is not made up for."""
    from wimdock.site.schedules.records import enable_schedule

    found = _each(place, schedule_ids, enable_schedule)
    _print(found, lambda schedule: f"is on, due next {_due(schedule)}", as_json=as_json)


@click.command(epilog=examples("wimdock schedule disable 16777217"))
@_SCHEDULES
@site_options
@json_option
def disable(*, schedule_ids: tuple[int, ...], place: SitePlace, as_json: bool) -> None:
    """Switch schedules off: they are due no more. Runs that were made are still done."""
    from wimdock.site.schedules.records import disable_schedule

    found = _each(place, schedule_ids, disable_schedule)
    _print(found, lambda _: "is off", as_json=as_json)


@click.command(epilog=examples("wimdock schedule remove 16777217"))
@_SCHEDULES
@site_options
@json_option
def remove(*, schedule_ids: tuple[int, ...], place: SitePlace, as_json: bool) -> None:
    """Remove schedules. Their runs stay, with all that is known of them; those that wait are done.

    `wimdock schedule cancel` cancels the runs first.
    """
    from wimdock.site.schedules.records import remove_schedule

    found = _each(place, schedule_ids, remove_schedule)
    _print(found, lambda _: "was removed", as_json=as_json)


def _each(place: SitePlace, ids: Sequence[int], verb: _Verb) -> list[Schedule]:
    from wimdock.site.schedules.records import check_schedules

    with place.opened() as site:
        check_schedules(site, ids)
        return [verb(site, schedule_id) for schedule_id in dict.fromkeys(ids)]


def _due(schedule: Schedule) -> str:
    return moment(schedule.next_due) or "when it is run by hand"


def _print(found: Sequence[Schedule], say: Callable[[Schedule], str], *, as_json: bool) -> None:
    if as_json:
        content = {"schedules": [schedule_content(schedule) for schedule in found]}
        print_document("schedules", content)
        return
    for schedule in found:
        print_text(f"schedule {schedule.id} {say(schedule)}")
