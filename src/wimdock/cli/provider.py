"""`wimdock provider`: the hosts that service images the Microsoft way, and what they can commit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wimdock.cli.admin_service_options import AdminServicePlace, admin_service_options
from wimdock.cli.columns import print_summary
from wimdock.cli.options import FILE, examples, json_option
from wimdock.cli.output import Column, count, moment, print_document, print_text, visible
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.errors import UsageError

if TYPE_CHECKING:
    from wimdock.configmgr.provider import Provider as Host
    from wimdock.site.images.verdicts import JudgedPackage
    from wimdock.site.models import Provider

_ABILITIES = ("can_commit", "cannot", "unknown")


@click.group()
def provider() -> None:
    """Keep the hosts that service images, and judge each image package by them.

    A provider is a server with an SMS Provider. Whether it can commit an image package is told from
    its build and from the reparse points of the images, as `wimdock preflight` does.
    """


@provider.command(
    epilog=examples(
        "wimdock provider add CM01=6.3.9600",
        "wimdock provider add 'CM02=Server 2019' CM03=10.0.20348",
    )
)
@click.argument("providers", nargs=-1, required=True, metavar="NAME=BUILD...")
@site_options
@json_option
def add(*, providers: tuple[str, ...], place: SitePlace, as_json: bool) -> None:
    """Add providers, each with the build of its Windows or the name of that."""
    from wimdock.configmgr.provider import parse_provider
    from wimdock.site.providers import add_providers

    hosts = [parse_provider(text) for text in providers]
    with place.opened() as site:
        rows = add_providers(site, hosts)
    if as_json:
        print_document("provider_add", {"providers": [_content(row) for row in rows]})
        return
    for row in rows:
        print_text(f"{visible(row.name)} was added ({_windows(row)})")


@provider.command("list", epilog=examples("wimdock provider list", "wimdock provider list --json"))
@site_options
@json_option
def list_(*, place: SitePlace, as_json: bool) -> None:
    """List the providers, and how many image packages each can commit."""
    from wimdock.site.images.verdicts import judged_packages
    from wimdock.site.providers import host_of, list_providers

    with place.opened() as site:
        rows = list_providers(site)
        packages = judged_packages(site) if rows else []
    counts = [_count(packages, host_of(row)) for row in rows]
    if as_json:
        found = [
            _content(row) | {"image_packages": numbers}
            for row, numbers in zip(rows, counts, strict=True)
        ]
        print_document("providers", {"providers": found})
        return
    if not rows:
        print_text("There is no provider: `wimdock provider add NAME=BUILD` adds one.")
        return
    columns = (
        "provider",
        "windows",
        Column("can commit", right=True),
        Column("cannot commit", right=True),
        Column("unknown", right=True),
        "known from",
        "added",
    )
    print_summary(
        columns,
        [
            (row.name, _windows(row), *numbers.values(), row.source, moment(row.added_at))
            for row, numbers in zip(rows, counts, strict=True)
        ],
    )


def _count(packages: list[JudgedPackage], host: Host) -> dict[str, int]:
    found = [package.verdict(host).ability.name.lower() for package in packages]
    return {word: found.count(word) for word in _ABILITIES}


@provider.command(
    epilog=examples("wimdock provider show CM01", "wimdock provider show CM01 --json")
)
@click.argument("name", metavar="NAME")
@site_options
@json_option
def show(*, name: str, place: SitePlace, as_json: bool) -> None:
    """Show a provider, and for each image package whether it can commit it, and why."""
    from wimdock.servicing.preflight.document import verdict_content
    from wimdock.site.images.verdicts import judged_packages
    from wimdock.site.providers import host_of, provider_of

    with place.opened() as site:
        with site.reading() as session:
            row = provider_of(session, name)
        packages = judged_packages(site)
    host = host_of(row)
    verdicts = [package.verdict(host) for package in packages]
    if as_json:
        found = [
            {"id": package.id, "name": package.name}
            | verdict_content(verdict)
            | {
                "images": [
                    {"index": image.index, "name": image.name} | verdict_content(each)
                    for image, each in zip(package.images, package.verdicts(host), strict=True)
                ]
            }
            for package, verdict in zip(packages, verdicts, strict=True)
        ]
        print_document("provider", _content(row) | {"image_packages": found})
        return
    print_text(f"{visible(row.name)}: {_windows(row)}, known from {visible(row.source)}")
    if not packages:
        print_text("There is no image package.")
        return
    print_text()
    print_summary(
        ("id", "name", "verdict", "because"),
        [
            (package.id, package.name, verdict.ability.value, verdict.reason)
            for package, verdict in zip(packages, verdicts, strict=True)
        ],
    )


@provider.command(epilog=examples("wimdock provider remove CM01"))
@click.argument("name", metavar="NAME")
@site_options
@json_option
def remove(*, name: str, place: SitePlace, as_json: bool) -> None:
    """Remove a provider."""
    from wimdock.site.providers import remove_provider

    with place.opened() as site:
        row = remove_provider(site, name)
    if as_json:
        print_document("provider_remove", {"provider": _content(row)})
        return
    print_text(f"{visible(row.name)} was removed")


@provider.command(
    "import",
    epilog=examples(
        "wimdock provider import --providers hosts.csv",
        "wimdock provider import --adminservice https://cm01.contoso.com/AdminService",
    ),
)
@click.option(
    "--providers",
    "listed",
    type=FILE,
    metavar="FILE",
    help="A list of hosts: CSV with the columns name and build, or JSON.",
)
@admin_service_options
@site_options
@json_option
def import_(
    *, listed: Path | None, service: AdminServicePlace, place: SitePlace, as_json: bool
) -> None:
    """Take over the providers of a list, or of a Configuration Manager site.

    Those that are known get the build that the list says; none is removed.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.configmgr.provider import read_providers
    from wimdock.events import Reporter
    from wimdock.site.providers import import_providers

    if listed is None and service.url is None:
        message = "neither a list nor a site was named"
        raise UsageError(message, hint="Name one: --providers FILE or --adminservice URL.")
    hosts: list[Host] = [] if listed is None else list(read_providers(listed))
    with Terminal() as terminal:
        asked = service.asked(Reporter(terminal))
    hosts += asked.providers if asked is not None else ()
    with place.opened() as site:
        found = import_providers(site, hosts)
    if as_json:
        content = {
            "added": list(found.added),
            "changed": list(found.changed),
            "unchanged": list(found.unchanged),
        }
        print_document("provider_import", content)
        return
    print_text(
        f"{count(len(found.added), 'provider')} added, {len(found.changed)} changed, "
        f"{len(found.unchanged)} as they were"
    )


def _windows(row: Provider) -> str:
    from wimdock.site.providers import host_of

    build = host_of(row).build
    return "not known" if build is None else build.name


def _content(row: Provider) -> dict[str, Any]:
    from wimdock.site.providers import host_of

    build = host_of(row).build
    return {
        "name": row.name,
        "build": None if build is None else str(build),
        "build_name": None if build is None else build.name,
        "source": row.source,
        "added": row.added_at,
    }
