"""Sending to a webhook: one POST with the JSON document, signed.

Certificates are always verified, redirects never followed, answers not read beyond their status. A
proxy that the environment names (`HTTPS_PROXY`) is used. Only a status from 200 to 299 is a yes.
"""

from __future__ import annotations

import json
import logging
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from wimdock import __version__
from wimdock.configmgr.service_failure import retry_after
from wimdock.site.notifications.delivery_failure import NotSent, of_transport, timed_out
from wimdock.site.notifications.signature import signed_headers
from wimdock.site.settings import Target
from wimdock.site.time_limit import time_limit
from wimdock.site.webhook_key import key_of

WEBHOOK_SECONDS = 15.0
"""So long may one POST take, from the connection to the status."""

_SUCCESSES = range(200, 300)
_REDIRECTS = range(300, 400)
_PORTS = {"http": 80, "https": 443}


def send_webhook(
    target: Target, notice: Mapping[str, Any], now: datetime, seconds: float = WEBHOOK_SECONDS
) -> None:
    """Send a notice; NotSent, which never names the address or the secret, where it fails."""
    import httpx

    host, port = _place(target)
    key = key_of(target.secret)
    if key is None:
        hint = "Give it one in the settings: docs/guide/notifications.md."
        message = f"the webhook {target.name} has no secret to sign with"
        raise NotSent(message, hint=hint)
    body = json.dumps(notice, sort_keys=True).encode("ascii")
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"wimdock/{__version__}",
        **signed_headers(key, str(notice["id"]), int(now.timestamp()), body),
    }
    for name in ("httpx", "httpcore"):  # they would write addresses into this program's log
        logging.getLogger(name).setLevel(logging.WARNING)
    line = _Line()
    with time_limit(seconds, lambda: line.connection) as over:
        try:
            client = httpx.Client(
                verify=ssl.create_default_context(), timeout=seconds, follow_redirects=False
            )
            with (
                line,
                client,
                client.stream(
                    "POST",
                    target.url,
                    content=body,
                    headers=headers,
                    extensions={"trace": line.watch},
                ) as response,
            ):
                status, said = response.status_code, dict(response.headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            # The library's exception holds the request with its address: it goes no further.
            if over.is_set():
                raise timed_out(host, seconds) from None
            raise of_transport(error, host, port, seconds) from None
    if status not in _SUCCESSES:
        raise _of_status(status, said, host, now)


class _Line:
    """The connection below TLS: a handle of our own on it, since the first is the library's."""

    def __init__(self) -> None:
        self.connection: socket.socket | None = None

    def __enter__(self) -> None:
        """Begin without a connection."""

    def __exit__(self, *_: object) -> None:
        line, self.connection = self.connection, None
        if line is not None:
            line.close()

    def watch(self, event: str, facts: Mapping[str, Any]) -> None:
        """Keep hold of the connection; the library tells of each that it makes."""
        if event != "connection.connect_tcp.complete":
            return
        made = facts["return_value"].get_extra_info("socket")
        if self.connection is not None:
            self.connection.close()
        self.connection = made.dup()


def _place(target: Target) -> tuple[str, int]:
    try:
        parts = urlsplit(target.url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in _PORTS:
        message = f"the webhook {target.name} has no address that can be used"
        raise NotSent(message, hint="Write it like https://hooks.contoso.com/wimdock.")
    return host, port or _PORTS[parts.scheme]


def _of_status(status: int, headers: Mapping[str, str], host: str, now: datetime) -> NotSent:
    if status in _REDIRECTS:
        message = f"{host} sends elsewhere (status {status})"
        return NotSent(message, hint="wimdock does not follow: give the final address.")
    wait = retry_after(headers, now.astimezone(UTC))
    message = f"{host} answered with status {status}"
    return NotSent(
        message,
        hint="Look into the log of the receiver.",
        asked=None if wait is None else timedelta(seconds=min(wait, 10**6)),
    )
