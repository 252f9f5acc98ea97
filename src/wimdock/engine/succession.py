"""Dead workers, and what becomes of their runs.

Exactly one worker buries a dead one: from then on the leases of the dead are void. What it was
executing is freed in the engine, and goes on elsewhere after its last checkpoint. Runs that nobody
takes on within some seconds, because the engine knows nothing of them or the worker that buried
them died too, go back to their queue.
"""

from __future__ import annotations

from contextlib import suppress

from wimdock.engine.offer import has_died
from wimdock.engine.port import Engine
from wimdock.errors import DatabaseUnavailable, EngineError
from wimdock.site.messages.report import say
from wimdock.site.messages.table import RUN_TAKEN_OVER, WORKER_DEAD
from wimdock.site.models import WorkerRow
from wimdock.site.runs.queue import HeartbeatWatch, bury, requeue_orphans
from wimdock.site.runs.watching import list_workers
from wimdock.site.site import Site

ORPHAN_SECONDS = 10.0
"""How long a dead worker's run may wait for another to take it on."""


class Succession:
    """Watches the other workers for one of them."""

    def __init__(self, site: Site, engine: Engine, worker_id: str) -> None:
        """Begin to watch; nobody counts as silent before a lease's time from now."""
        self._site = site
        self._engine = engine
        self._worker_id = worker_id
        self._watch = HeartbeatWatch()

    def forget(self) -> None:
        """Begin anew, where it was not the others that were silent but this worker that was deaf.

        After the database, or this process, was away for a while.
        """
        self._watch = HeartbeatWatch()

    def look(self) -> list[WorkerRow]:
        """Look once, bury who is dead, and give those that this call buried."""
        others = [one for one in list_workers(self._site) if one.id != self._worker_id]
        dead = {one.id: one for one in self._watch.overdue(others)}
        dead |= {one.id: one for one in others if has_died(one, self._site.host)}
        buried = [one for one in dead.values() if self._bury(one)]
        requeue_orphans(self._site, ORPHAN_SECONDS)
        return buried

    def _bury(self, worker: WorkerRow) -> bool:
        left = bury(self._site, worker.id)
        if left is None:
            return False
        # What the engine cannot free goes back to its queue in a while: no reason to end here.
        with suppress(EngineError, DatabaseUnavailable):
            self._engine.take_over(worker.id)
        say(self._site, WORKER_DEAD, worker.id, worker.host)
        for claim in left:
            say(
                self._site,
                RUN_TAKEN_OVER,
                claim.run_id,
                claim.package_id,
                worker.id,
                run_id=claim.run_id,
                package_id=claim.package_id,
            )
        return True
