"""What a line of a log is made of: its form, its severity, and the parts common to all forms."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import NamedTuple


class Form(Enum):
    """How a record is written; `docs/internals/logs.md` describes each."""

    SERVER = "server"
    """Configuration Manager's servers: `message  $$<COMPONENT><time+bias><thread=N (0xN)>`."""
    CLIENT = "client"
    """Configuration Manager's clients: `<![LOG[message]LOG]!><time=… date=… …>`."""
    VIEWER = "viewer"
    """Copied out of a log viewer: message, component, time and thread with tabs between them."""
    PASTED = "pasted"
    """As articles and tickets quote it: `COMPONENT message` or `DD/MM/YYYY HH:MM:SS message`."""
    SERVICING = "servicing"
    """DISM.log and CBS.log: `YYYY-MM-DD HH:MM:SS, Info   DISM   message`."""
    STACK = "stack"
    """One frame of the image library in DISM.log: `[process] [0xcode] Function:(line): text`."""
    PLAIN = "plain"
    """Text of no known form."""


class Severity(Enum):
    """How bad a record says it is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


class Parts(NamedTuple):
    """A record taken apart.

    `bias` is in minutes, UTC = local + bias; None where the form does not tell the zone. `severity`
    UNKNOWN means that the form tells none.
    """

    message: str
    component: str = ""
    process: int | None = None
    thread: int | None = None
    severity: Severity = Severity.UNKNOWN
    local: datetime | None = None
    bias: int | None = None

    @property
    def time(self) -> datetime | None:
        """The moment in UTC, aware; None where the zone or the time is not told."""
        if self.local is None or self.bias is None:
            return None
        try:
            return (self.local + timedelta(minutes=self.bias)).replace(tzinfo=UTC)
        except OverflowError:
            return None


_ERROR = re.compile(r"error|fail(?!over)|STATMSG: ID=\d{1,9} SEV=E", re.IGNORECASE)
_WARNING = re.compile(r"warn|STATMSG: ID=\d{1,9} SEV=W", re.IGNORECASE)
_STATUS = re.compile(r"STATMSG: ID=\d{1,9} SEV=([IWE])")
_SEVERITIES = {"I": Severity.INFO, "W": Severity.WARNING, "E": Severity.ERROR}


def severity_of_words(message: str) -> Severity:
    """Judge a message whose form tells no severity, as log viewers do.

    A status message says itself how severe it is. Else "error" and "fail" (but not "failover") make
    an error, "warn" a warning.
    """
    status = _STATUS.search(message)
    if status:
        return _SEVERITIES[status[1]]
    if _ERROR.search(message):
        return Severity.ERROR
    return Severity.WARNING if _WARNING.search(message) else Severity.INFO


def moment(
    year: str, month: str, day: str, hour: str, minute: str, second: str, fraction: str = ""
) -> datetime | None:
    """Give a naive datetime of digits, None where there is no such time; `fraction` of a second."""
    try:
        microsecond = int(fraction[:6].ljust(6, "0")) if fraction else 0
        return datetime(  # noqa: DTZ001 - the time as written, whatever zone that is
            int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond
        )
    except ValueError:
        return None
