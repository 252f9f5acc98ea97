"""`/metrics` for Prometheus, served by workers and by the service of a site."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wimdock.errors import WimdockError
from wimdock.files import storage_error
from wimdock.site.site import Site

_SLOWEST_CLIENT = 10


@contextmanager
def metrics_served(site: Site, address: tuple[str, int] | None) -> Iterator[int]:
    """Serve the metrics of a site while the block lasts and give the port; None serves none.

    StorageError where the address cannot be had. Port 0 takes any that is free.
    """
    if address is None:
        yield 0
        return
    try:
        server = _Server(address, _handler(site))
    except OSError as error:
        raise storage_error(error, f"{address[0]}:{address[1]}") from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    from wimdock.site.metrics import CONTENT_TYPE, metrics_text  # its library is heavy

    class Handler(BaseHTTPRequestHandler):
        server_version = "wimdock"
        sys_version = ""
        timeout = _SLOWEST_CLIENT

        def do_GET(self) -> None:
            """Answer /metrics; nothing else is here."""
            if self.path.partition("?")[0] != "/metrics":
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"Only /metrics is here.\n")
                return
            try:
                body = metrics_text(site)
            except WimdockError as error:
                text = f"{error.message}\n".encode()
                self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", text)
                return
            self._answer(HTTPStatus.OK, CONTENT_TYPE, body)

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Say nothing of each question."""

    return Handler
