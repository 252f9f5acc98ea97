"""A web server on loopback that receives webhooks, well or badly, with or without TLS."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import trustme


@dataclass(frozen=True, slots=True)
class Received:
    """One POST as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def notice(self) -> dict[str, Any]:
        """Give the JSON document."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def is_signed_with(self, key: bytes) -> bool:
        """Verify the signature as docs/guide/notifications.md tells receivers to."""
        content = b"%s.%s.%s" % (
            self.headers["webhook-id"].encode(),
            self.headers["webhook-timestamp"].encode(),
            self.body,
        )
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        given = self.headers["webhook-signature"].split()
        return any(hmac.compare_digest(f"v1,{expected}", each) for each in given)


@dataclass
class Receiver:
    """The server; `with Receiver() as receiver` runs it. Change its fields to change what it does.

    `delay` is in seconds before the answer, `drip` between the bytes of the answer's head.
    """

    authority: trustme.CA | None = None
    names: tuple[str, ...] = ("localhost", "127.0.0.1")
    certificate: trustme.LeafCert | None = None
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    before_answer: Callable[[], None] = lambda: None
    received: list[Received] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Run, on a free port."""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        if self.authority is not None:
            leaf = self.certificate or self.authority.issue_cert(*self.names)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            leaf.configure_cert(context)
            self._server.context = context
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, seconds: float) -> None:
        """Wait, or until the server is stopped."""
        self._ended.wait(seconds)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """An address of it, with what must not show anywhere."""
        scheme = "http" if self.authority is None else "https"
        return f"{scheme}://localhost:{self.port}/hook/KEY-IN-THE-ADDRESS"


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    receiver: Receiver
    context: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Speak TLS in the thread of the connection."""
        with suppress(OSError, ValueError):  # whoever asked trusts us not, or waits no longer
            if self.context is None:
                super().finish_request(request, client_address)
                return
            request.settimeout(10)
            with self.context.wrap_socket(request, server_side=True) as encrypted:
                super().finish_request(encrypted, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        """Keep what came, and answer."""
        receiver = self.server.receiver
        length = int(self.headers["content-length"])
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.received.append(Received(self.path, headers, self.rfile.read(length)))
        receiver.before_answer()
        receiver.wait(receiver.delay)
        lines = [f"HTTP/1.1 {receiver.status} said", "content-length: 0", "connection: close"]
        lines += [f"{name}: {value}" for name, value in receiver.headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        self.close_connection = True
        if not receiver.drip:
            self.wfile.write(head)
            return
        for byte in head:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(receiver.drip)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""
