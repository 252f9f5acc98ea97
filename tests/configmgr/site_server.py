"""A server on loopback that speaks the OData of an AdminService, well or badly, over TLS.

It knows `$filter` with one `eq`, and pages with `@odata.nextLink`; it asks for a bearer
token or for NTLM, with or without Negotiate around it, and keeps what it was asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, quote, urlsplit

import spnego
import spnego.channel_bindings
import trustme

Row = dict[str, object]
Reply = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""

JSON = {"Content-Type": "application/json; odata.metadata=minimal; charset=utf-8"}


def provider_location(machine: str, site: str = "CAS") -> Row:
    return {
        "@odata.etag": "FC1",
        "__LAZYPROPERTIES": [],
        "Machine": machine,
        "NamespacePath": f"\\\\{machine}\\root\\sms\\site_{site}",
        "ProviderForLocalSite": True,
        "SiteCode": site,
    }


def image_information(package: str, index: int | None = 1, **members: object) -> Row:
    return {
        "PackageID": package,
        "Index": index,
        "Name": "Windows 10 Enterprise",
        "OSVersion": "10.0.19045.3803",
        "Architecture": "x64",
        "Language": "en-US",
        "Size": 15032385536,
        "PackageType": 257,
    } | members


def site_classes() -> dict[str, list[Row]]:
    """Give the classes of a small site: two providers, two image packages, a boot image."""
    return {
        "SMS_ProviderLocation": [
            provider_location("CM01.contoso.com"),
            provider_location("CM02.contoso.com"),
        ],
        "SMS_R_System": [
            {"Name": "CM01", "ResourceID": 16777219, "Build": "6.3.9600", "Obsolete": 0},
            {"Name": "CM02", "ResourceID": 16777220, "BuildExt": "10.0.17763.5329"},
            {"Name": "PC0001", "ResourceID": 16777221, "Build": "10.0.19045"},
        ],
        "SMS_G_System_OPERATING_SYSTEM": [],
        "SMS_ImagePackage": [
            {"PackageID": "CAS00123", "Name": "Golden", "PkgSourcePath": r"\\cm01\src\golden.wim"},
            {"PackageID": "CAS00124", "Name": "Kiosk", "PkgSourcePath": r"\\cm01\src\kiosk.wim"},
        ],
        "SMS_ImageInformation": [
            image_information("CAS00124", 1),
            image_information("CAS00123", 2, Name="Windows 10 Pro"),
            image_information("CAS00123", 1),
            image_information("CAS00001", 1, Name="Boot", PackageType=258),
        ],
    }


@dataclass
class SiteServer:
    """The server; `with SiteServer() as server` runs it. Change its fields to change what it does.

    `override` gives the whole reply to a request instead of the OData, or None to go on.
    """

    classes: dict[str, list[Row]] = field(default_factory=site_classes)
    authority: trustme.CA = field(default_factory=trustme.CA)
    names: Sequence[str] = ("localhost", "127.0.0.1")
    certificate: trustme.LeafCert | None = None
    token: str = ""
    scheme: str = ""
    bind_channel: bool = False
    page: int = 100
    override: Callable[[str], Reply | None] = lambda _path: None
    asked: list[tuple[str, str]] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        """Run, on a free port."""
        leaf = self.certificate or self.authority.issue_cert(*self.names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        self.binding = b"tls-server-end-point:" + hashlib.sha256(der).digest()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.site = self
        self._server.context = context
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/AdminService"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def reply(self, target: str) -> Reply:
        """Answer a question as an AdminService does."""
        parts = urlsplit(target)
        name = parts.path.removeprefix("/AdminService/wmi/")
        if name not in self.classes:
            return 404, JSON, _error("No HTTP resource was found that matches the request.")
        options = {key: values[0] for key, values in parse_qs(parts.query).items()}
        rows = self.classes[name]
        if "$filter" in options:
            member, _, value = options["$filter"].split(" ", 2)
            wanted = value.strip("'").replace("''", "'").lower()
            rows = [row for row in rows if str(row.get(member, "")).lower() == wanted]
        start = int(options.get("$skiptoken", 0))
        content: Row = {
            "@odata.context": f"{self.url}/wmi/$metadata#{name}",
            "value": rows[start : start + self.page],
        }
        if start + self.page < len(rows):
            options["$skiptoken"] = str(start + self.page)
            query = "&".join(f"{key}={quote(value)}" for key, value in options.items())
            content["@odata.nextLink"] = f"{self.url}/wmi/{name}?{query}"
        return 200, JSON, json.dumps(content).encode()


def _error(message: str) -> bytes:
    return json.dumps({"error": {"code": "", "message": message}}).encode()


class _Server(ThreadingHTTPServer):
    site: SiteServer
    context: ssl.SSLContext
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 10

    def setup(self) -> None:
        # The handshake belongs to this connection's thread, not to the one that accepts.
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()
        self.server.site.connections += 1

    def handle(self) -> None:
        self.negotiation: spnego.ContextProxy | None = None
        super().handle()

    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""

    def do_GET(self) -> None:
        site = self.server.site
        authorization = self.headers.get("Authorization", "")
        site.asked.append((self.path, authorization))
        status, headers, body = (
            self._refusal(authorization) or site.override(self.path) or site.reply(self.path)
        )
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def _refusal(self, authorization: str) -> Reply | None:
        site = self.server.site
        if site.token and authorization != f"Bearer {site.token}":
            return 401, {"WWW-Authenticate": 'Bearer realm="site", error="invalid_token"'}, b""
        if not site.scheme or (self.negotiation and self.negotiation.complete):
            return None
        return self._negotiated(site, authorization)

    def _negotiated(self, site: SiteServer, authorization: str) -> Reply | None:
        if not authorization:
            return 401, {"WWW-Authenticate": site.scheme}, b"<html>Unauthorized</html>"
        if self.negotiation is None:
            bindings = None
            if site.bind_channel:
                bindings = spnego.channel_bindings.GssChannelBindings(application_data=site.binding)
            self.negotiation = spnego.server(
                protocol=site.scheme.lower(), channel_bindings=bindings
            )
        try:
            token = self.negotiation.step(base64.b64decode(authorization.partition(" ")[2]))
        except spnego.exceptions.SpnegoError:
            return 401, {"WWW-Authenticate": site.scheme}, b""
        if self.negotiation.complete:
            return None
        out = base64.b64encode(token or b"").decode()
        return 401, {"WWW-Authenticate": f"{site.scheme} {out}"}, b""
