"""wimdock's own runs in OfflineServicingMgr.log, rebuilt from its own lines and status messages.

wimdock marks its lines by the component WIMDOCK and gives all lines of a run the run's number for
their thread. How a run ended, and what failed in it, are status messages of wimdock's own range;
the line before each says the same in words. Nothing here depends on the rules: what those describe
happens to Windows hosts.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from wimdock.configmgr.status_message import OWN_COMPONENT, OWN_IDS, RUN_STARTED, StatusMessage
from wimdock.doctor.logs import Record
from wimdock.doctor.session import ImageWork, OwnRun, Place, Run
from wimdock.doctor.trace import Trace, Traces

RUN_SUCCEEDED = 42000
RUN_FAILED = 42001
RUN_CANCELLED = 42002
RUN_TIMED_OUT = 42003
IMAGE_LOCKED = 42004
RUN_REFUSED = 42005
UPDATE_FAILED = 42007
RUN_RETRIED = 42010
RUN_MISSED = 42011

ENDS = frozenset(
    {
        RUN_SUCCEEDED,
        RUN_FAILED,
        RUN_CANCELLED,
        RUN_TIMED_OUT,
        IMAGE_LOCKED,
        RUN_REFUSED,
        RUN_MISSED,
    }
)
"""The status messages of a run's end: insertion strings 0 and 1 are run and image package."""

_MOST_NOTES = 20
_MOST_THREADS = 1000
_START = re.compile(r"Run (\d{1,19}) started\b")
_SCHEDULE = re.compile(r"Processing started for Schedule with ID (\d+)")
_FILE = re.compile(r"Image file='([^'\r\n]{1,1024})'")
_PACKAGE = re.compile(r"Processing image package: ([A-Z0-9]{3}[0-9A-F]{5})\b")
_COMMITTED = re.compile(r"Committed generation (\d{1,9}):")
_REMEDY = re.compile(r"What to do: (.{1,2000})", re.DOTALL)
_FAILED_UPDATE = re.compile(r"Failed to install update with ID (\d{1,12}) on the image")
_OVER = "Updated history for image package "


class OwnThreads:
    """The threads of wimdock's own in one log: those that wrote a line of its component."""

    def __init__(self, family: str, finished: Callable[[ImageWork], None]) -> None:
        """Take the log's name and whoever wants the work."""
        self._family = family
        self._finished = finished
        self._threads: dict[int | None, OwnThread] = {}

    def takes(self, record: Record) -> bool:
        """Tell whether a record is of such a thread."""
        if record.component == OWN_COMPONENT:
            return True
        return record.thread is not None and record.thread in self._threads

    def add(self, record: Record, place: Place, trace: Trace | None) -> None:
        """Take the next record of any of them."""
        number = record.thread
        thread = self._threads.pop(number, None)
        if thread is None:
            thread = OwnThread(self._family, self._finished)
            if len(self._threads) >= _MOST_THREADS:
                self._threads.pop(next(iter(self._threads))).close()
        self._threads[number] = thread  # the first is the one not heard of for longest
        thread.add(record, place, trace)

    def close(self) -> None:
        """Give out what is left of all of them."""
        for each in self._threads.values():
            each.close()
        self._threads.clear()


class OwnThread:
    """What one thread of wimdock's log tells: run after run, and faults outside of any run."""

    def __init__(self, family: str, finished: Callable[[ImageWork], None]) -> None:
        """Take the log's name and whoever wants the work."""
        self._family = family
        self._finished = finished
        self._work: ImageWork | None = None
        self._own = OwnRun()
        self._said = ""
        self._said_trace: Trace | None = None

    def add(self, record: Record, place: Place, trace: Trace | None) -> None:
        """Take the next record of the thread, with its trace where it is worth one."""
        message = record.message
        status = record.status_message
        started = _START.match(message)
        if started is not None:
            self._start(started[1], place)
        elif status is not None:
            self._read_status(status, place, trace)
        elif self._work is not None:
            self._read_line(message, self._work, trace)
        if status is None:
            self._said, self._said_trace = message, trace
        if self._work is not None:
            self._work.reaches(place)
            self._work.finish = place
            if self._own.end is not None and message.startswith(_OVER):
                self.close()

    def close(self) -> None:
        """Give out the run at hand."""
        work, self._work = self._work, None
        if work is None:
            return
        if (
            work.result != "failed"
            and not self._own.faults
            and self._own.end
            in (
                None,
                RUN_SUCCEEDED,
            )
        ):
            work.traces = Traces()  # nothing that it names has failed
        self._finished(work)

    def _start(self, number: str, place: Place) -> None:
        if self._work is not None and self._own.number == number and self._own.end is None:
            self._own.abandoned += not self._own.is_put_back
            self._own.is_put_back = False
            return
        self._begin(OwnRun(number), place)

    def _begin(self, own: OwnRun, place: Place) -> ImageWork:
        self.close()
        self._own = own
        self._work = ImageWork(self._family, place, place, run=Run(begin=place, own=own))
        return self._work

    def _read_line(self, message: str, work: ImageWork, trace: Trace | None) -> None:
        schedule, package = _SCHEDULE.match(message), _PACKAGE.match(message)
        file, committed = _FILE.match(message), _COMMITTED.match(message)
        remedy = _REMEDY.match(message)
        if schedule is not None:
            work.run.schedule = schedule[1]
        if package is not None:
            work.package = package[1]
        if file is not None:
            work.image = file[1]
        if committed is not None:
            self._own.generation = committed[1]
        if remedy is not None:
            self._own.remedy = remedy[1]
        failed = _FAILED_UPDATE.match(message)
        if failed is not None:
            work.names_update(f"update {failed[1]}")
            if trace is not None:
                trace.update = work.update
                trace.codes = ()  # the low word alone says less than the status message of the end
                work.traces.add(trace)

    def _read_status(self, status: StatusMessage, place: Place, trace: Trace | None) -> None:
        work = self._work
        if status.id == RUN_STARTED and work is not None:
            work.run.schedule = work.run.schedule or status.insertion(0)
        if status.id not in OWN_IDS:
            return
        if status.id in ENDS:
            self._end(status, place, trace)
        elif status.severity == "E":
            self._fault(status, place, trace)
        elif status.severity == "W" and work is not None:
            self._own.is_put_back = status.id == RUN_RETRIED
            if len(self._own.notes) < _MOST_NOTES:
                self._own.notes.append(self._said)

    def _end(self, status: StatusMessage, place: Place, trace: Trace | None) -> None:
        number, package = status.insertion(0), status.insertion(1)
        work = self._work
        if work is None or self._own.end is not None or self._own.number not in ("", number):
            work = self._begin(OwnRun(number), place)
        own = self._own
        own.number, own.end, own.said = number, status.id, self._said
        work.package = work.package or package
        self._take(work, status, trace)
        if status.id == RUN_SUCCEEDED:
            work.result = "success"
        elif status.id != RUN_CANCELLED:
            work.result = "failed"

    def _fault(self, status: StatusMessage, place: Place, trace: Trace | None) -> None:
        """Take an error: of the run at hand, or one by itself where there is none."""
        alone = self._work is None
        work = self._work or self._begin(OwnRun(), place)
        if len(self._own.faults) < _MOST_NOTES:
            self._own.faults.append((status, self._said))
        if status.id == UPDATE_FAILED:
            work.names_update(f"update {status.insertion(2)}")
        self._take(work, status, trace)
        if alone:
            work.result = "failed"
            work.finish = place
            self.close()

    def _take(self, work: ImageWork, status: StatusMessage, trace: Trace | None) -> None:
        """Keep the two lines of a status message."""
        work.run.system = status.system or work.run.system
        work.run.site = status.site or work.run.site
        for each in (self._said_trace, trace):
            if each is not None:
                each.update = work.update if status.id == UPDATE_FAILED else ""
                work.traces.add(each)


def tells_of_end(status: StatusMessage) -> bool:
    """Tell whether a run ended otherwise than well."""
    return status.id in ENDS and status.id != RUN_SUCCEEDED
