"""What a database says when it cannot do what it was asked, in our words.

Faults of the program (a wrong statement, a row that breaks a rule) are none of these: they stay
what they are.
"""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from wimdock.errors import DatabaseUnavailable

_DISK_FULL = 0x80070070
_DENIED = 0x80070005
_CORRUPT = 0x80070570
_WRONG_PASSWORD = 0x8007052E
_BUSY = 0x80070021

_RESTORE = "Restore a backup into another folder: wimdock site restore."
_AGAIN = "Run the command again; nothing was changed."

_SQLITE = {
    sqlite3.SQLITE_FULL: (_DISK_FULL, "Free space on that disk, then run the command again."),
    sqlite3.SQLITE_CORRUPT: (_CORRUPT, _RESTORE),
    sqlite3.SQLITE_NOTADB: (_CORRUPT, _RESTORE),
    sqlite3.SQLITE_BUSY: (_BUSY, "Another process has held it for a minute: look what it does."),
    sqlite3.SQLITE_LOCKED: (_BUSY, _AGAIN),
    sqlite3.SQLITE_READONLY: (_DENIED, "Check the permissions of the folder and its files."),
    sqlite3.SQLITE_PERM: (_DENIED, "Check the permissions of the folder and its files."),
    sqlite3.SQLITE_CANTOPEN: (None, "Check that the folder is there and can be written."),
    sqlite3.SQLITE_IOERR: (None, "Check the disk, and that it has space left."),
}
"""By SQLite's primary result codes."""

_WHO = "Check the user and the password of the database's URL."
_NO_DATABASE = "Make the database first: createdb NAME."

_SQLSTATES: tuple[tuple[str, int | None, str], ...] = (
    ("53100", _DISK_FULL, "Free space on the disk of the database, then run the command again."),
    ("53", None, "The server is at its limits: look at its log, then run the command again."),
    ("28", _WRONG_PASSWORD, _WHO),
    ("3D", None, _NO_DATABASE),
    ("42501", _DENIED, "The user of the database's URL must own the database."),
    ("25P03", None, _AGAIN),
    ("25006", None, "This server only reads: name the one that writes."),
    ("40", _BUSY, _AGAIN),
    ("55P03", _BUSY, _AGAIN),
    ("57014", None, _AGAIN),
    ("08", None, ""),
    ("57", None, ""),
    ("58", None, "Look at the log of the database's server."),
    ("XX", None, "Look at the log of the database's server."),
)
"""By PostgreSQL's classes of SQLSTATE, the longest first."""

_REFUSALS = (
    (re.compile(r"database \".*\" does not exist"), None, _NO_DATABASE),
    (
        re.compile("authentication|no password supplied|role .* does not"),
        _WRONG_PASSWORD,
        _WHO,
    ),
)
"""By what a server says before there is a connection: libpq gives no SQLSTATE then."""


def unavailable(error: SQLAlchemyError, shown: str) -> DatabaseUnavailable | None:
    """Give our error where the database cannot be used; None where the program is at fault."""
    if isinstance(error, PoolTimeout):
        return DatabaseUnavailable(f"the database {shown} cannot be used: too many connections")
    if not isinstance(error, DBAPIError) or error.orig is None:
        return None
    found = _cause(error.orig)
    if found is None and not error.connection_invalidated:
        return None
    hresult, hint = found or (None, "")
    message = f"the database {shown} cannot be used: {_reason(error.orig)}"
    return DatabaseUnavailable(message, hint=hint or None, hresult=hresult)


def _cause(orig: BaseException) -> tuple[int | None, str] | None:
    if isinstance(orig, sqlite3.Error):
        code = getattr(orig, "sqlite_errorcode", None)
        return None if code is None else _SQLITE.get(code & 0xFF)
    state = getattr(orig, "sqlstate", None)
    if state is None:  # the connection was not made, or was lost
        named = {kind.__name__ for kind in type(orig).__mro__}
        if not named & {"OperationalError", "InterfaceError"}:
            return None
        for said, hresult, hint in _REFUSALS:
            if said.search(str(orig)):
                return hresult, hint
        return None, ""
    for beginning, hresult, hint in _SQLSTATES:
        if state.startswith(beginning):
            return hresult, hint
    return None


def _reason(orig: BaseException) -> str:
    """Give the line that says something; of a host with several addresses that of the last."""
    lines = [line.strip() for line in str(orig).splitlines() if line.strip()]
    if not lines:
        return "no reason given"
    return lines[-1] if lines[0].startswith("Multiple connection attempts") else lines[0]
