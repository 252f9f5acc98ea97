"""`wimdock run cancel`: runs ended, with their images as they were."""

from __future__ import annotations

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.run.listing import run_content
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples("wimdock run cancel 12", "wimdock run cancel 12 13 --json")


@click.command(epilog=_EXAMPLES)
@click.argument("run_ids", type=Number(1), metavar="RUN...", nargs=-1, required=True)
@site_options
@json_option
def cancel(*, run_ids: tuple[int, ...], place: SitePlace, as_json: bool) -> None:
    """Cancel runs: the image stays as it was. Where one of them cannot be, none is.

    A run that waits is cancelled at once; one that goes on is stopped by its worker within seconds.
    One that has committed already ends as succeeded: `wimdock image rollback` undoes it.
    """
    from wimdock.site.runs.cancel import cancel_runs

    with place.opened() as site:
        runs = cancel_runs(site, run_ids)
    if as_json:
        print_document("runs", {"runs": [run_content(run) for run in runs]})
        return
    for run in runs:
        if run.state.ended:
            print_text(f"run {run.id} of {run.package_id} is cancelled")
        else:
            print_text(f"run {run.id} of {run.package_id} is being stopped")
