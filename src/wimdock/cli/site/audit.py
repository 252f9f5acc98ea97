"""`wimdock site audit`: who changed what."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click

from wimdock.cli.columns import print_columns
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import moment, print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.status.options import Since

_EXAMPLES = examples(
    "wimdock site audit",
    "wimdock site audit --action image --since 7d",
    "wimdock site audit --operator alice --object CAS00001 --json",
)


@click.command(epilog=_EXAMPLES)
@click.option("--operator", metavar="NAME", help="Only what this operator did.")
@click.option(
    "--action", metavar="ACTION", help="Only this: image.add, or image for all of image packages."
)
@click.option("--object", "subject", metavar="NAME", help="Only what was done to this.")
@click.option(
    "--since",
    type=Since(),
    metavar="TIME",
    help="Only what is younger: a time, UTC unless it has a zone, or how long ago: 24h, 7d.",
)
@click.option(
    "--last", type=Number(1), default=50, show_default=True, help="How many of the newest."
)
@site_options
@json_option
def audit(
    *,
    operator: str | None,
    action: str | None,
    subject: str | None,
    since: datetime | timedelta | None,
    last: int,
    place: SitePlace,
    as_json: bool,
) -> None:
    """List who changed what, the newest first.

    Every change that somebody asked for is noted together with the change itself.
    """
    from wimdock.site.audit import AuditFilter, list_audit

    with place.opened() as site:
        begin = _moment(since, site.now())
        found = list_audit(site, AuditFilter(operator, action, subject, begin), last)
    if as_json:
        changes = [
            {
                "number": row.id,
                "time": row.at,
                "operator": row.operator,
                "action": row.action,
                "object": row.object,
                "detail": row.detail,
            }
            for row in found
        ]
        print_document("site_audit", {"changes": changes})
        return
    if not found:
        print_text("There is no such change.")
        return
    print_columns(
        ("time", "operator", "action", "object", "detail"),
        [
            (moment(row.at), row.operator, row.action, row.object, _words(row.detail))
            for row in found
        ],
    )


def _moment(since: datetime | timedelta | None, now: datetime) -> datetime | None:
    if isinstance(since, timedelta):
        return now - min(since, now - datetime.min.replace(tzinfo=UTC))
    return since


def _words(detail: dict[str, object]) -> str:
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in detail.items())
