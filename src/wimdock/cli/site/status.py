"""`wimdock site status`: how a site is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import Column, count, moment, print_document, print_text, size, visible
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.status import SiteStatus

_EXAMPLES = examples("wimdock site status", "wimdock site status --site /srv/wimdock --json")
_WIDTH = 15


@click.command(epilog=_EXAMPLES)
@site_options
@json_option
def status(*, place: SitePlace, as_json: bool) -> None:
    """Say how a site is, and what is wrong with it.

    Shown are its size, what it has, the workers and what they have leased, runs that wait, the last
    look at the schedules and the next ones due, and distribution points that are down. No file of
    an image package and no distribution point is asked: it tells what was found last.
    """
    from wimdock.site.status import status_of

    with place.opened(warn=False) as site:
        found = status_of(site)
    if as_json:
        print_document("site_status", _content(found))
        return
    _print(found)


def _content(found: SiteStatus) -> dict[str, object]:
    return {
        "code": found.code,
        "folder": str(found.folder),
        "database": found.database,
        "schema": found.schema,
        "bytes": found.sizes,
        "counts": found.counts,
        "workers": [
            {
                "id": each.id,
                "host": each.host,
                "state": each.state,
                "alive": each.alive,
                "heartbeat": each.heartbeat_at,
                "concurrency": each.concurrency,
                "queues": list(each.queues),
            }
            for each in found.workers
        ],
        "leases": [
            {
                "image_package": each.package_id,
                "run": each.run_id,
                "worker": each.worker_id,
                "purpose": each.purpose,
                "since": each.since,
            }
            for each in found.leases
        ],
        "last_tick": found.last_tick,
        "next_due": [
            {"schedule": each.id, "name": each.name, "at": each.next_due} for each in found.next_due
        ],
        "points_down": [
            {
                "name": each.name,
                "since": each.since,
                "retry_at": each.retry_at,
                "error": each.error,
            }
            for each in found.points_down
        ],
        "problems": list(found.problems),
    }


def _print(found: SiteStatus) -> None:
    counts, sizes = found.counts, found.sizes
    runs = ("waiting", "running", "failed")
    print_text(f"site {found.code} in {visible(str(found.folder))}")
    lines = (
        ("database", f"{visible(found.database)}, schema {found.schema}, {size(sizes.database)}"),
        ("image packages", f"{counts['image_packages']:,}"),
        ("updates", f"{counts['updates']:,}, {size(sizes.updates)}"),
        ("schedules", f"{counts['schedules']:,}, {counts['schedules_enabled']:,} enabled"),
        ("runs", f"{counts['runs']:,}; " + ", ".join(f"{counts[f'runs_{n}']:,} {n}" for n in runs)),
        ("distribution", count(counts["distribution_points"], "point")),
        ("messages", f"{counts['status_messages']:,}, history {counts['history']:,}"),
        ("logs", size(sizes.logs)),
        ("free space", size(sizes.free)),
        ("last tick", moment(found.last_tick) or "never"),
    )
    for name, value in lines:
        print_text(f"  {name:<{_WIDTH}} {value}")
    _print_tables(found)
    for problem in found.problems:
        print_text(f"problem: {visible(problem)}")
    if not found.problems:
        print_text("Nothing is wrong.")


def _print_tables(found: SiteStatus) -> None:
    if found.workers:
        print_text()
        columns = ("worker", "host", "state", "last heard of", Column("runs", right=True), "queues")
        rows = [
            (
                each.id,
                each.host,
                each.state if each.alive else "silent",
                moment(each.heartbeat_at),
                each.concurrency,
                ", ".join(each.queues) or "all",
            )
            for each in found.workers
        ]
        print_summary(columns, rows)
    if found.leases:
        print_text()
        leases = [
            (
                each.package_id,
                f"run {each.run_id}" if each.run_id else each.purpose,
                moment(each.since),
                each.worker_id or "",
            )
            for each in found.leases
        ]
        print_summary(("leased", "for", "since", "by"), leases)
    if found.next_due:
        print_text()
        due = [(moment(each.next_due), each.id, each.name) for each in found.next_due]
        print_summary(("next due", Column("schedule", right=True), "name"), due)
    if found.points_down:
        print_text()
        points = [
            (each.name, moment(each.since), moment(each.retry_at), each.error)
            for each in found.points_down
        ]
        print_summary(("point down", "since", "tried again", "why"), points)
    if found.workers or found.leases or found.next_due or found.points_down:
        print_text()
