"""The options by which commands ask a Configuration Manager site through its AdminService."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wimdock.cli.options import FILE
from wimdock.errors import UsageError

if TYPE_CHECKING:
    from wimdock.configmgr.site import Site
    from wimdock.events import Reporter

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class AdminServicePlace:
    """What was given of the site to ask, and of who asks; without a URL none is asked."""

    url: str | None
    ca: Path | None
    token_file: Path | None
    user: str

    def asked(self, reporter: Reporter) -> Site | None:
        """Ask the site; the password is asked for where somebody sits at a terminal."""
        if self.url is None:
            return None
        from wimdock.configmgr.admin_service import read_site
        from wimdock.configmgr.authentication import read_credentials

        def ask(question: str) -> str:
            return str(click.prompt(question, hide_input=True, err=True))

        credentials = read_credentials(
            os.environ,
            token_file=self.token_file,
            user=self.user,
            ask=ask if sys.stdin.isatty() else None,
        )
        return read_site(self.url, credentials, ca=self.ca, report=reporter)


def admin_service_options(command: _Command) -> _Command:
    """Take --adminservice, --ca, --token-file and --user, as `service`."""

    @click.option(
        "--adminservice",
        metavar="URL",
        help="Ask a Configuration Manager site for its providers and image packages, such as "
        "https://cm01.contoso.com/AdminService.",
    )
    @click.option(
        "--ca", type=FILE, metavar="FILE", help="The authority that signed the site's certificate."
    )
    @click.option(
        "--token-file",
        type=FILE,
        metavar="FILE",
        help="A file with a bearer token for the site, else WIMDOCK_ADMINSERVICE_TOKEN.",
    )
    @click.option(
        "--user",
        default="",
        metavar="NAME",
        help="Who asks the site, as DOMAIN\\user or user@domain; the password is in "
        "WIMDOCK_ADMINSERVICE_PASSWORD or asked for. Without it, the Kerberos ticket counts.",
    )
    @wraps(command)
    def with_service(
        *,
        adminservice: str | None,
        ca: Path | None,
        token_file: Path | None,
        user: str,
        **others: Any,
    ) -> Any:
        if adminservice is None and (ca or token_file or user):
            message = "--ca, --token-file and --user say how to ask a site, and none is named"
            raise UsageError(message, hint="Name it with --adminservice URL.")
        service = AdminServicePlace(adminservice, ca, token_file, user)
        return command(service=service, **others)

    return with_service  # type: ignore[return-value]
