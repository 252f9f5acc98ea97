"""CBS.log: its records rebuilt into stretches of work without a pause.

Its sessions are interleaved and its records do not say to which they belong, so that time and the
path of the image have to tell one piece of work from the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from wimdock.configmgr.staging import MOUNT_FOLDER, STAGING_FOLDER, staging_place
from wimdock.doctor.logs import Form, Record
from wimdock.doctor.offline_log import place_of
from wimdock.doctor.session import Place, Servicing
from wimdock.doctor.trace import Trace

_START = "initializing trusted installer"
_PAUSE = timedelta(minutes=15)
_MOUNT = re.compile(
    rf"(?:[A-Za-z]:|/[^'\"\s]*?)?[\\/]+{STAGING_FOLDER}[\\/]+[^\\/'\"\s]+[\\/]+{MOUNT_FOLDER}",
    re.IGNORECASE,
)
OUTCOME = re.compile(r"^(?:Exec: Processing complete|Session: \S+ finalized)", re.IGNORECASE)
"""A record in which component servicing says how a piece of work ended, as mere information."""


class CbsLog:
    """Rebuilds the stretches of work from the records of one log, given in order."""

    def __init__(self, family: str, finished: Callable[[Servicing], None]) -> None:
        """Take the log's name and whoever wants the stretches."""
        self._family = family
        self._finished = finished
        self._current: Servicing | None = None

    def add(self, record: Record, order: int, trace: Trace | None) -> None:
        """Take the next record, with its trace where it is worth one."""
        place = place_of(record, order)
        message = record.message
        path = _MOUNT.search(message)
        where = staging_place(path[0]) if path else None
        package = where.package_id if where else ""
        if self._is_new(place, package, message):
            self.close()
        session = self._current or self._new(place)
        session.reaches(place)
        session.package = session.package or package
        session.mount = session.mount or (path[0] if path and package else "")
        session.tells_severity = session.tells_severity or record.form is Form.SERVICING
        if trace is not None:
            session.has_error = session.has_error or trace.failing
            session.traces.add(trace)

    def close(self) -> None:
        """Give out what is left."""
        if self._current is not None:
            self._finished(self._current)
            self._current = None

    def _new(self, place: Place) -> Servicing:
        self._current = Servicing(self._family, place, place)
        return self._current

    def _is_new(self, place: Place, package: str, message: str) -> bool:
        session = self._current
        if session is None:
            return False
        if package and session.package and package != session.package:
            return True
        if _START in message.lower():
            return True
        before, now = session.end.local_time, place.local_time
        return before is not None and now is not None and now - before > _PAUSE
