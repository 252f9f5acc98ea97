"""Children: what they say, how they are ended, and that none stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from wimdock.engine import child
from wimdock.engine.child import Children, Ending
from wimdock.errors import ImageBusy

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def write_pid(path: Path) -> None:
    path.write_text(str(os.getpid()))


def refuse() -> None:
    message = "somebody works on it"
    raise ImageBusy(message, hint="Wait.")


def stumble() -> None:
    message = "a slip\nof two lines"
    raise ValueError(message)


def sleep(path: Path) -> None:
    write_pid(path)
    time.sleep(60)


def sleep_through_everything(path: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write_pid(path)
    time.sleep(60)


def unwind(path: Path) -> None:
    write_pid(path)
    try:
        time.sleep(60)
    finally:
        path.with_suffix(".unwound").touch()


def call(function: object, *arguments: object) -> Ending:
    return asyncio.run(Children().call(function, *arguments))  # type: ignore[arg-type]


async def pid_in(path: Path) -> int:
    while True:
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text())  # noqa: ASYNC240 - a small file
        await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def cancelled(function: object, path: Path) -> tuple[int, float]:
    """Start a function, cancel it, and give its process ID and how long it took to end."""

    async def run() -> tuple[int, float]:
        children = Children()
        task = asyncio.create_task(children.call(function, path))  # type: ignore[arg-type]
        pid = await pid_in(path)
        assert children.pids == {pid}
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert children.pids == set()
        return pid, time.monotonic() - began

    return asyncio.run(run())


def test_a_function_is_carried_out_in_another_process(tmp_path: Path) -> None:
    assert call(write_pid, tmp_path / "pid").succeeded
    assert int((tmp_path / "pid").read_text()) != os.getpid()


def test_our_errors_arrive_with_their_status() -> None:
    ending = call(refuse)
    assert ending.failure is not None
    assert ending.status == ending.failure.exit_code == ImageBusy.exit_code
    assert (ending.failure.kind, ending.words) == ("ImageBusy", "somebody works on it")
    assert ending.failure.hint == "Wait."


def test_a_fault_arrives_in_one_line_and_not_as_a_traceback() -> None:
    ending = call(stumble)
    assert ending.status == 70
    assert ending.words == "internal error: ValueError: a slip of two lines"


def test_a_child_that_was_killed_says_by_what(tmp_path: Path) -> None:
    async def run() -> Ending:
        task = asyncio.create_task(Children().call(sleep, tmp_path / "pid"))
        os.kill(await pid_in(tmp_path / "pid"), signal.SIGKILL)
        return await task

    ending = asyncio.run(run())
    assert ending.status == -signal.SIGKILL
    assert ending.words == "its process was ended by SIGKILL"


def test_a_child_that_is_told_to_end_unwinds(tmp_path: Path) -> None:
    pid, seconds = cancelled(unwind, tmp_path / "pid")
    assert is_gone(pid)
    assert seconds < child.GRACE_SECONDS
    assert (tmp_path / "pid.unwound").exists()


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    pid, seconds = cancelled(sleep_through_everything, tmp_path / "pid")
    assert is_gone(pid)
    assert child.GRACE_SECONDS <= seconds < child.GRACE_SECONDS + 2


def test_all_can_be_killed_at_once(tmp_path: Path) -> None:
    async def run() -> list[Ending]:
        children = Children()
        paths = [tmp_path / name for name in "ab"]
        tasks = [asyncio.create_task(children.call(sleep, path)) for path in paths]
        for path in paths:
            await pid_in(path)
        children.kill()
        return list(await asyncio.gather(*tasks))

    assert [ending.status for ending in asyncio.run(run())] == [-signal.SIGKILL] * 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_child_outlives_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    program = f"""
        import asyncio, pathlib
        from tests.engine.test_child import sleep
        from wimdock.engine.child import Children
        asyncio.run(Children().call(sleep, pathlib.Path({str(tmp_path / "pid")!r})))
        """
    parent = subprocess.Popen(
        [sys.executable, "-c", dedent(program)], cwd=REPOSITORY, stderr=subprocess.DEVNULL
    )
    pid = asyncio.run(pid_in(tmp_path / "pid"))
    parent.send_signal(number)
    parent.wait()
    deadline = time.monotonic() + child.GRACE_SECONDS + 2
    while not is_gone(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_gone(pid)


def test_where_no_process_can_be_started_a_child_ends_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_process: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.context.ForkServerProcess.start", none_left)
    ending = call(refuse)
    assert ending.status == 70
    assert "no process can be started: [Errno 11]" in ending.words
