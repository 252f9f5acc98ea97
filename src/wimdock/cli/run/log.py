"""`wimdock run log`: the events of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import duration, moment, print_document, print_text, visible
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.models import RunEvent

_EXAMPLES = examples("wimdock run log 12", "wimdock run log 12 --json")


@click.command(epilog=_EXAMPLES)
@click.argument("run_id", type=Number(1), metavar="RUN")
@site_options
@json_option
def log(*, run_id: int, place: SitePlace, as_json: bool) -> None:
    """Print the events of a run, oldest first.

    The site's log, logs/OfflineServicingMgr.log, tells the same in Configuration Manager's words.
    """
    from wimdock.site.runs.listing import run_events

    with place.opened() as site:
        events = run_events(site, run_id)
    if as_json:
        content = {
            "run": run_id,
            "events": [
                {
                    "time": each.at,
                    "kind": each.kind,
                    "step": each.step,
                    "severity": each.severity,
                    "text": each.text,
                    "done": each.done,
                    "total": each.total,
                    "unit": each.unit,
                    "seconds": each.seconds,
                }
                for each in events
            ],
        }
        print_document("run_log", content)
        return
    for each in events:
        line = _line(each)
        if line:
            print_text(f"{moment(each.at)}  {visible(line)}")
    if not events:
        print_text(f"Nothing has happened in run {run_id} yet.")


def _line(event: RunEvent) -> str:
    where = " / ".join(event.step)
    match event.kind:
        case "step_ended":
            said = f": {event.text}" if event.text else ""
            return f"{where}: done in {duration(event.seconds)}{said}"
        case "step_failed":
            return f"{where}: failed after {duration(event.seconds)}"
        case "message":
            return f"{event.severity}: {event.text}"
        case _:
            return ""
