"""`wimdock preflight`: what would stop a run of Configuration Manager, known before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wimdock.cli.admin_service_options import AdminServicePlace, admin_service_options
from wimdock.cli.failure import EXIT_BLOCKED, EXIT_UNCERTAIN
from wimdock.cli.options import FILE, examples, image_argument, indexes_option, json_option
from wimdock.cli.output import print_document

if TYPE_CHECKING:
    from wimdock.configmgr.provider import Provider
    from wimdock.reparse.hosts import Build

_EXAMPLES = examples(
    "wimdock preflight golden.wim --provider CM01=6.3.9600 --provider 'CM02=Server 2019'",
    "wimdock preflight golden.wim --update kb5031356.cab --staging /mnt/d --providers hosts.csv",
    "wimdock preflight golden.wim --index 1 --provider wimdock",
    "wimdock preflight golden.wim --adminservice https://cm01.contoso.com/AdminService",
    "wimdock preflight golden.wim --json | jq -r .readiness",
)


@click.command(epilog=_EXAMPLES)
@image_argument
@indexes_option(default="all")
@click.option(
    "--update",
    "updates",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="An update that is to go in; may be given several times, in order.",
)
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME=BUILD",
    help="A host with an SMS Provider, such as CM01=6.3.9600 or 'CM01=Server 2012 R2'; CM01 alone "
    "where its Windows is not known; wimdock for wimdock itself. May be given several times.",
)
@click.option(
    "--providers",
    "list_of_providers",
    type=FILE,
    metavar="FILE",
    help="A list of hosts: CSV with the columns name and build, or JSON.",
)
@click.option(
    "--staging",
    type=FILE,
    metavar="DIR",
    help="The drive or folder where a run stages, as this machine sees it.",
)
@admin_service_options
@json_option
def preflight(
    *,
    image: Path,
    index: int | None,
    updates: tuple[Path, ...],
    providers: tuple[str, ...],
    list_of_providers: Path | None,
    staging: Path | None,
    service: AdminServicePlace,
    as_json: bool,
) -> int:
    """Say before a run what would stop it: host by host, check by check.

    Looks at the reparse points of each image and judges every host that may service it; at the
    updates, the free space, the staging folder, what is mounted or left over, and what is pending
    in the image. Every problem is named, with what to do and the failure that it would become.
    Nothing is changed anywhere.

    Without a host, one of each server build is judged as an example. The exit status is 0 where
    every host can commit and no check failed, 58 where one cannot or a check failed, and 59 where
    something could not be judged.
    """
    from wimdock.cli import preflight_text
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.servicing.options import surroundings
    from wimdock.servicing.preflight.document import content
    from wimdock.servicing.preflight.report import Readiness
    from wimdock.servicing.preflight.run import PreflightOptions
    from wimdock.servicing.preflight.run import preflight as look

    named = _named(providers, list_of_providers)
    with Terminal() as terminal:
        reporter = Reporter(terminal)
        site = service.asked(reporter)
        options = PreflightOptions(
            indexes=() if index is None else (index,),
            updates=updates,
            hosts=_each_once((*named, *(site.providers if site else ()))),
            staging=staging,
            site=site,
        )
        report = look(image, options, surroundings(reporter))
    if as_json:
        print_document("preflight", content(report))
    else:
        preflight_text.print_report(report)
    return {
        Readiness.READY: 0,
        Readiness.BLOCKED: EXIT_BLOCKED,
        Readiness.UNCERTAIN: EXIT_UNCERTAIN,
    }[report.readiness]


def _named(providers: tuple[str, ...], listed: Path | None) -> tuple[Provider, ...]:
    """Give the hosts that the command line and a file name."""
    from wimdock.configmgr.provider import parse_provider, read_providers

    found = tuple(parse_provider(text) for text in providers)
    return found if listed is None else (*found, *read_providers(listed))


def _each_once(hosts: tuple[Provider, ...]) -> tuple[Provider, ...]:
    """Give hosts once each: the first that was named, but one whose build is known before others.

    Two of one name with different builds stay two: nobody here can tell which is right.
    """
    known = {host.name.lower() for host in hosts if host.build is not None}
    found: dict[tuple[str, Build | None, bool], Provider] = {}
    for host in hosts:
        if host.build is not None or host.name.lower() not in known:
            found.setdefault((host.name.lower(), host.build, host.is_wimdock), host)
    return tuple(found.values())
