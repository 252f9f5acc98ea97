"""An address to listen at, as options take it, and the metrics that are served there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wimdock.site.site import Site


class Address(click.ParamType[tuple[str, int]]):
    """Where to listen: HOST:PORT."""

    name = "address"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Give host and port; an IPv6 address stands in brackets."""
        host, found, port = str(value).rpartition(":")
        number = int(port) if port.isascii() and port.isdigit() and len(port) <= len("65535") else 0
        if not found or not host or not 0 < number < 1 << 16:
            self.fail(f"{str(value)[:60]!r} is not HOST:PORT", param, ctx)
        return host.removeprefix("[").removesuffix("]"), number


def metrics_at(
    site: Site, address: tuple[str, int] | None, health: Callable[[], str]
) -> AbstractContextManager[object]:
    """Serve `/metrics` and `/healthz` while a block lasts; nothing where there is no address."""
    if address is None:
        return nullcontext()
    from wimdock.site.metrics import metrics_server

    return metrics_server(site, *address, health=health)
