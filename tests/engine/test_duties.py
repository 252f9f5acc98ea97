"""`wimdock serve` as a process: it imports, executes, distributes, tells, and says how it is."""

from __future__ import annotations

import http.client
import json
import socket
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from tests.engine.dockyard import update_package
from tests.engine.yard import MakeDockyard, has_ended, make_dockyard
from tests.lab.package import write_package
from tests.site.notifications.conftest import KEY, SECRET
from tests.site.notifications.receiver import Receiver
from wimdock.site.distribution import send_to
from wimdock.site.distribution.points import add_point
from wimdock.site.models import (
    ContentState,
    DistributedContent,
    DistributionPoint,
    RunState,
    UpdateRow,
    WatchedFile,
)
from wimdock.site.site import Site
from wimdock.site.updates.watching import watch_folder

__all__ = ["make_dockyard"]

SETTINGS = """
[scheduler]
watch = {watched}
watch_seconds = 1

[metrics]
port = {port}

[[notification]]
name = "ops"
kind = "webhook"
events = ["succeeded"]
url = {url}
secret = {secret}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except ConnectionRefusedError:
        return 0, ""
    finally:
        connection.close()


def let_wait(site: Site, package_id: str, folder: Path) -> None:
    """Send an image package to a point that is down now and, when its time comes, there again."""
    folder.mkdir()
    add_point(site, "shelf", str(folder))
    away = folder.rename(folder.with_name("away"))
    (sent,) = send_to(site, [package_id])
    assert sent.error is not None
    away.rename(folder)
    with site.writing() as session:
        session.execute(update(DistributionPoint).values(retry_at=site.now()))


def let_arrive(site: Site, folder: Path) -> None:
    """Put an update there that has been lying as it is for long enough."""
    folder.mkdir()
    write_package(folder / "arrived.cab", update_package(2))
    assert watch_folder(site, folder) == []
    with site.writing() as session:
        session.execute(update(WatchedFile).values(since=site.now() - timedelta(minutes=1)))


def test_a_service_does_all_that_a_site_needs(make_dockyard: MakeDockyard, tmp_path: Path) -> None:
    yard = make_dockyard(images=2)
    site, [lying, package_id] = yard.site, yard.packages
    shelf, watched, port = tmp_path / "shelf", tmp_path / "watched", free_port()
    let_wait(site, lying, shelf)
    let_arrive(site, watched)

    def updates() -> int:
        with site.reading() as session:
            return len(session.scalars(select(UpdateRow.id)).all())

    def is_current() -> bool:
        with site.reading() as session:
            content = session.scalars(select(DistributedContent)).one()
        return content.state is ContentState.CURRENT

    assert (updates(), is_current()) == (1, False)
    with Receiver() as receiver:
        texts = {"watched": str(watched), "url": receiver.url, "secret": SECRET}
        words = {name: json.dumps(text) for name, text in texts.items()}
        (site.folder / "wimdock.toml").write_text(SETTINGS.format(port=port, **words))
        run_id = yard.add_run(package_id, yard.update_ids)
        service = yard.start_worker(command="serve")
        yard.until(has_ended(yard, run_id))
        yard.until(lambda: updates() == 2 and is_current() and bool(receiver.received))
        assert get(port, "/healthz") == (200, "ok\n")
        assert 'wimdock_runs_ended_total{state="succeeded"} 1' in get(port, "/metrics")[1]
        assert service.end() == 0
    assert yard.run(run_id).state is RunState.SUCCEEDED
    [told] = receiver.received
    assert told.is_signed_with(KEY)
    assert (told.notice["event"], told.notice["run"]["id"]) == ("succeeded", run_id)
    [brought] = shelf.rglob("*.wim")
    assert brought.read_bytes() == yard.file(lying).read_bytes()
    said = service.log.read_text()
    for line in (
        "watched folder: arrived.cab: imported",
        "distribution: brought 1 up to date",
        "notifications: sent 1",
        "the service has ended",
    ):
        assert line in said
    assert SECRET not in said
    assert "KEY-IN-THE-ADDRESS" not in said
    assert get(port, "/healthz") == (0, "")
