"""`wimdock run watch`: runs followed until they have ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import print_document, print_text, visible
from wimdock.cli.run.listing import run_content
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.terminal import Terminal

if TYPE_CHECKING:
    from wimdock.site.models import Run

_POLL = 0.5
_EXAMPLES = examples("wimdock run watch 12", "wimdock run watch 12 13 --json")


@click.command(epilog=_EXAMPLES)
@click.argument("run_ids", type=Number(1), metavar="RUN...", nargs=-1, required=True)
@site_options
@json_option
def watch(*, run_ids: tuple[int, ...], place: SitePlace, as_json: bool) -> int:
    """Watch runs until they have ended, with what happens in them.

    The exit status is that of the first run that did not succeed.
    """
    from wimdock.site.runs.following import Follower

    with place.opened() as site, Terminal() as terminal:
        follower = Follower(site, list(dict.fromkeys(run_ids)))
        while True:
            for event in follower.look():
                terminal(event)
            if follower.ended:
                break
            time.sleep(_POLL)
    return print_endings(follower.runs, as_json=as_json)


def print_endings(runs: list[Run], *, as_json: bool) -> int:
    """Say how runs ended, and give the exit status: of the first that did not succeed."""
    if as_json:
        print_document("runs", {"runs": [run_content(run) for run in runs]})
    else:
        for run in runs:
            _print_ending(run)
    return exit_status(runs)


def exit_status(runs: list[Run]) -> int:
    """Give the exit status of the first run that did not succeed, 0 where all did or still go."""
    failed = (run for run in runs if run.state.ended and run.state.value != "succeeded")
    return next((int(run.error.get("exit_code", 1)) or 1 for run in failed), 0)


def _print_ending(run: Run) -> None:
    what = f": generation {run.generation}" if run.generation else ""
    print_text(f"run {run.id} of {run.package_id}: {run.state.value}{what}")
    if run.error:
        hresult = run.error.get("hresult")
        code = "" if hresult is None else f" (0x{hresult:08X})"
        print_text(f"  {visible(run.error['message'])}{code}")
        for reason in run.error.get("reasons", ()):
            print_text(f"    - {visible(reason)}")
        if run.error["hint"]:
            print_text(f"  what to do: {visible(run.error['hint'])}")
