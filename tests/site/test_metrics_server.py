"""Serving metrics: to many at once, with the database away, and at no address but that named."""

from __future__ import annotations

import dataclasses
import http.client
import socket
import threading
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.site.test_metrics import values
from wimdock.errors import SettingsError
from wimdock.site.database import Database, sqlite_url
from wimdock.site.metrics import CONTENT_TYPE, metrics_server, server
from wimdock.site.site import Site


def lost(site: Site, tmp_path: Path) -> Site:
    """Give the site with a database that cannot be reached."""
    return dataclasses.replace(site, database=Database(sqlite_url(tmp_path / "no" / "folder")))


def test_a_database_that_is_away(site: Site, tmp_path: Path) -> None:
    away = lost(site, tmp_path)
    found = values(away)
    assert found["wimdock_database_up"] == 0
    assert "wimdock_schedules_due" not in found
    assert found["process_open_fds"] > 0
    with metrics_server(away) as served:
        assert get(served.port, "/healthz")[0] == 503
        assert get(served.port, "/metrics")[0] == 200
    away.database.close()


def get(port: int, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def test_serving(site: Site) -> None:
    with metrics_server(site) as served:
        assert served.url == f"http://127.0.0.1:{served.port}/metrics"
        status, headers, text = get(served.port, "/metrics")
        assert (status, headers["Content-Type"]) == (200, CONTENT_TYPE)
        assert {each.name for each in text_string_to_metric_families(text)} >= {"wimdock_runs"}
        assert "Server" not in headers
        assert get(served.port, "/healthz")[0::2] == (200, "ok\n")
        assert get(served.port, "/metrics?x=1", "HEAD")[0::2] == (200, "")
        assert get(served.port, "/")[0] == 404
        assert get(served.port, "/metrics", "POST")[0] == 501
    with pytest.raises(ConnectionRefusedError):
        get(served.port, "/metrics")


def test_a_process_that_is_not_well(site: Site) -> None:
    trouble = ["the scheduler stands still"]
    with metrics_server(site, health=lambda: trouble[0]) as served:
        assert get(served.port, "/healthz")[0::2] == (503, "the scheduler stands still\n")
        trouble[0] = ""
        assert get(served.port, "/healthz")[0] == 200


def test_many_ask_at_once_and_some_say_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(each: Site) -> bytes:
        asked.append(each)
        return b"# nothing\n"

    monkeypatch.setattr("wimdock.site.metrics.server.metrics_text", counted)
    with metrics_server(site) as served:
        silent = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(20)]
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(get(served.port, "/metrics")[0]))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for each in silent:
            each.close()
    assert found == [200] * 8
    assert len(asked) == 1


def test_who_asks_byte_by_byte_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 0.3)
    with (
        metrics_server(site) as served,
        socket.create_connection(("127.0.0.1", served.port)) as slow,
    ):
        slow.settimeout(0.1)
        for _ in range(200):
            try:
                slow.sendall(b"G")
                if not slow.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("it was never cut off")


def test_a_fault_is_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Site) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("wimdock.site.metrics.server.metrics_text", broken)
    with metrics_server(site) as served:
        assert get(served.port, "/metrics")[0::2] == (
            500,
            "metrics cannot be told: ZeroDivisionError\n",
        )


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1", ""])
def test_an_address_that_cannot_be_listened_on(site: Site, host: str) -> None:
    if not host:
        with (
            metrics_server(site) as served,
            pytest.raises(SettingsError, match="in use"),
            metrics_server(site, "127.0.0.1", served.port),
        ):
            pass
        return
    with pytest.raises(SettingsError, match="cannot be served"), metrics_server(site, host):
        pass
