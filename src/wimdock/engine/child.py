"""Child processes: each carries out one function, and none outlives what started it.

They are forked by a server that imported what they need beforehand (`forkserver`), so that one
starts in some milliseconds and inherits neither threads nor connections. A child ends by itself
when its parent dies, however the parent dies: it holds one end of a pipe whose other end only the
parent has. One that is told to end has two seconds to unwind; then it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import wimdock
from wimdock.errors import WimdockError

GRACE_SECONDS = 2.0
"""How long a child may unwind after it was told to end."""

# A process that hangs in the kernel, on a share that is gone, ends when the kernel lets it.
_UNKILLABLE_SECONDS = 5.0
_TOLD_TO_END = 143
_INTERNAL = 70
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a child failed: the class of the error, its words, and wimdock's status for it."""

    kind: str
    message: str
    hint: str = ""
    exit_code: int = _INTERNAL


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended: its status (negative: the signal that ended it) and what it said."""

    status: int
    failure: Failure | None = None

    @property
    def succeeded(self) -> bool:
        """Tell whether the function returned."""
        return self.status == 0

    @property
    def words(self) -> str:
        """Say how it ended, for people."""
        if self.failure is not None:
            return self.failure.message
        if self.status < 0:
            with contextlib.suppress(ValueError):
                return f"its process was ended by {signal.Signals(-self.status).name}"
        return f"its process ended with status {self.status}"


@dataclass(slots=True)
class _Child:
    process: ForkServerProcess
    handle: int
    said: Connection

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(OSError):  # it has ended already
            signal.pidfd_send_signal(self.handle, number)

    @property
    def ended(self) -> bool:
        return bool(wait([self.handle], 0))


class Children:
    """The children of this process; all methods but `kill` belong to one event loop."""

    def __init__(self, preload: Sequence[str] = ()) -> None:
        """Take the names of the modules that every child needs."""
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._running: dict[int, _Child] = {}

    @property
    def pids(self) -> frozenset[int]:
        """The process IDs of those that run now."""
        return frozenset(self._running)

    async def call(self, function: Callable[..., object], *arguments: object) -> Ending:
        """Carry out a function of a module in a child and give how that ended.

        Function and arguments are pickled. When this task is cancelled the child is ended first:
        told to, and killed two seconds later.
        """
        try:
            with self._started(function, arguments) as child:
                try:
                    await _end_of(child)
                except asyncio.CancelledError:
                    child.send(signal.SIGTERM)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(_end_of(child), GRACE_SECONDS)
                    raise
                return self._ending(child)
        except (OSError, EOFError) as error:  # the machine or the fork server has none to give
            text = f"no process can be started: {error}"
            return Ending(_INTERNAL, Failure(type(error).__name__, text))

    def kill(self) -> None:
        """Kill all of them at once."""
        for child in list(self._running.values()):
            child.send(signal.SIGKILL)

    @contextlib.contextmanager
    def _started(
        self, function: Callable[..., object], arguments: tuple[object, ...]
    ) -> Iterator[_Child]:
        """Start a child; at the end of the block there is none any more."""
        heard, said = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_enter, args=(function, arguments, said), daemon=True
        )
        try:
            process.start()
        except BaseException:
            heard.close()
            raise
        finally:
            said.close()
        pid = process.pid or 0
        child = _Child(process, _handle(pid), heard)
        self._running[pid] = child
        try:
            yield child
        finally:
            # Also where the fork server died, from which its end would have been heard.
            child.send(signal.SIGKILL)
            if wait([child.handle], _UNKILLABLE_SECONDS):
                process.join()
            del self._running[pid]
            os.close(child.handle)
            heard.close()

    def _ending(self, child: _Child) -> Ending:
        failure = None
        with contextlib.suppress(EOFError, OSError):
            if child.said.poll():
                failure = child.said.recv()
        child.process.join()
        status = child.process.exitcode
        return Ending(_INTERNAL if status is None else status, failure)


def _handle(pid: int) -> int:
    """Give a descriptor of a process: it can be waited for, and never means another one."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:  # it has ended already: what is at its end looks the same
        reader, writer = os.pipe()
        os.close(writer)
        return reader


async def _end_of(child: _Child) -> None:
    if child.ended:
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(child.handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(child.handle)


# In the child


class _ToldToEnd(BaseException):
    """The child was told to end: unwinds like an interrupt, so that nothing is left."""


def _enter(function: Callable[..., object], arguments: tuple[Any, ...], said: Connection) -> None:
    try:
        os.setpgid(0, 0)  # an interrupt from the keyboard is the parent's affair
        signal.signal(signal.SIGTERM, _unwind)
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
        os._exit(_carry_out(function, arguments, said))
    except _ToldToEnd:
        os._exit(_TOLD_TO_END)


def _carry_out(
    function: Callable[..., object], arguments: tuple[Any, ...], said: Connection
) -> int:
    """Call the function and give the status to end with."""
    try:
        function(*arguments)
    except WimdockError as error:
        words = (error.message[:_LONGEST], error.hint[:_LONGEST], error.exit_code)
        _say(said, Failure(type(error).__name__, *words))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - all that goes wrong is told to the parent
        _say(said, Failure(type(error).__name__, _words_of_fault(error)))
        if os.environ.get("WIMDOCK_DEBUG") == "1":
            traceback.print_exc()
        return _INTERNAL
    return 0


def _say(said: Connection, failure: Failure) -> None:
    with contextlib.suppress(OSError):  # the parent is gone
        said.send(failure)


def _words_of_fault(error: Exception) -> str:
    home = Path(wimdock.__file__).parent
    where = ""
    for frame in traceback.extract_tb(error.__traceback__)[1:]:  # the first is this file
        file = Path(frame.filename)
        if file.is_relative_to(home):
            where = f" in {file.relative_to(home)}, line {frame.lineno}"
    text = " ".join(str(error).split())
    return f"internal error{where}: {type(error).__name__}: {text}"[:_LONGEST]


def _unwind(_signal: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise _ToldToEnd


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)
