"""The providers of the site: hosts that service images the Microsoft way, and their builds.

Names are compared as Windows compares those of hosts, without case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from wimdock.configmgr.provider import WIMDOCK
from wimdock.configmgr.provider import Provider as Host
from wimdock.errors import AlreadyRecorded, NoSuchRecord, UsageError
from wimdock.reparse.hosts import Build
from wimdock.site.models import Provider, SiteRow
from wimdock.site.site import Site
from wimdock.site.stored_text import storable_text

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class ImportedProviders:
    """What came of a list of hosts: the names of each kind."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


def host_of(row: Provider) -> Host:
    """Give the host that a row stands for; its build is None where nobody said it."""
    return Host(row.name, Build.parse(row.build) if row.build else None, source=row.source)


def hosts_of(session: Session) -> tuple[Host, ...]:
    """Give the site's providers as hosts, by name."""
    return tuple(host_of(row) for row in session.scalars(_by_name()))


def list_providers(site: Site) -> list[Provider]:
    """Give the site's providers, by name."""
    with site.reading() as session:
        return list(session.scalars(_by_name()))


def provider_of(session: Session, name: str, *, lock: bool = False) -> Provider:
    """Give a provider by its name; NoSuchRecord where there is none such."""
    found = _find(session, name, lock=lock)
    if found is None:
        message = f"there is no provider {name[:80]}"
        raise NoSuchRecord(message, hint="`wimdock provider list` names them all.")
    return found


def add_providers(site: Site, hosts: Sequence[Host]) -> list[Provider]:
    """Add providers, all or none.

    UsageError for one without a build, AlreadyRecorded where there is one of such a name.
    """
    for host in hosts:
        _check_name(host)
        if host.build is None:
            message = f"the Windows of {host.name} is not said, by which it would be judged"
            hint = f"Give its build: wimdock provider add '{host.name}=Server 2019', or =10.0.17763"
            raise UsageError(message, hint=hint)
    rows = []
    with site.writing() as session:
        _one_at_a_time(session)
        for host in hosts:
            if _find(session, host.name) is not None:
                message = f"there is a provider {host.name} already"
                hint = "Remove it first: wimdock provider remove."
                raise AlreadyRecorded(message, hint=hint)
            row = _add(site, session, host)
            site.note(session, "provider.add", row.name, build=row.build, source=row.source)
            rows.append(row)
    return rows


def import_providers(site: Site, hosts: Iterable[Host]) -> ImportedProviders:
    """Take over a list of hosts: all or, where one cannot be taken, none.

    One that is known gets the build of the list, unless the list does not say it. One that the list
    names twice counts once, with the build where one of them has it.
    """
    listed: dict[str, Host] = {}
    for host in hosts:
        _check_name(host)
        known = listed.get(host.name.lower())
        if known is None or known.build is None:
            listed[host.name.lower()] = host
    added, changed, unchanged = [], [], []
    with site.writing() as session:
        _one_at_a_time(session)
        for host in listed.values():
            row = _find(session, host.name, lock=True)
            if row is None:
                added.append(_add(site, session, host).name)
            elif host.build is None or row.build == str(host.build):
                unchanged.append(row.name)
            else:
                row.build, row.source = str(host.build), storable_text(host.source)
                changed.append(row.name)
        if added or changed:
            site.note(session, "provider.import", "", added=added, changed=changed)
    return ImportedProviders(tuple(added), tuple(changed), tuple(unchanged))


def remove_provider(site: Site, name: str) -> Provider:
    """Remove a provider and give it; NoSuchRecord where there is none of this name."""
    with site.writing() as session:
        row = provider_of(session, name, lock=True)
        session.delete(row)
        site.note(session, "provider.remove", row.name, build=row.build, source=row.source)
    return row


def _by_name() -> Select[Provider]:
    return select(Provider).order_by(func.lower(Provider.name), Provider.id)


def _find(session: Session, name: str, *, lock: bool = False) -> Provider | None:
    # Databases differ in which letters have a lower case: SQLite knows those of ASCII.
    wanted = storable_text(name).lower()
    known = session.execute(select(Provider.id, Provider.name))
    found = next((number for number, each in known if each.lower() == wanted), None)
    return None if found is None else session.get(Provider, found, with_for_update=lock or None)


def _one_at_a_time(session: Session) -> None:
    """Let nobody else add a provider before this transaction ends."""
    session.get(SiteRow, 1, with_for_update=True)


def _check_name(host: Host) -> None:
    if host.name.lower() == WIMDOCK:
        message = "wimdock itself is no provider: it is judged with every image package anyway"
        raise UsageError(message, hint="Name the hosts that service with Configuration Manager.")
    if len(host.name) > _LONGEST_NAME:
        message = f"{host.name[:40]}... is no name of a host: it is longer than 255 characters"
        raise UsageError(message)


def _add(site: Site, session: Session, host: Host) -> Provider:
    row = Provider(
        name=storable_text(host.name),
        build="" if host.build is None else str(host.build),
        source=storable_text(host.source),
        added_at=site.now(),
    )
    session.add(row)
    session.flush()
    return row
