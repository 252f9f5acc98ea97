"""The site's log: `logs/OfflineServicingMgr.log`, and on request the same as JSON lines.

Every process of the site appends to the same files, each record in one write under a lock; at the
size that the settings give a file is renamed, `.lo_` and `.old.jsonl`. Times are UTC. Lines of the
component SMS_OFFLINE_SERVICING_MANAGER are known literally from public logs; what wimdock adds is
of the component WIMDOCK. All lines of a run have the run's number for their thread, whatever
process wrote them, so that the log can be read run by run.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from wimdock.clock import iso_utc
from wimdock.configmgr import StatusMessage, format_status_message
from wimdock.configmgr.status_message import COMPONENT, OWN_COMPONENT
from wimdock.errors import StorageError
from wimdock.site.messages.table import LOG_LOST, TABLE, name_of, text_of
from wimdock.site.models import StatusMessageRow
from wimdock.site.site import Site

if TYPE_CHECKING:
    from wimdock.doctor.logs.appending import LogEnd
    from wimdock.doctor.logs.server_form import ServerLog

LOG_NAME = "OfflineServicingMgr.log"
JSON_NAME = "wimdock.jsonl"

_JSON_ARCHIVE = ".old.jsonl"
_KIB = 1024


class SiteLog:
    """The log, open for appending: a context manager.

    A log that cannot be written stops nothing: what it lost is told by a status message, LOG_LOST,
    when it is closed. Never close it within a transaction.
    """

    def __init__(self, site: Site, thread: int | None = None, run_id: int | None = None) -> None:
        """Take the site, and of which run the lines are; nothing is opened yet."""
        self._site = site
        self._run_id = run_id
        number = run_id if thread is None else thread
        self._thread = threading.get_native_id() if number is None else number
        self._stack = ExitStack()
        self._server: ServerLog | None = None
        self._json: LogEnd | None = None
        self._lost = 0
        self._trouble: StorageError | None = None

    @property
    def run_id(self) -> int | None:
        """The run whose lines these are."""
        return self._run_id

    @property
    def thread(self) -> int:
        """The number that the lines have for their thread."""
        return self._thread

    def __enter__(self) -> Self:
        """Open the log."""
        # Most commands of a site write none: they do without the doctor's room.
        from wimdock.doctor.logs.appending import LogEnd
        from wimdock.doctor.logs.server_form import ServerLog

        settings = self._site.settings.log
        most = settings.size * _KIB
        logs = self._site.logs
        try:
            server = ServerLog(
                logs / LOG_NAME, COMPONENT, self._site.clock, thread=self._thread, most=most
            )
            self._stack.callback(server.close)
            self._server = server
            if settings.json:
                end = LogEnd(logs / JSON_NAME, most=most, archive=_JSON_ARCHIVE)
                self._stack.callback(end.close)
                self._json = end
        except StorageError as error:
            self._trouble = error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self._stack.close()
        self._server = self._json = None
        if self._lost and self._trouble is not None:
            self._tell_of_loss(self._trouble)

    def line(self, text: str) -> None:
        """Write a line that is known literally from Configuration Manager's log."""
        self._write(text, COMPONENT, self._site.now())

    def own(self, text: str) -> None:
        """Write a line of wimdock's own."""
        self._write(text, OWN_COMPONENT, self._site.now())

    def status(self, row: StatusMessageRow) -> None:
        """Write the STATMSG line of a status message; what one of ours says goes before it."""
        if row.component == OWN_COMPONENT:
            self._write(text_of(row), OWN_COMPONENT, row.at)
        self._write(format_status_message(_message(row)), row.component, row.at, row)

    def _write(
        self, text: str, component: str, at: datetime, row: StatusMessageRow | None = None
    ) -> None:
        try:
            if self._server is not None:
                self._server.write(text, component=component, at=at)
            else:
                self._lost += 1
            if self._json is not None:
                self._json.append(self._record(text, component, at, row))
        except StorageError as error:
            self._lost += 1
            self._trouble = error

    def _record(self, text: str, component: str, at: datetime, row: StatusMessageRow | None) -> str:
        """Give a record as a line of JSON, in ASCII."""
        record: dict[str, Any] = {
            "time": iso_utc(at, "milliseconds"),
            "component": component,
            "site": self._site.code,
            "host": self._site.host,
            "process": os.getpid(),
            "run": self._run_id,
            "message": text,
        }
        if row is not None:
            kind = TABLE.get(row.message_id)
            record["status_message"] = {
                "id": row.message_id,
                "severity": row.severity.value,
                "name": name_of(kind) if kind else None,
                "image_package": row.package_id,
                "schedule": row.schedule_id,
                "strings": row.strings,
            }
        return json.dumps(record) + "\n"

    def _tell_of_loss(self, trouble: StorageError) -> None:
        from wimdock.site.messages.report import report

        lost, self._lost = self._lost, 0
        with self._site.writing() as session:
            file = self._site.logs / LOG_NAME
            report(self._site, session, LOG_LOST, lost, file, trouble, run_id=self._run_id)


def _message(row: StatusMessageRow) -> StatusMessage:
    """Give the status message of a row."""
    kind = TABLE.get(row.message_id)
    return StatusMessage(
        id=row.message_id,
        severity=row.severity.value,
        source=kind.source if kind else OWN_COMPONENT,
        component=row.component,
        system=row.machine,
        site=row.site_code,
        pid=row.pid,
        tid=row.tid,
        time=row.at,
        insertions=tuple(row.strings),
    )
