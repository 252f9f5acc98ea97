"""The small web server of `/metrics` and `/healthz`, for whoever watches a site.

It tells no secret, and asks for none: by default only this machine reaches it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sqlalchemy import select

from wimdock.errors import SettingsError, SiteError
from wimdock.site.metrics.exposition import CONTENT_TYPE, metrics_text
from wimdock.site.models import SiteRow
from wimdock.site.site import Site
from wimdock.site.time_limit import time_limit

KEPT_SECONDS = 2.0
"""So long the same text is given again: many that ask at once ask the database once."""

_MOST_CONNECTIONS = 32
_REQUEST_SECONDS = 20.0
"""So long may a request take, from the connection to the last byte of the answer."""

_SILENT_SECONDS = 10.0
_PLAIN = "text/plain; charset=utf-8"

Health = Callable[[], str]
"""Gives what is wrong with a process in a few words, or ""."""


class MetricsServer:
    """What is served: the site's metrics, kept for a moment, and whether it is well."""

    def __init__(self, site: Site, health: Health | None = None) -> None:
        """Take the site, and what the process that serves knows of its own health."""
        self._site = site
        self._health = health
        self._lock = threading.Lock()
        self._text = b""
        self._made = -KEPT_SECONDS
        self.host = ""
        self.port = 0

    @property
    def url(self) -> str:
        """The address of the metrics."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    def metrics(self) -> bytes:
        """Give the text, not older than a moment."""
        with self._lock:
            if time.monotonic() - self._made >= KEPT_SECONDS:
                self._text = metrics_text(self._site)
                self._made = time.monotonic()
            return self._text

    def trouble(self) -> str:
        """Give what is wrong in a few words, or ""."""
        try:
            with self._site.reading() as session:
                session.scalar(select(SiteRow.id))
        except SiteError:
            return "the database does not answer"
        return self._health() if self._health else ""


@contextmanager
def metrics_server(
    site: Site, host: str = "127.0.0.1", port: int = 0, *, health: Health | None = None
) -> Iterator[MetricsServer]:
    """Serve `/metrics` and `/healthz` as long as the block lasts; port 0 takes any that is free.

    SettingsError where the address cannot be listened on.
    """
    served = MetricsServer(site, health)
    server = _listen(served, host, port)
    served.host, served.port = server.server_address[0], server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="metrics", daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _listen(served: MetricsServer, host: str, port: int) -> _Server:
    message = f"metrics cannot be served at {host}, port {port}"
    hint = "Choose another address or port in [metrics] of the settings."
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return _Server(served, family, address)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no address"
        message = f"{message}: {reason}"
        raise SettingsError(message, hint=hint) from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    server_address: tuple[str, int]

    def __init__(self, served: MetricsServer, family: int, address: Any) -> None:
        self.address_family = socket.AddressFamily(family)
        self.served = served
        self._room = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Listen, and leave alone the name server, which the library would ask for our name."""
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, unless too many answer already."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started
            self._room.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then make room; whoever asks byte by byte is cut off, too."""
        try:
            with time_limit(_REQUEST_SECONDS, lambda: request):
                super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _SILENT_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Answer a question."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            try:
                text = self.server.served.metrics()
            except Exception as error:  # noqa: BLE001 - whoever watches must see that it fails
                words = f"metrics cannot be told: {type(error).__name__}\n"
                self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, _PLAIN, words.encode())
            else:
                self._answer(HTTPStatus.OK, CONTENT_TYPE, text)
        elif path == "/healthz":
            trouble = self.server.served.trouble()
            status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK
            self._answer(status, _PLAIN, f"{trouble or 'ok'}\n".encode())
        else:
            self._answer(HTTPStatus.NOT_FOUND, _PLAIN, b"There is /metrics and /healthz.\n")

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def _answer(self, status: HTTPStatus, kind: str, text: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Keep no log of who asks."""
