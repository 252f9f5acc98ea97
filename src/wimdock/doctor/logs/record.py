"""One record of a log: cheap to make, taken apart when it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from wimdock.configmgr.status_message import (
    COMPONENT,
    OWN_COMPONENT,
    StatusMessage,
    parse_status_message,
)
from wimdock.doctor.logs.client_lines import parse_client
from wimdock.doctor.logs.forms import unescaped
from wimdock.doctor.logs.found_codes import codes_in
from wimdock.doctor.logs.found_functions import functions_in
from wimdock.doctor.logs.parts import Form, Parts, Severity
from wimdock.doctor.logs.pasted_lines import parse_pasted, parse_viewer, unquoted
from wimdock.doctor.logs.server_lines import parse_server
from wimdock.doctor.logs.servicing_lines import parse_servicing, parse_stack
from wimdock.doctor.logs.skimming import is_notable


def _quoted(parse: Callable[[str], Parts]) -> Callable[[str], Parts]:
    return lambda text: parse(unquoted(text))


def _servicing(text: str) -> Parts:
    first, end, rest = unquoted(text).partition("\n")
    parts = parse_servicing(first)
    if not end:
        return parts
    return parts._replace(message="\n".join([parts.message, *map(unescaped, rest.split("\n"))]))


_PARSERS: dict[Form, Callable[[str], Parts]] = {
    Form.SERVER: parse_server,
    Form.CLIENT: _quoted(parse_client),
    Form.VIEWER: _quoted(parse_viewer),
    Form.PASTED: _quoted(parse_pasted),
    Form.SERVICING: _servicing,
    Form.STACK: _quoted(parse_stack),
    Form.PLAIN: _quoted(Parts),
}
_LOG_OF_COMPONENT = {"DISM": "dism", "CBS": "cbs", "CSI": "cbs", "DPX": "cbs", "SXS": "cbs"}
_WITHOUT_SEVERITY = (Form.SERVER, Form.VIEWER, Form.PASTED)
_FAILURE = 0x80000000
_OFFLINE_WORDS = re.compile(
    r"WIM::\w+ returned code|\b(?:UnMountImage|MountImage|InstallUpdate|GetUpdateApplicability)"
    r" returned code|Applicability State = |\bimage package \S+ |Schedule with ID \d"
    r"|Image UnMount failed|UnMounting Image|Not applying this update binary"
    r"|Not all selected software updates "
)
_LOG_OF_FILE = re.compile(r"(offlineservicingmgr)|(dism)|(cbs)", re.IGNORECASE)


class Record:
    """A record of a log file.

    `line` counts from 1 and is that of the record's first line. `text` is the record as it stands
    in the file, its lines with a line feed between them and none at the end. The rest is found when
    it is first asked for. No property ever fails, whatever the file holds.
    """

    __slots__ = ("_codes", "_functions", "_parts", "file", "form", "line", "text")

    def __init__(self, file: str, line: int, form: Form, text: str) -> None:
        """Keep where it was found and what it says."""
        self.file = file
        self.line = line
        self.form = form
        self.text = text

    def __repr__(self) -> str:
        """Show where it stands and how it begins."""
        return f"<Record {self.file}:{self.line} {self.form.value} {self.text[:60]!r}>"

    @property
    def parts(self) -> Parts:
        """The record taken apart."""
        try:
            return self._parts
        except AttributeError:
            self._parts: Parts = _PARSERS[self.form](self.text)
            return self._parts

    @property
    def message(self) -> str:
        """What it says, without time, component, thread and quoting."""
        return self.parts.message

    @property
    def component(self) -> str:
        """The component that wrote it, empty where the form tells none."""
        return self.parts.component

    @property
    def process(self) -> int | None:
        """The process that wrote it."""
        return self.parts.process

    @property
    def thread(self) -> int | None:
        """The thread that wrote it."""
        return self.parts.thread

    @property
    def severity(self) -> Severity:
        """How bad it says it is, by its form or, where that tells none, by its words and codes."""
        severity = self.parts.severity
        if severity is Severity.INFO and self.form in _WITHOUT_SEVERITY and self._fails():
            return Severity.ERROR
        return severity

    def _fails(self) -> bool:
        return any(code >= _FAILURE for code in self.codes)

    @property
    def time(self) -> datetime | None:
        """When, in UTC, aware; None where the form does not tell the zone."""
        return self.parts.time

    @property
    def local_time(self) -> datetime | None:
        """When, as written, naive; None where it is not."""
        return self.parts.local

    @property
    def codes(self) -> tuple[int, ...]:
        """The error codes in it, unsigned, in order, each once, never 0: `codes_in` says which.

        A low word such as 161 in "error 161" stays 161: `means` compares it with an HRESULT.
        """
        try:
            return self._codes
        except AttributeError:
            whole = self.form in (Form.SERVICING, Form.STACK)  # nothing around the message matters
            text = self.text if whole else self.message
            self._codes: tuple[int, ...] = codes_in(text, status=self.form is not Form.SERVICING)
            return self._codes

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that it names, in order, each once, such as `CWimImage::Save`."""
        try:
            return self._functions
        except AttributeError:
            frame = self.form is Form.STACK
            self._functions: tuple[str, ...] = functions_in(self.message, frame=frame)
            return self._functions

    @property
    def is_notable(self) -> bool:
        """Whether it can matter to a diagnosis: always, but for most lines of DISM.log and CBS.log.

        Of those, the ones with a code, a word of failure, or a start, end or version of a session:
        `skimming` has the list. A record with codes is always notable.
        """
        return self.form is not Form.SERVICING or is_notable(self.text)

    @property
    def status_message(self) -> StatusMessage | None:
        """The status message in it, None where it holds none."""
        if "STATMSG:" not in self.text:
            return None
        return parse_status_message(self.message)

    @property
    def log(self) -> str:
        """Which log it belongs to: "offline", "dism", "cbs" or "other".

        The component decides, or the form; without either words that only OfflineServicingMgr.log
        has, then the name of the file.
        """
        component = self.component
        if component in (COMPONENT, OWN_COMPONENT):
            return "offline"
        if component:
            return _LOG_OF_COMPONENT.get(component, "other")
        if self.form in (Form.PASTED, Form.PLAIN) and _OFFLINE_WORDS.search(self.message):
            return "offline"
        found = _LOG_OF_FILE.search(self.file.replace("\\", "/").rpartition("/")[2])
        if found is None:
            return "other"
        return ("offline", "dism", "cbs")[(found.lastindex or 1) - 1]
