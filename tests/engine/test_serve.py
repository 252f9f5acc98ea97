"""A service and a heart whose work fails in ways that nobody foresaw."""

from __future__ import annotations

import threading

import pytest

from wimdock.engine import serve
from wimdock.engine.heart import Heart
from wimdock.engine.offer import WorkerOptions
from wimdock.engine.serve import Service
from wimdock.errors import EngineError
from wimdock.events import Event, Reporter
from wimdock.site.site import Site


def test_an_error_in_the_worker_stops_no_duty_and_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Event] = []
    troubles: list[str] = []
    lives = 0

    class Stumbling:
        """A worker that ends by an error in wimdock, but for the third time."""

        trouble = ""

        def __init__(self, *_arguments: object) -> None:
            pass

        def run(self) -> None:
            nonlocal lives
            lives += 1
            if lives == 3:
                service.stop()
                return
            message = "a slip"
            raise KeyError(message)

        def stop(self, *, at_once: bool = False) -> None:
            pass

    def hear(event: Event) -> None:
        said.append(event)
        troubles.append(service.trouble)

    monkeypatch.setattr(serve, "Worker", Stumbling)
    monkeypatch.setattr(serve, "_FIRST_PAUSE", 0.0)
    service = Service(site, WorkerOptions(), Reporter(hear))
    service.run()
    assert lives == 3
    text = "worker: an error in wimdock itself: KeyError: 'a slip'"
    assert [event.text for event in said].count(text) == 2
    assert text in troubles
    assert said[-1].text == "the service has ended"


def test_a_heart_that_cannot_beat_ends_its_worker(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slip(*_arguments: object) -> bool:
        message = "a slip"
        raise ValueError(message)

    monkeypatch.setattr("wimdock.engine.heart.heartbeat", slip)
    lost = threading.Event()
    heart = Heart(site, "w", seconds=0.01, lease=30, lost=lost.set)
    heart.start()
    assert lost.wait(30)
    with pytest.raises(EngineError, match="a slip"):
        heart.check()
    heart.stop()
