"""OfflineServicingMgr.log: its records rebuilt into runs and the work on each image.

Only the unmount and the status messages of this log are known literally, so every marker is read
leniently and none is needed: what is not said stays unknown. Its texts are not localised.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from wimdock.configmgr.staging import is_package_id, staging_place
from wimdock.configmgr.status_message import RUN_STARTED, UNMOUNT_FAILED, StatusMessage
from wimdock.doctor.logs import Record
from wimdock.doctor.own_log import OwnThreads, tells_of_end
from wimdock.doctor.session import ImageWork, Place, Run
from wimdock.doctor.trace import Trace, is_failure, whole

_SCHEDULE = re.compile(r"Processing started for Schedule with ID (\d+)", re.IGNORECASE)
_PACKAGE = re.compile(
    r"^\W*(?:Started )?processing image package:?\s+\"?([A-Z0-9]{3}[0-9A-F]{5})\b", re.IGNORECASE
)
_INDEX = re.compile(r"\bMounting image at index (\d{1,4})\b", re.IGNORECASE)
_ON_INDEX = re.compile(r"\bon image at index (\d{1,4})\b", re.IGNORECASE)
_IMAGE_FILE = re.compile(r"Image ?file\s*=\s*'([^'\r\n]{1,1024})'", re.IGNORECASE)
_MOUNT = re.compile(r"Mount ?Directory\s*=\s*'([^'\r\n]{1,1024})'", re.IGNORECASE)
_UPDATE_ID = re.compile(r"\bupdate (?:\(\d+ of \d+\) )?with ID (\d{1,12})\b", re.IGNORECASE)
_BINARY = re.compile(r"Update Binary\s*=\s*(.{1,1024}?\.[A-Za-z0-9]{2,5})(?=[.,;~\s]|$)")
_COMPLETED = re.compile(
    r"Completed processing image package (\S{1,64}?)\.? +Status = (\w+)", re.IGNORECASE
)
_SCHEDULE_END = re.compile(r"^\W*Schedule processing (\w+)", re.IGNORECASE)
_MOST_THREADS = 64
_RESULTS = {
    "success": "success",
    "succeeded": "success",
    "successful": "success",
    "completed": "success",
    "failed": "failed",
    "failure": "failed",
}


def place_of(record: Record, order: int) -> Place:
    """Give the place of a record."""
    return Place(record.file, record.line, order, record.local_time, record.time)


class OfflineLog:
    """Rebuilds the work from the records of one log, given in order.

    `finished` is called with each piece of work when no more can come to it; `close` ends the last.
    A thread that begins a run while another thread's run is open has a run of its own; any other
    thread writes of the run that was written of last.
    """

    def __init__(self, family: str, finished: Callable[[ImageWork], None]) -> None:
        """Take the log's name and whoever wants the work."""
        self._family = family
        self._finished = finished
        self._current = _Thread(family, finished)
        self._threads: dict[int, _Thread] = {}
        self._own = OwnThreads(family, finished)

    def add(self, record: Record, order: int, trace: Trace | None) -> None:
        """Take the next record, with its trace where it is worth one."""
        if self._own.takes(record):
            self._own.add(record, place_of(record, order), trace)
            return
        number = record.thread
        if number is not None:
            known = self._threads.get(number)
            if known is None:
                known = self._current
                if known.is_busy and _SCHEDULE.search(record.message):
                    known = _Thread(self._family, self._finished)
                if len(self._threads) >= _MOST_THREADS:
                    self._forget()
                self._threads[number] = known
            self._current = known
        self._current.add(record, order, trace)

    def close(self) -> None:
        """Give out what is left."""
        self._forget()
        self._current.close()
        self._own.close()

    def _forget(self) -> None:
        """Give out what is left of all threads but the current one."""
        for each in dict.fromkeys(self._threads.values()):
            if each is not self._current:
                each.close()
        self._threads.clear()


class _Thread:
    """The runs of one thread, one after the other."""

    def __init__(self, family: str, finished: Callable[[ImageWork], None]) -> None:
        self._family = family
        self._finished = finished
        self._run = Run()
        self._work: ImageWork | None = None
        self._done: list[ImageWork] = []

    def add(self, record: Record, order: int, trace: Trace | None) -> None:
        place = place_of(record, order)
        message = record.message
        self._read_markers(message, place)
        status = record.status_message
        named = None if status is None else self._read_status(status, place)
        completed = _COMPLETED.search(message)
        if trace is not None and (completed is None or trace.failures or trace.evidence):
            work = named or self._need(place)
            trace.update = work.update
            work.traces.add(trace)
        if self._work is not None:
            self._work.reaches(place)
        if completed is not None:
            self._complete(completed[1], completed[2], place)
        ended = _SCHEDULE_END.search(message)
        if ended is not None and ended[1].lower() in _RESULTS:
            self._end_run(_RESULTS[ended[1].lower()], place)

    def close(self) -> None:
        self._leave()
        self._give_out()

    @property
    def is_busy(self) -> bool:
        """Tell whether a run has begun and not ended."""
        return self._run.begin is not None and not self._run.result

    def _read_markers(self, message: str, place: Place) -> None:
        schedule = _SCHEDULE.search(message)
        if schedule is not None:
            self._begin_run(schedule[1], place)
            return
        package = _PACKAGE.search(message)
        if package is not None:
            self._leave()
            self._work = self._new(place, package[1].upper())
        mount, image = _MOUNT.search(message), _IMAGE_FILE.search(message)
        index = _INDEX.search(message)
        if index is not None:
            self._begin_index(int(index[1]), mount[1] if mount else "", place)
        if mount is not None:
            self._know_mount(self._need(place), mount[1])
        if image is not None:
            self._need(place).image = image[1]
        self._read_update(message, place)

    def _read_update(self, message: str, place: Place) -> None:
        on_index = _ON_INDEX.search(message)
        if on_index is not None:
            work = self._need(place)
            work.index = work.index or int(on_index[1])
        update, binary = _UPDATE_ID.search(message), _BINARY.search(message)
        if binary is not None:
            self._need(place).names_update(re.split(r"[\\/]", binary[1])[-1])
        elif update is not None:
            work = self._need(place)
            # The file of an update says more than its number, which stands beside it.
            if not ("." in work.update and "Failed" in message):
                work.names_update(f"update {update[1]}")

    def _read_status(self, status: StatusMessage, place: Place) -> ImageWork | None:
        """Learn what a status message tells, and give the work it names where it names any."""
        is_other = self._run.schedule != status.insertion(0) or bool(self._run.result)
        if status.id == RUN_STARTED and is_other:
            self._begin_run(status.insertion(0), place)
        self._run.system = status.system or self._run.system
        self._run.site = status.site or self._run.site
        if status.id != UNMOUNT_FAILED:
            return None
        package, index, mount = (status.insertion(number) for number in range(3))
        work = self._need(place)
        if is_package_id(package) and work.package not in ("", package):
            work = self._handed_over(work, package, whole(_number(status.insertion(3))), place)
        work.package = work.package or package
        if work.index is None and index.isascii() and index.isdigit():
            work.index = int(index[:4])
        self._know_mount(work, mount)
        return work

    def _handed_over(self, work: ImageWork, package: str, code: int, place: Place) -> ImageWork:
        """Give the failure of an unmount to the package that its status message names."""
        other = self._unfinished(package)
        if other is None:
            other = self._new(place, package)
            self._done.append(other)
        for trace in work.traces.take_out(lambda each: code in each.failures):
            other.traces.add(trace)
        other.reaches(place)
        return other

    def _unfinished(self, package: str) -> ImageWork | None:
        """Give the last work on a package that was left for another and whose end is not known."""
        works = (each for each in reversed(self._done) if each.package == package)
        return next((each for each in works if not each.result), None)

    def _begin_run(self, schedule: str, place: Place) -> None:
        if self._run.schedule == schedule and not self._run.result and self._run.begin is not None:
            same_start = self._work is None and not self._done
            if same_start:
                return
        self._leave()
        self._give_out()
        self._run = Run(schedule, place)

    def _begin_index(self, index: int, mount: str, place: Place) -> None:
        work = self._work
        where = staging_place(mount)
        package = where.package_id if where else ""
        if work is None or (work.package and package and work.package != package):
            self._leave()
            work = self._work = self._new(place, package)
        elif work.index is not None and work.index != index:
            package = work.package
            self._leave()
            work = self._work = self._new(place, package)
        elif not work.package and work.traces:
            self._leave()
            work = self._work = self._new(place, package)
        work.index = index

    def _know_mount(self, work: ImageWork, mount: str) -> None:
        work.mount = work.mount or mount
        where = staging_place(mount)
        if where is not None:
            work.package = work.package or where.package_id

    def _complete(self, package: str, status: str, place: Place) -> None:
        """End the work on an image package: its result is that of the indexes that brought it."""
        package = package.upper() if is_package_id(package) else package
        work = self._work
        if work is not None and work.package in ("", package):
            work.package = package
            self._leave()
        elif self._unfinished(package) is None:
            self._done.append(self._new(place, package))
        result = _RESULTS.get(status.lower(), "")
        ended = [each for each in self._done if each.package == package and not each.result]
        troubled = [each for each in ended if each.is_troubled]
        for each in ended:
            # A package fails as a whole: an index without an error is not the one that failed.
            spared = result == "failed" and troubled and each not in troubled
            each.result = "" if spared else result
            each.finish = place

    def _end_run(self, result: str, place: Place) -> None:
        self._run.result = result
        self._run.end = place
        self._leave()
        self._give_out()
        # What follows belongs to no run until the next one begins.
        self._run = Run(system=self._run.system, site=self._run.site)

    def _new(self, place: Place, package: str = "") -> ImageWork:
        return ImageWork(self._family, place, place, package=package, run=self._run)

    def _need(self, place: Place) -> ImageWork:
        if self._work is None:
            self._work = self._new(place)
        return self._work

    def _leave(self) -> None:
        if self._work is not None:
            self._done.append(self._work)
            self._work = None

    def _give_out(self) -> None:
        failed = self._run.result == "failed"
        if failed and not any(work.is_troubled for work in self._done):
            self._run_alone()
        for work in self._done:
            self._finished(work)
        self._done.clear()

    def _run_alone(self) -> None:
        """Make a failure of a run that failed while nothing in it did."""
        place = self._run.end
        if place is None:
            return
        work = next(iter(self._without_package()), None)
        if work is None:
            work = self._new(place)
            self._done.append(work)
        work.result = "failed"
        work.finish = place

    def _without_package(self) -> Iterator[ImageWork]:
        return (work for work in self._done if not work.package)


def _number(text: str) -> int:
    return int(text[:10]) if text.isascii() and text.isdigit() else 0


def tells_of_failure(record: Record) -> bool:
    """Tell whether a record of this log tells of a failure by a code or by its status message."""
    status = record.status_message
    if status is not None and (status.severity == "E" or tells_of_end(status)):
        return True
    return any(is_failure(code) for code in record.codes)
