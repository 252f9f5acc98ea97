"""What the DBOS adapter relies on, shown by processes that are killed, paused and cancelled."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.toy import Toy, ToyCourse
from wimdock.engine.dbos import DbosEngine
from wimdock.engine.port import RunKey
from wimdock.errors import DatabaseUnavailable, EngineError
from wimdock.site.site import Site

KEY = RunKey(1, 1)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    path.touch()
    return path


@pytest.fixture
def start_toy(site: Site, journal: Path) -> Iterator[Callable[[str], Toy]]:
    toys: list[Toy] = []

    def start(executor: str) -> Toy:
        toys.append(Toy(site.folder, executor, journal))
        return toys[-1]

    yield start
    for toy in toys:
        toy.end()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to it"
        time.sleep(0.05)


def lines(journal: Path) -> list[str]:
    return journal.read_text().splitlines()


def child_of(journal: Path, executor: str) -> int:
    def found() -> list[str]:
        return [line for line in lines(journal) if line.startswith(f"{executor} child")]

    until(lambda: bool(found()))
    return int(found()[-1].split()[-1])


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_an_attempt_is_executed_once_however_often_it_is_started(
    start_toy: Callable[[str], Toy], journal: Path
) -> None:
    (journal.parent / "go").touch()
    first, second = start_toy("a"), start_toy("b")
    assert first.ask("start", KEY) == "True"
    assert first.ask("start", KEY) == "False"
    assert second.ask("start", KEY) == "False"
    assert first.ask("drain", 60) == "True"
    assert first.ask("start", KEY) == "False"
    left = [line for line in lines(journal) if " leave " in line]
    assert left == [f"a leave {KEY} {name}" for name in ToyCourse.steps]


def test_what_a_killed_process_left_is_taken_on_after_its_last_checkpoint(
    start_toy: Callable[[str], Toy], journal: Path
) -> None:
    dead, heir, bystander = start_toy("a"), start_toy("b"), start_toy("c")
    assert dead.ask("start", KEY) == "True"
    orphan = child_of(journal, "a")
    dead.process.kill()
    until(lambda: is_gone(orphan), 15)
    (journal.parent / "go").touch()
    assert heir.ask("take_over", "a") == str(KEY)
    assert bystander.ask("take_over", "a") in {"", str(KEY)}
    until(lambda: any(f"leave {KEY} three" in line for line in lines(journal)))
    time.sleep(2.5)  # long enough for a second one to take it from the queue, too
    said = [line.split() for line in lines(journal)]
    (taker,) = {words[0] for words in said if words[1] == "begin" and words[0] != "a"}
    entered = [words[3] for words in said if words[:2] == [taker, "enter"]]
    assert entered == ["two", "three"]
    assert heir.ask("take_over", "a") == ""


def test_a_process_without_work_left_frees_nothing(start_toy: Callable[[str], Toy]) -> None:
    assert start_toy("a").ask("take_over", "nobody") == ""


def test_an_attempt_is_cancelled_from_elsewhere_and_its_child_ends(
    start_toy: Callable[[str], Toy], journal: Path
) -> None:
    first, second = start_toy("a"), start_toy("b")
    assert first.ask("start", KEY) == "True"
    child = child_of(journal, "a")
    second.ask("cancel", KEY)
    asked = time.monotonic()
    until(lambda: is_gone(child), 15)
    assert first.ask("drain", 5) == "True"
    assert time.monotonic() - asked < 5
    assert lines(journal)[-1] == f"a halted {KEY} 1"
    assert first.ask("start", KEY) == "False"


def test_a_paused_process_that_was_taken_over_leaves_no_trace_when_it_wakes(
    start_toy: Callable[[str], Toy], journal: Path
) -> None:
    paused, heir = start_toy("a"), start_toy("b")
    assert paused.ask("start", KEY) == "True"
    child_of(journal, "a")
    paused.process.send_signal(signal.SIGSTOP)
    assert heir.ask("take_over", "a") == str(KEY)
    child_of(journal, "b")
    paused.process.send_signal(signal.SIGCONT)
    (journal.parent / "go").touch()
    assert heir.ask("drain", 60) == "True"
    assert paused.ask("drain", 60) == "True"
    left = [line for line in lines(journal) if " leave " in line]
    assert left == [
        f"a leave {KEY} one",
        f"b leave {KEY} two",
        f"b leave {KEY} three",
    ]


def test_closing_ends_the_child_and_leaves_the_attempt_to_others(
    start_toy: Callable[[str], Toy], journal: Path
) -> None:
    first, second = start_toy("a"), start_toy("b")
    assert first.ask("start", KEY) == "True"
    child = child_of(journal, "a")
    first.ask("close")
    assert is_gone(child)
    (journal.parent / "go").touch()
    assert second.ask("take_over", "a") == str(KEY)
    until(lambda: any(f"b leave {KEY} three" in line for line in lines(journal)))


def test_the_engine_opens_again_in_the_same_process_and_forgets_what_is_over(
    site: Site, journal: Path
) -> None:
    (journal.parent / "go").touch()
    engine = DbosEngine(site)
    for number in (1, 2):
        engine.open(f"executor-{number}", ToyCourse("a", journal))
        assert engine.start(RunKey(number, 1))
        assert engine.drain(20)
        engine.close()
    engine.open("executor-3", ToyCourse("a", journal))
    try:
        assert engine.forget(datetime.now(UTC) - timedelta(hours=1)) == 0
        until(lambda: engine.forget(datetime.now(UTC) + timedelta(hours=1)) == 2, 5)
        assert engine.start(RunKey(1, 1))
    finally:
        engine.close()


def test_a_closed_engine_says_so(site: Site) -> None:
    with pytest.raises(EngineError):
        DbosEngine(site).start(KEY)


def test_a_database_that_is_gone_is_named(
    site: Site, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "wimdock.engine.dbos._url", lambda _site: "postgresql+psycopg://x@127.0.0.1:1/none"
    )
    engine = DbosEngine(site)
    with pytest.raises(DatabaseUnavailable):
        engine.open("a", ToyCourse("a", journal))


def test_a_key_is_read_as_it_is_written() -> None:
    assert RunKey.parse(str(RunKey(17, 3))) == RunKey(17, 3)
    assert RunKey.parse("run-17") is None
