"""DBOS Transact as the engine. No other file imports the library, and this one not before `open`.

Its records are a file of their own in the site's folder beside SQLite (`engine.sqlite`), and the
schema `dbos` of the same database on PostgreSQL. What the adapter relies on, each held by the
contract test:

- a workflow ID is executed once, however often it is started: ours is the text of a `RunKey`;
- the result of a step is checkpointed, and a recovered workflow does not repeat it;
- the open-source part recovers only its own executor's workflows when it starts. What a dead one
  left is freed by `_recover_pending_workflows([dead])`: it goes to the internal queue, from which
  any live executor takes it; whoever wrote the row first wins;
- a preemptible step is cancelled within about a second after its workflow is.

Everything runs on one event loop in one thread. Library errors about the database's connection
are waited out inside the library: calls return when the database is back.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from wimdock.engine.port import Course, Relinquished, RunKey
from wimdock.errors import DatabaseUnavailable, EngineError
from wimdock.site.site import Site

if TYPE_CHECKING:
    from dbos import DBOS

SQLITE_NAME = "engine.sqlite"
"""The engine's database in the folder of a site on SQLite."""

VERSION = "1"
"""Grows when the order of checkpoints changes: then older attempts are begun anew, not replayed."""

_NAME = "wimdock"
_WORKFLOW = "run"
_OVER = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_AT_ONCE = 500
_LAUNCH_SECONDS = 120.0
_BEGIN_SECONDS = 10.0
_CLOSE_SECONDS = 15.0

_Result = TypeVar("_Result")


class DbosEngine:
    """The adapter; see `wimdock.engine.port.Engine` for what its methods promise."""

    def __init__(self, site: Site) -> None:
        """Take the site beside which the engine keeps its records."""
        self._url = _url(site)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dbos: type[DBOS] | None = None
        self._tasks: dict[RunKey, asyncio.Task[Any]] = {}
        self._starting: dict[RunKey, asyncio.Event] = {}
        self._changed = threading.Condition()

    def open(self, executor: str, course: Course) -> None:
        """Launch the library under an executor ID, on a loop of its own."""
        _quiet()
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="engine", daemon=True)
        thread.start()
        try:
            self._wait(self._launch(executor, course), _LAUNCH_SECONDS)
        except Exception as error:
            self.close()
            raise _named(error) from error

    async def _launch(self, executor: str, course: Course) -> None:
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        config = DBOSConfig(
            name=_NAME,
            system_database_url=self._url,
            serializer=DBOSPortableJSONSerializer(),
            executor_id=executor,
            application_version=VERSION,
            enable_otlp=False,
            log_level="WARNING" if _debugging() else "CRITICAL",
            sys_db_pool_size=5,
            # Nothing here waits for notifications: the library need not look for any.
            notification_listener_polling_interval_sec=1.0,
            notification_coalesce_sec=1.0,
            scheduler_polling_interval_sec=3600.0,
        )
        DBOS(config=config)
        self._dbos = DBOS

        @DBOS.workflow(name=_WORKFLOW)
        async def run(run_id: int, attempt: int) -> None:
            await self._execute(course, RunKey(run_id, attempt))

        self._workflow = run
        DBOS.launch()

    async def _execute(self, course: Course, key: RunKey) -> None:
        """Execute an attempt; the steps before the last end where one of them says so."""
        from dbos import error as dbos_error

        with self._registered(course, key):
            token = await course.begin(key)
            if token is None:
                return
            try:
                for name in course.steps[:-1]:
                    if not await self._checkpointed(course, key, token, name):
                        break
                await self._checkpointed(course, key, token, course.steps[-1])
            except dbos_error.DBOSWorkflowCancelledError:
                await course.halted(key, token)
                raise

    async def _checkpointed(self, course: Course, key: RunKey, token: int, name: str) -> bool:
        from dbos import DBOS

        options: Any = {"name": name, "preemptible": True}
        return await DBOS.run_step_async(options, course.step, key, token, name)

    @contextmanager
    def _registered(self, course: Course, key: RunKey) -> Iterator[None]:
        task = asyncio.current_task()
        if task is None or key in self._tasks:
            # Two executions of one key: the library lets only the newer one write its outcome.
            raise Relinquished
        with self._changed:
            self._tasks[key] = task
        if key in self._starting:
            self._starting[key].set()
        try:
            yield
        finally:
            with self._changed:
                del self._tasks[key]
                self._changed.notify_all()
            course.ended(key)

    def start(self, key: RunKey) -> bool:
        """Start the workflow of an attempt, unless there is one of its ID."""
        return self._wait(self._start(key))

    async def _start(self, key: RunKey) -> bool:
        from dbos import DBOS, SetWorkflowID

        if await DBOS.get_workflow_status_async(str(key)) is not None:
            return False
        begun = self._starting[key] = asyncio.Event()
        try:
            with SetWorkflowID(str(key)):
                await DBOS.start_workflow_async(self._workflow, key.run_id, key.attempt)
            await asyncio.wait_for(begun.wait(), _BEGIN_SECONDS)
        except TimeoutError:  # another process was quicker to record the ID
            return False
        finally:
            del self._starting[key]
        return True

    def cancel(self, key: RunKey) -> None:
        """Cancel the workflow of an attempt."""
        from dbos import DBOS

        self._wait(DBOS.cancel_workflow_async(str(key)))

    def take_over(self, executor: str) -> list[RunKey]:
        """Put a dead executor's workflows into the internal queue."""
        from dbos import DBOS

        with _our_errors():
            handles = DBOS._recover_pending_workflows([executor])  # noqa: SLF001 - the call site
        found = (RunKey.parse(handle.get_workflow_id()) for handle in handles)
        return [key for key in found if key is not None]

    def running(self) -> frozenset[RunKey]:
        """Give the attempts whose workflow function runs here."""
        with self._changed:
            return frozenset(self._tasks)

    def drain(self, seconds: float) -> bool:
        """Wait until there is none."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._tasks, timeout=max(seconds, 0))

    def forget(self, before: datetime) -> int:
        """Delete workflows that have ended, with their steps."""
        return self._wait(self._forget(before))

    async def _forget(self, before: datetime) -> int:
        from dbos import DBOS

        gone = 0
        while True:
            found = await DBOS.list_workflows_async(
                status=list(_OVER),
                end_time=before.isoformat(),
                limit=_AT_ONCE,
                load_input=False,
                load_output=False,
            )
            if found:
                await DBOS.delete_workflows_async([one.workflow_id for one in found])
            gone += len(found)
            if len(found) < _AT_ONCE:
                return gone

    def close(self) -> None:
        """Cancel what runs here as tasks, not as workflows; then end the library and the loop."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        _end_tasks(loop, list(self._tasks.values()))
        if self._dbos is not None:
            self._dbos.destroy(destroy_registry=True)
            self._dbos = None
        _end_tasks(loop, None)
        loop.call_soon_threadsafe(loop.stop)
        deadline = time.monotonic() + _CLOSE_SECONDS
        while loop.is_running() and time.monotonic() < deadline:
            time.sleep(0.01)
        if not loop.is_running():
            loop.close()

    def _wait(self, work: Coroutine[Any, Any, _Result], seconds: float | None = None) -> _Result:
        if self._loop is None:
            work.close()
            message = "the engine is closed"
            raise EngineError(message)
        with _our_errors():
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)


def _end_tasks(loop: asyncio.AbstractEventLoop, tasks: list[asyncio.Task[Any]] | None) -> None:
    """Cancel tasks and wait for their ends; None stands for all that the loop has."""

    async def end() -> None:
        found = tasks
        if found is None:
            found = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in found:
            task.cancel()
        await asyncio.wait(found, timeout=_CLOSE_SECONDS) if found else None

    asyncio.run_coroutine_threadsafe(end(), loop).result()


def _url(site: Site) -> str:
    if site.database.is_sqlite:
        return f"sqlite:///{site.folder / SQLITE_NAME}"
    return site.database.url.render_as_string(hide_password=False)


def _debugging() -> bool:
    return os.environ.get("WIMDOCK_DEBUG") == "1"


def _quiet() -> None:
    """Keep the library from writing to stderr by itself; WIMDOCK_DEBUG=1 lets it."""
    logger = logging.getLogger("dbos")
    if not logger.handlers and not _debugging():
        logger.propagate = False
        logger.addHandler(logging.NullHandler())


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise _named(error) from error


def _named(error: Exception) -> Exception:
    """Give our error for one of the library's or its database's."""
    if isinstance(error, (DatabaseUnavailable, EngineError)):
        return error
    kinds = {kind.__name__ for kind in type(error).__mro__}
    text = " ".join(str(error).split())[:500]
    if kinds & {"OperationalError", "InterfaceError"}:
        return DatabaseUnavailable(f"the engine's database cannot be used: {text}")
    return EngineError(f"the engine failed: {type(error).__name__}: {text}")
