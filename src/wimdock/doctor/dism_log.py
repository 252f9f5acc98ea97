"""DISM.log: its records rebuilt into commands, each with its host, its paths and its end.

A session begins and ends with lines of its own. Several may be open at once: the number of the
process tells them apart where a record has one, else it is the session that began last.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from wimdock.configmgr.staging import staging_place
from wimdock.doctor.logs import Form, Record
from wimdock.doctor.offline_log import place_of
from wimdock.doctor.session import Command, Place
from wimdock.doctor.trace import Trace
from wimdock.reparse.hosts import Build

_MARK = re.compile(r"<-{2,}\s*(Starting|Ending) (\S+) session\s*-{2,}>", re.IGNORECASE)
_HOST = re.compile(r"OS Version=(\d{1,9})\.(\d{1,9})\.(\d{1,9})")
_COMMAND = re.compile(r"Executing command line:\s*(.{1,2000})", re.IGNORECASE)
_MOUNT = re.compile(r"[/-](?:mountdir|image):\s*(\"[^\"]{1,1024}\"|[^\s\"]{1,1024})", re.IGNORECASE)
_IMAGE = re.compile(
    r"[/-](?:imagefile|wimfile):\s*(\"[^\"]{1,1024}\"|[^\s\"]{1,1024})", re.IGNORECASE
)
_INDEX = re.compile(r"[/-]index:\s*\"?(\d{1,4})\b", re.IGNORECASE)
_STAGING = re.compile(
    r"(?:[A-Za-z]:|[\\/]{2}[^\\/\s'\"]+[\\/][^\\/\s'\"]+|/[^'\"\s]*?)?[\\/]+"
    r"ConfigMgr_OfflineImageServicing[\\/][^'\"\s,;]{1,512}",
    re.IGNORECASE,
)
_MOST_OPEN = 64


class DismLog:
    """Rebuilds the commands from the records of one log, given in order."""

    def __init__(self, family: str, finished: Callable[[Command], None]) -> None:
        """Take the log's name and whoever wants the commands."""
        self._family = family
        self._finished = finished
        self._current: Command | None = None
        self._open: list[Command] = []
        self._of_process: dict[int, Command] = {}
        self._last_process: int | None = None

    def add(self, record: Record, order: int, trace: Trace | None) -> None:
        """Take the next record, with its trace where it is worth one."""
        place = place_of(record, order)
        message = record.message
        mark = _MARK.search(message)
        if mark is not None and mark[1].lower() == "starting":
            self._begin(record.process, place)
        command = self._session_of(record.process, place)
        command.reaches(place)
        if record.form is Form.SERVICING:
            command.tells_severity = True
        command = self._read(command, message, place)
        if trace is not None:
            command.has_error = command.has_error or (trace.failing and not trace.is_stack)
            command.traces.add(trace)
        if mark is not None and mark[1].lower() == "ending":
            command.has_ended = True
            self._end(command)
        self._last_process = record.process or self._last_process

    def close(self) -> None:
        """Give out what is left."""
        for command in list(self._open):
            self._end(command)

    def _begin(self, process: int | None, place: Place) -> None:
        # The line itself names no process, but the program has written a few before it.
        process = process or self._last_process
        known = None if process is None else self._of_process.get(process)
        if known is not None and not known.has_begun:
            known.has_begun = True
            self._current = known
            return
        command = self._new(place)
        command.has_begun = True
        if process is not None and (known is None or known.process != process):
            command.process = process
            self._of_process[process] = command

    def _new(self, place: Place) -> Command:
        command = Command(self._family, place, place)
        self._open.append(command)
        self._current = command
        if len(self._open) > _MOST_OPEN:  # they never ended: programs were killed
            self._end(self._open[0])
        return command

    def _session_of(self, process: int | None, place: Place) -> Command:
        if process is not None:
            known = self._of_process.get(process)
            if known is not None:
                return known
        command = self._current or self._new(place)
        if process is not None:
            command.process = command.process or process
            self._of_process[process] = command
        return command

    def _read(self, command: Command, message: str, place: Place) -> Command:
        """Learn what a message tells of a command, and give the command that it belongs to."""
        host = _HOST.search(message)
        if host is not None and command.host is None:
            command.host = Build(int(host[1]), int(host[2]), int(host[3]))
            command.host_place = place
        line = _COMMAND.search(message)
        if line is not None:
            command.line = line[1].strip()
            self._read_line(command, command.line)
        elif "configmgr_offlineimageservicing" in message.lower():
            return self._read_path(command, message, place)
        return command

    def _read_line(self, command: Command, line: str) -> None:
        mount, image, index = _MOUNT.search(line), _IMAGE.search(line), _INDEX.search(line)
        if mount is not None:
            command.mount = mount[1].strip('"')
        if image is not None:
            command.image = image[1].strip('"')
        if index is not None:
            command.index = int(index[1])
        for path in (command.mount, command.image):
            where = staging_place(path)
            if where is not None:
                command.package = command.package or where.package_id

    def _read_path(self, command: Command, message: str, place: Place) -> Command:
        """Learn package and mount directory from a path below a staging folder.

        A program that uses DISM's interface works on one image after the other in one session.
        """
        found = _STAGING.search(message)
        where = staging_place(found[0]) if found else None
        if found is None or where is None or not where.package_id:
            return command
        if command.package and command.package != where.package_id and not command.line:
            command = self._continued(command, place)
        command.package = command.package or where.package_id
        if where.is_mount_directory and not command.mount:
            end = found[0].lower().find("imagemountdir") + len("imagemountdir")
            command.mount = found[0][:end]
        return command

    def _continued(self, command: Command, place: Place) -> Command:
        later = self._new(place)
        later.host, later.host_place = command.host, command.host_place
        later.process = command.process
        later.has_begun, later.tells_severity = command.has_begun, command.tells_severity
        for process, known in list(self._of_process.items()):
            if known is command:
                self._of_process[process] = later
        self._finish(command)
        return later

    def _end(self, command: Command) -> None:
        self._finish(command)
        for process, known in list(self._of_process.items()):
            if known is command:
                del self._of_process[process]

    def _finish(self, command: Command) -> None:
        if command in self._open:
            self._open.remove(command)
        if self._current is command:
            self._current = self._open[-1] if self._open else None
        if command.has_error:
            command.result = "failed"
        self._finished(command)
