"""Webhooks: signed, over verified TLS, within a time, to nobody else, and no secret in any word."""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from sqlalchemy import select

from tests.conftest import REPOSITORY
from tests.site.conftest import SetClock
from tests.site.notifications.conftest import KEY, SECRET, EndRun, told, webhook
from tests.site.notifications.receiver import Received, Receiver
from wimdock.site.models import RunState
from wimdock.site.models.types import Base
from wimdock.site.notifications import outbox, send_due, send_now
from wimdock.site.notifications.delivery_failure import NotSent
from wimdock.site.notifications.webhook import send_webhook
from wimdock.site.settings import Target
from wimdock.site.site import Site
from wimdock.site.webhook_key import key_of

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
NOTICE = {"id": "0b8c8b8e-0000-4000-8000-000000000001", "event": "failed"}


def refusal(target: Target, seconds: float = 5.0) -> NotSent:
    """Give the error, in whose words and causes no secret may be."""
    with pytest.raises(NotSent) as found:
        send_webhook(target, NOTICE, NOW, seconds)
    error: BaseException | None = found.value
    while error is not None:
        assert "KEY-IN-THE-ADDRESS" not in f"{error!r}{found.value.hint}"
        assert SECRET not in f"{error!r}{found.value.hint}"
        error = None if error.__suppress_context__ else error.__cause__ or error.__context__
    return found.value


def openssl_signature(received: Received) -> str:
    """Compute the signature with another program."""
    content = b".".join(
        (
            received.headers["webhook-id"].encode(),
            received.headers["webhook-timestamp"].encode(),
            received.body,
        )
    )
    option = f"hexkey:{KEY.hex()}"
    digest = subprocess.run(
        ("openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", option, "-binary"),
        input=content,
        capture_output=True,
        check=True,
    ).stdout
    encoded = subprocess.run(
        ("openssl", "base64", "-A"), input=digest, capture_output=True, check=True
    ).stdout
    return f"v1,{encoded.decode()}"


def test_a_webhook_arrives_signed(
    site: Site, end_run: EndRun, authority: trustme.CA, clock: SetClock
) -> None:
    with Receiver(authority) as receiver:
        run_id = end_run(told(site, webhook(receiver.url)))
        assert send_due(told(site, webhook(receiver.url))) == 1
        (received,) = receiver.received
    assert received.path == "/hook/KEY-IN-THE-ADDRESS"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-signature"] == openssl_signature(received)
    assert received.is_signed_with(KEY)
    assert not received.is_signed_with(KEY[1:])
    assert received.headers["webhook-timestamp"] == str(int(clock.now().timestamp()))
    notice = received.notice
    assert received.headers["idempotency-key"] == notice["id"] == received.headers["webhook-id"]
    assert (notice["event"], notice["run"]["id"]) == ("failed", run_id)
    (row,) = outbox(site)
    assert (row.sent_at, row.error) == (clock.now(), "")


def test_every_try_has_the_same_body_and_id_but_its_own_time(
    site: Site, end_run: EndRun, clock: SetClock
) -> None:
    with Receiver(status=503) as receiver:
        site = told(site, webhook(receiver.url))
        end_run(site)
        assert send_due(site) == 0
        receiver.status = 200
        clock.advance(minutes=1)
        assert send_due(site) == 1
        first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 60
    assert second.is_signed_with(KEY)


def test_a_receiver_that_is_busy_is_asked_when_it_wants(
    site: Site, end_run: EndRun, clock: SetClock
) -> None:
    with Receiver(status=429, headers={"retry-after": "7200"}) as receiver:
        site = told(site, webhook(receiver.url))
        end_run(site)
        assert send_now(site).failed == 1
    (row,) = outbox(site)
    assert (row.next_try_at - clock.now()).total_seconds() == 7200
    assert row.error == "localhost answered with status 429"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with Receiver() as other:
        elsewhere = f"http://localhost:{other.port}/KEY-IN-THE-ADDRESS"
        with Receiver(status=status, headers={"location": elsewhere}) as receiver:
            error = refusal(webhook(receiver.url))
            assert error.message == f"localhost sends elsewhere (status {status})"
        assert other.received == []


@pytest.mark.parametrize("status", [400, 401, 404, 410, 500, 502])
def test_only_a_success_is_one(status: int) -> None:
    with Receiver(status=status) as receiver:
        assert refusal(webhook(receiver.url)).message == f"localhost answered with status {status}"
        assert len(receiver.received) == 1


def test_an_authority_that_is_not_trusted(authority: trustme.CA) -> None:
    del authority  # trusted is this one, which signed nothing
    with Receiver(trustme.CA()) as receiver:
        error = refusal(webhook(receiver.url))
        assert "not signed by an authority that is trusted here" in error.message
        assert receiver.received == []


def test_a_certificate_for_another_name(authority: trustme.CA) -> None:
    with Receiver(authority, names=("hooks.example.org",)) as receiver:
        assert "for another name than localhost" in refusal(webhook(receiver.url)).message
        assert receiver.received == []


def test_a_certificate_that_has_expired(authority: trustme.CA) -> None:
    leaf = authority.issue_cert("localhost", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    with Receiver(authority, certificate=leaf) as receiver:
        assert refusal(webhook(receiver.url)).message == "the certificate of localhost has expired"
        assert receiver.received == []


def test_what_speaks_no_tls(authority: trustme.CA) -> None:
    del authority
    with Receiver() as receiver:
        error = refusal(webhook(receiver.url.replace("http:", "https:")))
        assert "does not speak TLS" in error.message


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("how", [{"delay": 30.0}, {"drip": 0.2}])
def test_a_slow_receiver_is_waited_for_only_so_long(
    authority: trustme.CA, how: dict[str, float], *, tls: bool
) -> None:
    with Receiver(authority if tls else None, **how) as receiver:  # type: ignore[arg-type]
        error = refusal(webhook(receiver.url), seconds=0.8)
        assert error.message == "localhost did not answer within 0.8 s"


def test_a_server_that_never_shakes_hands(authority: trustme.CA) -> None:
    del authority
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://localhost:{silent.getsockname()[1]}/KEY-IN-THE-ADDRESS"
        assert "did not answer within 0.5 s" in refusal(webhook(url), seconds=0.5).message


def test_a_server_that_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"http://localhost:{server.getsockname()[1]}/KEY-IN-THE-ADDRESS"
        error = refusal(webhook(url))
        thread.join()
    assert "localhost" in error.message


def test_no_server_and_no_host() -> None:
    error = refusal(webhook("http://127.0.0.1:9/KEY-IN-THE-ADDRESS"))
    assert error.message == "127.0.0.1 refuses connections on port 9"
    error = refusal(webhook("http://wimdock.invalid/KEY-IN-THE-ADDRESS"))
    assert "wimdock.invalid" in error.message


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/KEY-IN-THE-ADDRESS",
        "http://",
        "http://[::1/KEY-IN-THE-ADDRESS",
        "http://localhost:99999/KEY-IN-THE-ADDRESS",
        "",
    ],
)
def test_what_is_no_address(url: str) -> None:
    assert "no address that can be used" in refusal(webhook(url)).message


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", "whsec_abc"])
def test_without_a_key_nothing_is_sent(secret: str) -> None:
    with Receiver() as receiver:
        target = Target(name="ops", kind="webhook", url=receiver.url, secret=secret)
        assert "has no secret to sign with" in refusal(target).message
        assert receiver.received == []


@pytest.mark.parametrize("secret", [SECRET, "correct horse battery"])
def test_the_guide_says_how_to_verify(secret: str) -> None:
    guide = (REPOSITORY / "docs" / "guide" / "notifications.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(guide.split("```python\n")[1].split("```")[0], names)  # noqa: S102 - our own text
    with Receiver() as receiver:
        target = Target(name="ops", kind="webhook", url=receiver.url, secret=secret)
        for age in (0, 200, 400):
            send_webhook(target, NOTICE, datetime.now(UTC) - timedelta(seconds=age))
        found = [names["is_genuine"](secret, r.headers, r.body) for r in receiver.received]
        assert found == [True, True, False]
        (received, *_) = receiver.received
        assert not names["is_genuine"](secret + "BBBB", received.headers, received.body)
        assert not names["is_genuine"](secret, received.headers, received.body + b" ")


def test_secrets_with_and_without_their_prefix() -> None:
    assert key_of(SECRET) == KEY
    assert key_of("correct horse") == b"correct horse"


def test_addresses_and_secrets_show_nowhere(
    site: Site,
    end_run: EndRun,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG), Receiver(status=500) as receiver:
        receiver.headers = {"x-echo": f"{SECRET} {receiver.url}"}
        site = told(site, webhook(receiver.url))
        for _ in range(2):
            end_run(site, RunState.REFUSED)
        send_due(site)
        receiver.status = 200
        send_due(site)
        assert len(receiver.received) == 2
    with site.reading() as session:
        kept = "".join(
            str(row)
            for table in Base.metadata.sorted_tables
            for row in session.execute(select(table))
        )
    logs = "".join(path.read_text() for path in site.logs.iterdir())
    everything = kept + logs + caplog.text + "".join(capfd.readouterr())
    assert "localhost answered with status 500" in everything
    assert "KEY-IN-THE-ADDRESS" not in everything
    assert SECRET.removeprefix("whsec_") not in everything
    assert repr(webhook("http://x/")).count(SECRET) == 0


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        # No host has this name: only a proxy can have been asked.
        send_webhook(webhook("http://hooks.invalid/wimdock"), NOTICE, NOW)
        (received,) = proxy.received
    assert received.path == "http://hooks.invalid/wimdock"
    assert received.is_signed_with(KEY)
