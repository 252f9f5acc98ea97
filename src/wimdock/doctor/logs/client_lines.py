r"""The client form: `<![LOG[message]LOG]!><time="HH:MM:SS.mmm+BIAS" date="MM-DD-YYYY" …>`.

A message may go over several lines. Fraction, bias, type and thread may be missing.
"""

from __future__ import annotations

import re
from datetime import datetime

from wimdock.doctor.logs.parts import Parts, Severity, moment, severity_of_words

START = "<![LOG["
END = "]LOG]!>"
_ATTRIBUTE = re.compile(r'(\w{1,32})="([^"]*)"')
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?([+-]\d{1,4})?")
_DATE = re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})")
_NEXT = re.compile(r"(?<=\">)\s*(?=<!\[LOG\[)")
_TYPES = {"1": Severity.INFO, "2": Severity.WARNING, "3": Severity.ERROR}
_LONGEST_NUMBER = 10


def is_client_start(line: str) -> bool:
    """Tell whether a record of this form begins with this line."""
    return line.startswith(START)


def is_client_end(text: str) -> bool:
    """Tell whether the text of a record is complete."""
    return END in text


def parse_client(text: str) -> Parts:
    """Take a record apart, be it cut short."""
    message, _, rest = text.removeprefix(START).rpartition(END)
    if not _ and not message:
        message, rest = rest, ""
    values = dict(_ATTRIBUTE.findall(rest))
    local, bias = _time(values.get("date", ""), values.get("time", ""))
    thread = values.get("thread", "")
    severity = _TYPES.get(values.get("type", "")) or severity_of_words(message)
    usable = thread.isascii() and thread.isdigit() and len(thread) <= _LONGEST_NUMBER
    return Parts(
        message,
        values.get("component", ""),
        thread=int(thread) if usable else None,
        severity=severity,
        local=local,
        bias=bias,
    )


def _time(date: str, time: str) -> tuple[datetime | None, int | None]:
    day_of, time_of = _DATE.match(date), _TIME.match(time)
    if not day_of or not time_of:
        return None, None
    month, day, year = day_of.groups()
    hour, minute, second, fraction, bias = time_of.groups(default="")
    return moment(year, month, day, hour, minute, second, fraction), int(bias) if bias else None


def split_client(text: str) -> list[str]:
    """Give the records of a text whose line ends were lost; most often one."""
    return _NEXT.split(text)
