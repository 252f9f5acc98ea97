"""The hosts that may have done the work of an incident: the log's, or of the providers given."""

from __future__ import annotations

from collections.abc import Sequence

from wimdock.configmgr.provider import Provider
from wimdock.doctor.incident import Incident
from wimdock.reparse.hosts import Build


def hosts_of(incident: Incident, providers: Sequence[Provider]) -> tuple[Build | None, ...]:
    """Give the builds that may have done the work: the logs', the named provider's, or all.

    A server that a log names and nobody gave may be of any build: then so may the host.
    """
    if incident.host is not None:
        return (incident.host,)
    logged = tuple(dict.fromkeys(each.host for each in incident.commands if each.host is not None))
    if logged:
        return logged
    hosts = [provider for provider in providers if not provider.is_wimdock]
    named = named_providers(incident, hosts)
    builds = [each.build for each in (named or hosts)]
    if builds and not named and is_server(system_of(incident)):
        builds.append(None)
    return tuple(dict.fromkeys(builds))


def is_server(name: str) -> bool:
    """Tell whether this is a name, and no placeholder such as an article has."""
    return bool(name) and not name.startswith("<")


def named_providers(incident: Incident, providers: Sequence[Provider]) -> list[Provider]:
    """Give the providers that have the name of the server that did the work."""
    system = system_of(incident).partition(".")[0].casefold()
    return [
        each
        for each in providers
        if not each.is_wimdock and each.name.partition(".")[0].casefold() == system
    ]


def system_of(incident: Incident) -> str:
    """Give the name of the server as the status messages have it, empty where there is none."""
    if incident.work is None:
        return ""
    messages = (trace.status_message for trace in incident.work.traces)
    named = next((each.system for each in messages if each is not None and each.system), "")
    return named or incident.work.run.system
