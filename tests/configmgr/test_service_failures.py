"""Each way in which asking a site can fail has its own error, with a hint and without a secret."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import responses
from pathlib import Path

import pytest
import trustme

from tests.configmgr.site_server import JSON, Reply, SiteServer
from wimdock.configmgr import conversation, odata
from wimdock.configmgr.admin_service import read_site
from wimdock.configmgr.authentication import Bearer, Credentials, Negotiated, Secret
from wimdock.configmgr.certificate import trust
from wimdock.configmgr.service_failure import retry_after
from wimdock.configmgr.site import Site
from wimdock.errors import (
    AccessDenied,
    AdminServiceError,
    ServiceUnreachable,
    StorageError,
    UnexpectedAnswer,
    UntrustedCertificate,
    UsageError,
)

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
TOKEN = "s3cr3t-token"  # noqa: S105 - no secret


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[SiteServer]:
    with SiteServer(authority=authority) as running:
        yield running


def read(
    url: str, ca: Path | None, credentials: Credentials | None = None, timeout: float = 5
) -> Site:
    return read_site(url, credentials or Negotiated(), ca=ca, timeout=timeout)


@contextmanager
def listening(
    answer: Callable[[socket.socket], None], done: threading.Event | None = None
) -> Iterator[str]:
    """Run something on a port that is no AdminService, give its address; set `done` at the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://localhost:{listener.getsockname()[1]}"
        finally:
            if done is not None:
                done.set()
            thread.join()


def test_a_host_that_is_not_there() -> None:
    with pytest.raises(ServiceUnreachable, match=r"there is no host cm01\.invalid") as caught:
        read("https://cm01.invalid", None)
    assert caught.value.hresult == 0x80072EE7
    assert "DNS" in caught.value.hint


def test_a_connection_that_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServiceUnreachable, match=f"refuses connections on port {port}"):
        read(f"https://127.0.0.1:{port}", None)


def test_a_server_that_says_nothing() -> None:
    done = threading.Event()

    def answer(_: socket.socket) -> None:
        done.wait(10)

    with (
        listening(answer, done) as url,
        pytest.raises(ServiceUnreachable, match=r"did not answer within 0\.2 s") as caught,
    ):
        read(url, None, timeout=0.2)
    assert caught.value.hresult == 0x80072EE2


def test_a_server_that_hangs_up() -> None:
    with listening(lambda connection: connection.close()) as url, pytest.raises(AdminServiceError):
        read(url, None)


def test_a_server_without_tls() -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(answer) as url, pytest.raises(UnexpectedAnswer, match="does not speak TLS"):
        read(url, None)


def test_a_server_that_speaks_something_else_over_tls(authority: trustme.CA, ca: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(b"220 mail.contoso.com ESMTP\r\n")

    with listening(answer) as url, pytest.raises(UnexpectedAnswer, match="does not speak HTTP"):
        read(url, ca)


@pytest.mark.parametrize(
    "start, drop",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nContent-Type: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
    ],
    ids=["body", "body without an end", "header", "chunk"],
)
def test_a_server_that_drips(start: bytes, drop: bytes, authority: trustme.CA, ca: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    done = threading.Event()

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(start)
            try:
                while not done.wait(0.05):
                    secured.sendall(drop)
            except OSError:
                return

    began = time.monotonic()
    with (
        listening(answer, done) as url,
        pytest.raises(ServiceUnreachable, match="did not answer within"),
    ):
        read(url, ca, timeout=0.5)
    assert time.monotonic() - began < 3


def test_answers_that_take_too_long_together(
    server: SiteServer, ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "LONGEST_CONVERSATION", 0.0)
    with pytest.raises(ServiceUnreachable, match="for all answers together"):
        read(server.url, ca)


def certificate(authority: trustme.CA, kind: str) -> trustme.LeafCert:
    match kind:
        case "expired":
            return authority.issue_cert("localhost", not_before=NOW - 2 * DAY, not_after=NOW - DAY)
        case "not valid yet":
            return authority.issue_cert("localhost", not_before=NOW + DAY, not_after=NOW + 2 * DAY)
        case "for another name":
            return authority.issue_cert("cm01.contoso.com")
        case _:
            return trustme.CA().issue_cert("localhost")


@pytest.mark.parametrize(
    "kind", ["expired", "not valid yet", "for another name", "not signed by an authority"]
)
def test_a_certificate_that_is_not_to_be_trusted(
    kind: str, authority: trustme.CA, ca: Path
) -> None:
    with SiteServer(certificate=certificate(authority, kind)) as server:
        with pytest.raises(UntrustedCertificate, match=kind) as caught:
            read(server.url, ca, Bearer(Secret(TOKEN)))
        assert server.asked == []
    assert caught.value.exit_code == 66
    assert caught.value.hint


def test_the_authorities_of_the_system_do_not_know_the_site(server: SiteServer) -> None:
    with pytest.raises(UntrustedCertificate) as caught:
        read(server.url, None)
    assert "--ca FILE" in caught.value.hint
    assert server.asked == []


def test_checking_cannot_be_switched_off(ca: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    for context in (trust(None), trust(ca)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(trust(ca).get_ca_certs()) == 1


def test_an_authority_as_the_console_exports_it(
    authority: trustme.CA, server: SiteServer, tmp_path: Path
) -> None:
    path = tmp_path / "SMS Issuing.cer"
    path.write_bytes(ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode()))
    assert read(server.url, path).providers


@pytest.mark.parametrize(
    "data", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n", b"\xff" * 100]
)
def test_a_file_without_a_certificate(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="holds no certificate"):
        read("https://localhost:1", path)
    with pytest.raises(StorageError):
        read("https://localhost:1", tmp_path / "none.pem")


@pytest.mark.parametrize(
    "status, kind, text",
    [
        (301, UnexpectedAnswer, "sends elsewhere"),
        (302, UnexpectedAnswer, "sends elsewhere"),
        (307, UnexpectedAnswer, "sends elsewhere"),
        (400, UnexpectedAnswer, "status 400"),
        (403, AccessDenied, "may not read SMS_ProviderLocation"),
        (404, UnexpectedAnswer, "there is no SMS_ProviderLocation"),
        (405, UnexpectedAnswer, "status 405"),
        (429, AdminServiceError, "too busy"),
        (500, AdminServiceError, "failed when asked for SMS_ProviderLocation"),
        (502, ServiceUnreachable, "gateway"),
        (503, AdminServiceError, "too busy"),
        (504, ServiceUnreachable, "gateway"),
    ],
)
def test_every_status_has_its_error(
    status: int,
    kind: type[AdminServiceError],
    text: str,
    server: SiteServer,
    ca: Path,
) -> None:
    headers = {"Location": "https://elsewhere.invalid/", "Retry-After": "3600"}
    server.override = lambda _: (status, headers, responses[status].encode())
    with pytest.raises(AdminServiceError, match=text) as caught:
        read(server.url, ca, Bearer(Secret(TOKEN)))
    assert type(caught.value) is kind
    assert 64 <= caught.value.exit_code <= 68
    assert caught.value.hint
    assert len(server.asked) == 1  # nothing was followed, and nobody waits for an hour


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(
    status: int, server: SiteServer, ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(conversation.Conversation.__init__, "__kwdefaults__", None)
    monkeypatch.setattr(
        conversation.Conversation.__init__, "__kwdefaults__", {"sleep": waits.append}
    )
    replies: list[Reply | None] = [
        (status, {"Retry-After": "7"}, b""),
        (status, {"Retry-After": "soon"}, b""),
    ]
    server.override = lambda _: replies.pop(0) if replies else None
    assert read(server.url, ca).providers
    assert waits == [7.0, 4.0]
    server.override = lambda _: (status, {}, b"")
    with pytest.raises(AdminServiceError, match="too busy"):
        read(server.url, ca)
    assert len(waits) == 4


def test_when_to_come_again() -> None:
    assert retry_after({"retry-after": "120"}) == 120
    at = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
    assert retry_after({"retry-after": "Wed, 01 May 2024 12:00:30 GMT"}, at) == 30
    assert retry_after({"retry-after": "Wed, 01 May 2024 11:00:00 GMT"}, at) == 0
    for value in ("", "-5", "soon", "9" * 30, "Wed, 99 May 2024"):
        assert retry_after({"retry-after": value}, at) is None


def reply(content: object) -> Reply:
    return 200, JSON, json.dumps(content).encode()


@pytest.mark.parametrize(
    "answer, text",
    [
        (
            (200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"),
            "text/html instead of JSON",
        ),
        ((200, {}, b'{"value": []}'), "nothing named instead of JSON"),
        ((200, JSON, b""), "broken or cut off"),
        ((200, JSON, b'{"value": [{"Machine": "CM'), "broken or cut off"),
        ((200, JSON, b"\xff\xfe\x00"), "broken or cut off"),
        ((200, JSON, b"[" * 200_000), "broken or cut off"),
        ((200, JSON, b'{"value": [{"a": ' + b"9" * 5000 + b"}]}"), "broken or cut off"),
        (reply([]), "has no list of rows"),
        (reply({}), "has no list of rows"),
        (reply({"value": {}}), "has no list of rows"),
        (reply({"value": ["CM01"]}), "is no object"),
        (reply({"value": [], "@odata.nextLink": 5}), "is no text"),
    ],
)
def test_an_answer_that_is_none(answer: Reply, text: str, server: SiteServer, ca: Path) -> None:
    server.override = lambda _: answer
    with pytest.raises(UnexpectedAnswer, match=text):
        read(server.url, ca)


def test_an_answer_that_is_cut_off(server: SiteServer, ca: Path) -> None:
    def cut(_: str) -> Reply:
        return 200, JSON | {"Content-Length": "500", "Connection": "close"}, b'{"value": ['

    server.override = cut
    with pytest.raises(AdminServiceError):
        read(server.url, ca)


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.invalid/AdminService/wmi/SMS_ProviderLocation?$skiptoken=1",
        "//elsewhere.invalid/AdminService/wmi/SMS_ProviderLocation?$skiptoken=1",
        "http://localhost:{port}/AdminService/wmi/SMS_ProviderLocation?$skiptoken=1",
        "https://localhost/AdminService/wmi/SMS_ProviderLocation?$skiptoken=1",
        "https://localhost:{port}/Other/wmi/SMS_ProviderLocation?$skiptoken=1",
        "https://localhost:{port}/AdminService/wmi/../../Other",
        "https://localhost:{port}/AdminService/wmi/%2e%2e/%2e%2e/Other",
        "https://localhost:{port}@elsewhere.invalid/AdminService/wmi/x",
        "https://user@localhost:{port}/AdminService/wmi/x",
        "https://localhost:{port}\\\\@elsewhere.invalid/AdminService/wmi/x",
        "https://[::1/AdminService/wmi/x",
        "https://localhost:99999/AdminService/wmi/x",
        "/Other",
        "javascript:alert(1)",
        "https://localhost:{port}/AdminService/wmi/x?\r\nX-Header: 1",
        "x" * 10_000,
    ],
)
def test_the_next_page_is_at_this_server_only(link: str, server: SiteServer, ca: Path) -> None:
    server.override = lambda _: reply(
        {"value": [], "@odata.nextLink": link.replace("{port}", str(server.port))}
    )
    with pytest.raises(UnexpectedAnswer, match="said to be at another place") as caught:
        read(server.url, ca, Bearer(Secret(TOKEN)))
    assert len(server.asked) == 1
    assert TOKEN not in str(caught.value)


def test_pages_in_a_circle(server: SiteServer, ca: Path) -> None:
    server.override = lambda path: reply(
        {
            "value": [],
            "@odata.nextLink": "SMS_ProviderLocation?page=" + ("2" if "1" in path else "1"),
        }
    )
    with pytest.raises(UnexpectedAnswer, match="have no end"):
        read(server.url, ca)
    assert len(server.asked) == 3


def test_pages_without_an_end(
    server: SiteServer, ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odata, "MOST_PAGES", 5)
    server.override = lambda _: reply(
        {"value": [], "@odata.nextLink": f"SMS_ProviderLocation?page={len(server.asked)}"}
    )
    with pytest.raises(UnexpectedAnswer, match="have no end"):
        read(server.url, ca)
    assert len(server.asked) == 5


def test_too_many_rows(server: SiteServer, ca: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odata, "MOST_ROWS", 1)
    with pytest.raises(UnexpectedAnswer, match="has more than 1 rows"):
        read(server.url, ca)


def test_an_answer_that_is_too_large(
    server: SiteServer, ca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "LARGEST_ANSWER", 1 << 20)
    server.override = lambda _: (200, JSON, b" " * (2 << 20))
    with pytest.raises(UnexpectedAnswer, match="answers with more than 1 MiB"):
        read(server.url, ca)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_packed_answers_are_not_unpacked(times: int, server: SiteServer, ca: Path) -> None:
    """Packed twice, a few bytes are gigabytes, and the library would unpack them all at once."""
    body = b" " * (1 << 20)
    for _ in range(times):
        body = gzip.compress(body)
    headers = JSON | {"Content-Encoding": ", ".join(["gzip"] * max(times, 1))}
    server.override = lambda _: (200, headers, body)
    with pytest.raises(UnexpectedAnswer, match="packed form"):
        read(server.url, ca)


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_server_that_repeats_the_secret(status: int, server: SiteServer, ca: Path) -> None:
    said = {"error": {"message": f"Bearer {TOKEN}\r\n is bad \x1b[31m" + "x" * 500}}
    server.override = lambda _: (status, JSON, json.dumps(said).encode())
    with pytest.raises(AdminServiceError) as caught:
        read(server.url, ca, Bearer(Secret(TOKEN)))
    assert TOKEN not in f"{caught.value} {caught.value.hint} {caught.value!r}"
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400
    assert "is bad" in caught.value.message


@pytest.mark.parametrize("before", [0, 150, 194, 199])
def test_no_part_of_the_secret_is_left(before: int, server: SiteServer, ca: Path) -> None:
    secret = "two  blanks, and words"  # noqa: S105 - no secret
    said = {"error": {"message": "x" * before + secret}}
    server.override = lambda _: (500, JSON, json.dumps(said).encode())
    with pytest.raises(AdminServiceError) as caught:
        read(server.url, ca, Negotiated("somebody", Secret(secret)))
    assert "xt" not in caught.value.message
    assert "blanks" not in caught.value.message


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": f"text/{TOKEN}"}, b""),
        (200, JSON, f'{{"{TOKEN}'.encode()),
        (200, JSON, TOKEN.encode() + b"\xff"),
    ],
)
def test_no_secret_is_in_a_traceback(answer: Reply, server: SiteServer, ca: Path) -> None:
    server.override = lambda _: answer
    with pytest.raises(UnexpectedAnswer) as caught:
        read(server.url, ca, Bearer(Secret(TOKEN)))
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("error", ["text", None, {"message": 5}, {"message": None}, []])
def test_an_error_of_another_form(error: object, server: SiteServer, ca: Path) -> None:
    server.override = lambda _: (500, JSON, json.dumps({"error": error}).encode())
    with pytest.raises(AdminServiceError, match=r"status 500\)"):
        read(server.url, ca)


def test_no_proxy_and_no_netrc_of_the_environment(
    server: SiteServer, ca: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password hunter2\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert read(server.url, ca).providers
    assert {authorization for _, authorization in server.asked} == {""}
