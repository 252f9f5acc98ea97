"""An address to listen at, as options take it."""

from __future__ import annotations

import click


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
