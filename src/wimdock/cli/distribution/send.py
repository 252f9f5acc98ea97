"""`wimdock distribution send` and `update`: image packages brought to points, now."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from wimdock.cli.distribution.document import error_content
from wimdock.cli.failure import failures
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import duration, print_document, print_text, size, visible
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.distribution import Sent

_SEND_EXAMPLES = examples(
    "wimdock distribution send CAS00001",
    "wimdock distribution send CAS00001 CAS00002 --to hamburg --to store",
)
_UPDATE_EXAMPLES = examples(
    "wimdock distribution update", "wimdock distribution update CAS00001 --json"
)


@click.command(epilog=_SEND_EXAMPLES)
@click.argument("packages", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--to",
    "points",
    multiple=True,
    metavar="POINT",
    help="A distribution point; may be given several times. All that are enabled unless given.",
)
@site_options
@json_option
def send(
    *, packages: tuple[str, ...], points: tuple[str, ...], place: SitePlace, as_json: bool
) -> int:
    """Send image packages to distribution points.

    The first time the whole file is sent, later what was appended since and the header. What was
    sent is read back at the point and compared before machines see it; whoever reads there
    meanwhile sees the old image or the new one. An interrupted transfer goes on where it stopped.

    Where a point is down or fails, the others get it nevertheless, and it is tried again later by
    `wimdock serve` or a worker. The exit status is that of the first failure.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.distribution import send_to

    with place.opened() as site, Terminal() as terminal:
        done = send_to(site, packages, points, Reporter(terminal))
    return _report(done, as_json=as_json)


@click.command(epilog=_UPDATE_EXAMPLES)
@click.argument("packages", nargs=-1, metavar="[ID]...")
@site_options
@json_option
def update(*, packages: tuple[str, ...], place: SitePlace, as_json: bool) -> int:
    """Bring what distribution points hold up to date, now.

    Each image package, or those that are named, at every enabled point that has it. Points that are
    down are tried too.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.distribution import update as bring_up_to_date

    with place.opened() as site, Terminal() as terminal:
        done = bring_up_to_date(site, packages, Reporter(terminal))
    return _report(done, as_json=as_json)


def _report(done: Sequence[Sent], *, as_json: bool) -> int:
    failed = [failure for each in done if each.error for failure in failures(each.error)]
    for failure in failed:
        for line in failure.lines():
            sys.stderr.write(line + "\n")
    if as_json:
        print_document("distribution_sent", {"sent": [_content(each) for each in done]})
    else:
        if not done:
            print_text("No distribution point that is enabled holds it.")
        for each in done:
            print_text(visible(f"{each.package_id} at {each.point}: {_words(each)}"))
    return failed[0].exit_code if failed else 0


def _words(each: Sent) -> str:
    if each.error is not None:
        return "failed; it is tried again later"
    if each.way is None:
        return each.why
    if each.way.value == "nothing":
        return "has it already"
    names = {"whole": "the whole file", "tail": "what was added", "header": "the header"}
    words = f"{names[each.way.value]}, {size(each.sent)} sent in {duration(each.seconds)}"
    return words + (f", {size(each.reused)} were there already" if each.reused else "")


def _content(each: Sent) -> dict[str, Any]:
    if each.error is not None:
        outcome = "failed"
    elif each.way is None:
        outcome = "elsewhere"
    else:
        outcome = "current" if each.way.value == "nothing" else "sent"
    return {
        "point": each.point,
        "image_package": each.package_id,
        "outcome": outcome,
        "way": each.way,
        "why": each.why,
        "sent_bytes": each.sent,
        "reused_bytes": each.reused,
        "seconds": round(each.seconds, 3),
        "content_version": each.content_version,
        "error": error_content(each.error),
    }
