"""`wimdock update applicability`: which updates are for which images, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import Column, print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.updates.judging import JudgedUpdate

_EXAMPLES = examples(
    "wimdock update applicability",
    "wimdock update applicability CAS00001 --update 16777217",
    "wimdock update applicability CAS00001 --plan",
)


@click.command(epilog=_EXAMPLES)
@click.argument("package_ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--update",
    "update_ids",
    type=Number(1),
    multiple=True,
    metavar="UPDATE",
    help="Only this update; may be given several times.",
)
@click.option(
    "--plan",
    is_flag=True,
    help="Read image and update files and plan, as a run does, in its order; writes nothing.",
)
@site_options
@json_option
def applicability(
    *,
    package_ids: tuple[str, ...],
    update_ids: tuple[int, ...],
    plan: bool,
    place: SitePlace,
    as_json: bool,
) -> None:
    """Show which updates are for which images.

    For every image of the image packages, and every update that is not retired: whether it is
    applicable, installed already, superseded or not applicable, and why. That is judged by the
    packages that the image had when it was read last, and by the parents that the update asks for;
    the plan of a run has the last word.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.updates.judging import applicability as judge
    from wimdock.site.updates.judging import plan_updates

    with place.opened() as site:
        if plan:
            with Terminal() as terminal:
                found = plan_updates(site, package_ids, update_ids, Reporter(terminal))
        else:
            found = judge(site, package_ids, update_ids)
    if as_json:
        content = {"planned": plan, "results": [_content(each) for each in found]}
        print_document("update_applicability", content)
        return
    if not found:
        print_text("There is no image package, or no update, to judge.")
        return
    columns = (
        "image package",
        Column("index", right=True),
        Column("update", right=True),
        "state",
        "title",
        "reason",
    )
    print_summary(
        columns,
        [
            (each.package_id, each.index, each.update_id, _state(each), each.title, each.reason)
            for each in found
        ],
    )


def _state(judged: JudgedUpdate) -> str:
    if judged.unsupported and judged.state == "applicable":
        return "applicable, but unsupported"
    return judged.state


def _content(judged: JudgedUpdate) -> dict[str, object]:
    return {
        "image_package": judged.package_id,
        "index": judged.index,
        "image": judged.image,
        "update": judged.update_id,
        "title": judged.title,
        "identity": judged.identity,
        "state": judged.state,
        "reason": judged.reason,
        "hresult": None if judged.hresult is None else f"0x{judged.hresult:08X}",
        "unsupported_count": judged.unsupported,
    }
