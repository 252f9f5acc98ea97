"""A Configuration Manager site, asked through the AdminService of one of its providers.

Read are the servers that host an SMS Provider and their Windows, the image packages and what is in
them. Nothing is written. `docs/reference/adminservice.md` says what the account needs.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from wimdock.configmgr.authentication import Credentials
from wimdock.configmgr.conversation import Conversation
from wimdock.configmgr.odata import ODataService, literal
from wimdock.configmgr.provider import Provider
from wimdock.configmgr.site import (
    Row,
    Site,
    build_of,
    build_of_system,
    image_package,
    number,
    site_images,
    text,
)
from wimdock.errors import AccessDenied, UsageError
from wimdock.events import Reporter
from wimdock.reparse.hosts import Build

_PORT = 443
_NAME = "AdminService"
_HINT = "Write it like https://cm01.contoso.com/AdminService."
_MOST_SYSTEMS = 100


def read_site(
    url: str,
    credentials: Credentials,
    *,
    ca: Path | None = None,
    timeout: float = 30.0,
    report: Reporter | None = None,
) -> Site:
    """Ask a site for its providers, image packages and images.

    `url` is the AdminService of any provider, `ca` the certificate of the authority that signed its
    certificate, `timeout` the seconds that one answer may take. Raises UsageError where `url` is no
    such address, and the classes below AdminServiceError for each way in which asking can fail.
    """
    address = _address(url)
    host, port = address.hostname or "", address.port or _PORT
    reporter = report or Reporter()
    with (
        reporter.step(f"Asking the site at {host}") as step,
        Conversation(host, port, credentials, ca=ca, timeout=timeout) as conversation,
    ):
        service = ODataService(conversation, f"{address.geturl()}/wmi")
        site = Site(
            address.geturl(),
            _providers(service, host),
            tuple(image_package(row) for row in service.rows("SMS_ImagePackage")),
            site_images(service.rows("SMS_ImageInformation")),
        )
        step.result = (
            f"providers: {len(site.providers)}, image packages: {len(site.image_packages)}, "
            f"images: {len(site.images)}"
        )
    return site


def _address(url: str) -> SplitResult:
    """Check the address of an AdminService and give it without a slash at its end."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        message = "the address of the AdminService holds a user or a password"
        raise UsageError(
            message, hint="Leave it out: docs/reference/adminservice.md says where to."
        )
    printable = url.strip().isascii() and url.strip().isprintable() and " " not in url.strip()
    if parts.scheme != "https" or not host or port == 0 or not printable:
        message = f"{_shown(url)} is no https address of an AdminService"
        raise UsageError(message, hint=_HINT)
    if parts.query or parts.fragment:
        message = "the address of the AdminService holds a query"
        raise UsageError(message, hint=_HINT)
    path = parts.path.rstrip("/")
    for route in ("/wmi", "/v1.0"):
        if path.lower().endswith(f"{_NAME.lower()}{route}"):
            path = path[: -len(route)]
    if not path:
        path = f"/{_NAME}"
    if not path.lower().endswith(f"/{_NAME.lower()}") or "/.." in path:
        message = f"{_shown(url)} does not end with /{_NAME}"
        raise UsageError(message, hint=_HINT)
    return parts._replace(path=path)


def _shown(url: str) -> str:
    """Give an address for a message: without what may be a secret in it, however it is written."""
    return "this" if "@" in url else repr(re.split(r"[?#]", url.strip())[0][:100])


def _providers(service: ODataService, host: str) -> tuple[Provider, ...]:
    """Give every server that hosts an SMS Provider, each once, with its build where it is known."""
    found: dict[str, Provider] = {}
    for row in service.rows("SMS_ProviderLocation"):
        name = text(row, "Machine", required=True)
        if name.lower() not in found:
            build, source = _windows_of(service, name)
            site = text(row, "SiteCode", required=True)
            found[name.lower()] = Provider(name, build, site, source)
    if not found:
        # The server that answers hosts a provider itself: an empty list is one that is hidden.
        message = f"{host} names no SMS Provider to this account"
        raise AccessDenied(message)
    return tuple(found.values())


def _windows_of(service: ODataService, machine: str) -> tuple[Build | None, str]:
    """Give the build of a server, None where the site does not know it, and where that is from."""
    short = machine.partition(".")[0]
    rows = [
        row
        for row in service.rows("SMS_R_System", where=f"Name eq {literal(short)}")
        if _is_of(row, machine)
    ][:_MOST_SYSTEMS]
    build, member = build_of_system(rows)
    if build is not None and member != "OperatingSystemNameandVersion":
        return build, f"the site, SMS_R_System.{member}"
    exact = _inventoried(service, rows)
    if exact is not None:
        return exact, "the site, SMS_G_System_OPERATING_SYSTEM.Version"
    return (
        build,
        f"the site, SMS_R_System.{member} (no build: taken for its oldest)" if build else "",
    )


def _is_of(row: Row, machine: str) -> bool:
    """Tell whether a row of SMS_R_System is of a server: another domain may have the same name."""
    names = row.get("ResourceNames")
    known = (
        {name.lower() for name in names if isinstance(name, str)} if isinstance(names, list) else ()
    )
    full = [name for name in known if "." in name]
    return "." not in machine or not full or machine.lower() in full


def _inventoried(service: ODataService, rows: list[Row]) -> Build | None:
    """Give the oldest build that hardware inventory knows of the systems in `rows`."""
    identifiers = {number(row, "ResourceID") for row in rows if not number(row, "Obsolete")}
    found = [
        build
        for identifier in sorted(each for each in identifiers if each is not None)
        for row in service.rows(
            "SMS_G_System_OPERATING_SYSTEM", where=f"ResourceID eq {identifier}"
        )
        if (build := build_of(text(row, "Version")))
    ]
    return min(found, default=None)
