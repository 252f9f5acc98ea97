"""Status messages as the logs carry them: `STATMSG: ID=7913 SEV=E … ISTR0="CAS00123" …`.

Two of Microsoft's are known from public logs: 7900, a run began (insertion 0: schedule ID), and
7913, an unmount failed (0: package ID, 1: index, 2: mount directory, 3: Win32 error).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

RUN_STARTED = 7900
UNMOUNT_FAILED = 7913
COMPONENT = "SMS_OFFLINE_SERVICING_MANAGER"

OWN_IDS = range(42000, 42100)
"""The IDs of wimdock's own status messages; none of Microsoft's."""

OWN_COMPONENT = "WIMDOCK"
"""What marks lines and status messages that are wimdock's own."""

_INSERTIONS = 10
_LONGEST = 64 << 10
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIELD = re.compile(
    r"\b(?P<key>ID|SEV|LEV|SOURCE|COMP|SYS|SITE|PID|TID|GMTDATE|NUMATTRS|ISTR\d|AID\d+|AVAL\d+)="
    r'(?:"(?P<quoted>[^"]*)"|(?P<plain>\S*(?:\s+(?![A-Z]+\d*=)\S+)*))',
    re.ASCII,
)
_TIME = re.compile(
    r"(?:[A-Za-z]{3} )?(?P<month>[A-Za-z]{3}) +(?P<day>\d{1,2}) "
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?\d* "
    r"(?P<year>\d{4})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """A status message; `severity` is I, W or E, `time` aware UTC or None where none stands.

    `insertions` are the insertion strings from 0 on, without the empty ones at the end;
    `attributes` are pairs of attribute ID and value. A process or thread that is not known is 0.
    """

    id: int
    severity: str
    source: str
    component: str
    system: str
    site: str
    pid: int
    tid: int
    time: datetime | None
    insertions: tuple[str, ...] = ()
    attributes: tuple[tuple[int, str], ...] = ()

    def insertion(self, number: int) -> str:
        """Give an insertion string, empty where there is none."""
        return self.insertions[number] if number < len(self.insertions) else ""


def parse_status_message(text: str) -> StatusMessage | None:
    """Read the status message in a log's message; None where there is none."""
    start = text.find("STATMSG:")
    if start < 0:
        return None
    fields: dict[str, str] = {}
    for found in _FIELD.finditer(text, start, start + _LONGEST):
        value = found["quoted"] if found["quoted"] is not None else found["plain"]
        fields.setdefault(found["key"], value.strip())
    number = _number(fields.get("ID", ""))
    if number is None:
        return None
    insertions = [fields.get(f"ISTR{place}", "") for place in range(_INSERTIONS)]
    while insertions and not insertions[-1]:
        insertions.pop()
    attributes = tuple(
        (identifier, fields.get(key.replace("AID", "AVAL"), ""))
        for key, value in fields.items()
        if key.startswith("AID") and (identifier := _number(value)) is not None
    )
    return StatusMessage(
        id=number,
        severity=fields.get("SEV", ""),
        source=fields.get("SOURCE", ""),
        component=fields.get("COMP", ""),
        system=fields.get("SYS", ""),
        site=fields.get("SITE", ""),
        pid=_number(fields.get("PID", "")) or 0,
        tid=_number(fields.get("TID", "")) or 0,
        time=_time(fields.get("GMTDATE", "")),
        insertions=tuple(insertions),
        attributes=attributes,
    )


def format_status_message(message: StatusMessage) -> str:
    """Give the line by which a log carries a status message."""
    strings = list(message.insertions) + [""] * (_INSERTIONS - len(message.insertions))
    parts = [
        f"STATMSG: ID={message.id}",
        f"SEV={message.severity}",
        "LEV=M",
        f'SOURCE="{_plain(message.source)}"',
        f'COMP="{_plain(message.component)}"',
        f"SYS={_plain(message.system)}",
        f"SITE={_plain(message.site)}",
        f"PID={message.pid}",
        f"TID={message.tid}",
        f"GMTDATE={_spoken(message.time)}",
        *(f'ISTR{place}="{_plain(string)}"' for place, string in enumerate(strings)),
        f"NUMATTRS={len(message.attributes)}",
    ]
    for place, (identifier, value) in enumerate(message.attributes):
        parts.append(f'AID{place}={identifier} AVAL{place}="{_plain(value)}"')
    return " ".join(parts)


def _plain(text: str) -> str:
    """Give a text without what would end its field: a quotation mark or a line break."""
    return "".join(char if char.isprintable() and char != '"' else "'" for char in text)


def _number(text: str) -> int | None:
    digits = text.isascii() and text.isdigit() and len(text) <= 10  # noqa: PLR2004 - a DWORD
    return int(text) if digits else None


def _time(text: str) -> datetime | None:
    found = _TIME.search(text)
    if found is None or found["month"].title() not in _MONTHS:
        return None
    try:
        return datetime(
            int(found["year"]),
            _MONTHS.index(found["month"].title()) + 1,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            int(found["second"]),
            int((found["fraction"] or "").ljust(6, "0")),
            UTC,
        )
    except ValueError:
        return None


def _spoken(time: datetime | None) -> str:
    """Give a time as these messages do, whatever the locale: `Fri Mar 23 09:56:16.443 2012`."""
    if time is None:
        return ""
    at = time.astimezone(UTC)
    return (
        f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:02} "
        f"{at:%H:%M:%S}.{at.microsecond // 1000:03} {at.year:04}"
    )
