"""`wimdock schedule explain`: when a schedule is due next, and what it would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_columns, print_summary
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import moment, print_document, print_text, visible
from wimdock.cli.schedule.document import explanation_content
from wimdock.cli.schedule.text import indexes_in_words, state_of, tell_unsigned, updates_in_words
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.schedules.explain import Explanation

_EXAMPLES = examples(
    "wimdock schedule explain 16777217", "wimdock schedule explain 16777217 --count 52 --json"
)


@click.command(epilog=_EXAMPLES)
@click.argument("schedule_id", type=Number(1), metavar="SCHEDULE")
@click.option(
    "--count",
    type=Number(1),
    default=10,
    show_default=True,
    metavar="N",
    help="How many instants at which it is run.",
)
@site_options
@json_option
def explain(*, schedule_id: int, count: int, place: SitePlace, as_json: bool) -> None:
    """Say when a schedule is due next, and what each instant would do.

    Instants that its window or a blackout excludes are shown with the reason. The updates are those
    that would be chosen now; what the library has then is chosen then.
    """
    from wimdock.site.schedules.explain import explain as explain_schedule

    with place.opened() as site:
        found = explain_schedule(site, schedule_id, count)
    if as_json:
        print_document("schedule_explain", explanation_content(found))
        return
    _print_instants(found)
    print_text()
    _print_work(found)


def _print_instants(found: Explanation) -> None:
    print_text(f"Due {visible(found.recurrence)} ({found.zone.key}); window: {found.window}.")
    if not found.schedule.enabled:
        print_text(f"It is {state_of(found.schedule)}: none of these is run until it is enabled.")
    if found.overdue:
        print_text("Overdue, for no scheduler has run since; the next tick does this:")
        columns = ("due (UTC)", "what becomes of it", "why")
        print_summary(
            columns, [(moment(each.at), each.outcome.value, each.reason) for each in found.overdue]
        )
        print_text()
    if not found.instants:
        print_text("It is due at no time to come.")
        return
    rows = [
        (
            f"{each.local:%a %Y-%m-%d %H:%M %Z}",
            moment(each.at),
            f"excluded: {each.excluded}" if each.excluded else "is run",
            each.note,
        )
        for each in found.instants
    ]
    print_summary(("local time", "UTC", "what", "note"), rows)
    if found.more_excluded:
        print_text("All that follow are excluded too, as far as was looked.")


def _print_work(found: Explanation) -> None:
    if found.trouble:
        print_text(f"What it would do cannot be told: {visible(found.trouble)}")
        return
    if not found.work:
        print_text("All its image packages were removed: it would do nothing.")
        return
    print_text("Each would do, as the library is now:")
    rows = [
        (
            each.package.id,
            each.package.name,
            indexes_in_words(each.indexes),
            updates_in_words(each.updates) or "nothing: no update is applicable",
        )
        for each in found.work
    ]
    print_columns(("image package", "name", "images", "updates"), rows)
    tell_unsigned(found.unsigned)
