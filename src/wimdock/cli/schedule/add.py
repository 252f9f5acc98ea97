"""`wimdock schedule add`: a new schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.run.listing import run_content
from wimdock.cli.run.watch import exit_status, print_endings
from wimdock.cli.schedule.choice import Choice, choice_options
from wimdock.cli.schedule.document import schedule_content, update_content
from wimdock.cli.schedule.doing import doing_options
from wimdock.cli.schedule.run_now import tell_runs, wait_for
from wimdock.cli.schedule.text import tell_schedule, tell_unsigned
from wimdock.cli.schedule.timing import Timing, timing_options
from wimdock.cli.schedule.types import ImageTarget, ImageTargetType
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.errors import UsageError

if TYPE_CHECKING:
    from wimdock.site.models import Run
    from wimdock.site.schedules.options import ScheduleOptions

_EXAMPLES = examples(
    "wimdock schedule add --image CAS00001 --update all --run-now --wait",
    "wimdock schedule add --image CAS00001:1,3 --image CAS00002 --update all --newest-per-family "
    "--patch-tuesday +3 --time 22:00 --zone Europe/Berlin",
    "wimdock schedule add --image CAS00001 --update 16777217 --at 2026-11-10T22:00",
    "wimdock schedule add --image CAS00001 --classification 'Security Update' --min-age 7 "
    "--cron '0 22 * * TUE#2' --window 22:00-04:00 --blackout 2026-12-24/2027-01-02",
    "wimdock schedule add --image CAS00001 --update all --token A9788980001B4000",
)


@click.command(epilog=_EXAMPLES)
@click.option(
    "--image",
    "images",
    type=ImageTargetType(),
    multiple=True,
    required=True,
    metavar="ID[:INDEXES]",
    help="An image package, with all its images or these; may be given several times.",
)
@choice_options
@timing_options
@click.option(
    "--window",
    default="",
    metavar="WINDOW",
    help="Runs begin only then: 22:00-04:00, 'mon-fri 22:00-04:00', sat,sun.",
)
@click.option(
    "--blackout",
    "blackouts",
    multiple=True,
    metavar="DATE[/DATE]",
    help="No run begins on these days; may be given several times.",
)
@doing_options
@click.option("--name", default="", help="Its name for people.")
@click.option(
    "--queue", default="default", show_default=True, metavar="NAME", help="The queue of its runs."
)
@click.option(
    "--priority",
    type=click.INT,
    default=0,
    show_default=True,
    help="Runs of a higher one are taken first.",
)
@click.option("--wait", is_flag=True, help="With --run-now: wait until the runs have ended.")
@site_options
@json_option
def add(
    *,
    images: tuple[ImageTarget, ...],
    choice: Choice,
    timing: Timing,
    window: str,
    blackouts: tuple[str, ...],
    doing: Callable[[], ScheduleOptions],
    name: str,
    queue: str,
    priority: int,
    wait: bool,
    place: SitePlace,
    as_json: bool,
) -> int:
    """Add a schedule: which updates go into which image packages, and when.

    Which updates is said by --update, by conditions (--kb, --min-age, --max-age, --classification),
    or both: what is named is taken, and all that is applicable and fits the conditions. When is
    said by one of --at, --cron, --rrule, --patch-tuesday and --token, or by --run-now alone.
    """
    from wimdock.site.schedules.by_hand import run_now, runs_of
    from wimdock.site.schedules.explain import left_out
    from wimdock.site.schedules.records import add_schedule
    from wimdock.site.schedules.request import ScheduleRequest, Target
    from wimdock.site.schedules.window import Window

    if wait and not timing.run_now:
        message = "--wait waits for the runs of --run-now"
        raise UsageError(message)
    runs: list[Run] = []
    with place.opened() as site:
        opening = Window.parse(window, blackouts)
        request = ScheduleRequest(
            targets=[Target(package, indexes) for package, indexes in images],
            recurrence=timing.recurrence(site.now(), opening),
            selection=choice.selection(),
            name=name,
            zone=timing.zone,
            window=opening,
            options=doing(),
            queue=queue,
            priority=priority,
        )
        schedule = add_schedule(site, request)
        if not as_json:
            tell_schedule(schedule)
        unsigned = left_out(site, schedule.id)
        if not as_json:
            tell_unsigned(unsigned)
        if timing.run_now:
            ids = run_now(site, schedule.id)
            runs = wait_for(site, ids) if wait else runs_of(site, ids)
    if as_json:
        content = {
            "schedule": schedule_content(schedule),
            "unsigned": [update_content(update) for update in unsigned],
            "runs": [run_content(run) for run in runs],
        }
        print_document("schedule_add", content)
        return exit_status(runs)
    if wait:
        return print_endings(runs, as_json=False)
    if runs:
        print_text(tell_runs(runs))
    return 0
