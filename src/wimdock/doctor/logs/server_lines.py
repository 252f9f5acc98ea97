r"""The server form, read: `message  $$<COMPONENT><MM-DD-YYYY HH:MM:SS.mmm+BIAS><thread=N (0xN)>`.

What ends a line decides, so that a message may hold anything. A message of several lines has `~` at
the end of each but the last, the sign that these components put for a line end.
"""

from __future__ import annotations

import re
from datetime import datetime

from wimdock.doctor.logs.parts import Parts, moment, severity_of_words

END_MARKER = "<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>"
"""The last line of a log that was renamed because it had become too large."""

MARK = "$$<"
TILDE = "~"
"""Ends every line of a message but the last."""

_END = re.compile(
    r"\$\$<([^<>]*)(?:>(?:<(?!thread)([^<>]*)(?:>(?:<(?:thread=([^<>]*)>?)?)?)?)?)?\s*\Z"
)
_TIME = re.compile(
    r"\s*(\d{1,2})-(\d{1,2})-(\d{4}) (\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?([+-]\d{1,4})?"
)
_OLD_TIME = re.compile(
    r"\s*\w{3} (\w{3}) +(\d{1,2}) (\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))? +(\d{4})"
)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_THREAD = re.compile(r"\s*(?:(\d{1,10})(?=\s|\Z)|(?:0x)?([0-9A-Fa-f]{1,8})\b)")


def is_server(line: str) -> bool:
    """Tell whether a line ends a record of this form, be it cut short within its end."""
    start = -1 if line.endswith(TILDE) else line.rfind(MARK)
    return start >= 0 and _END.match(line, start) is not None


def parse_server(text: str) -> Parts:
    """Take a record apart."""
    start = text.rfind(MARK)
    end = _END.match(text, start) if start >= 0 else None
    if end is None:
        return Parts(text)
    message = text[:start]
    # Two blanks stand before the end; what else is there belongs to the message.
    if message.endswith(" "):
        message = message[: -2 if message.endswith("  ") else -1]
    message = message.replace("~\n", "\n")
    component, stamp, thread = end.groups(default="")
    local, bias = _time(stamp)
    return Parts(
        message,
        component.strip(),
        thread=_thread(thread),
        severity=severity_of_words(message),
        local=local,
        bias=bias,
    )


def _time(stamp: str) -> tuple[datetime | None, int | None]:
    found = _TIME.match(stamp)
    if found:
        month, day, year, hour, minute, second, fraction, bias = found.groups(default="")
        local = moment(year, month, day, hour, minute, second, fraction)
        return local, int(bias) if bias else None
    found = _OLD_TIME.match(stamp)
    if found is None:
        return None, None
    name, day, hour, minute, second, fraction, year = found.groups(default="")
    if name not in _MONTHS:
        return None, None
    month = str(_MONTHS.index(name) + 1)
    return moment(year, month, day, hour, minute, second, fraction), None


def _thread(words: str) -> int | None:
    found = _THREAD.match(words)
    if found is None:
        return None
    return int(found[1]) if found[1] else int(found[2], 16)
