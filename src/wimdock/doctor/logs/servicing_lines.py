r"""The form of DISM.log and CBS.log, and the image library's stack lines within DISM.log.

`YYYY-MM-DD HH:MM:SS, Info                  DISM   message`, local time of no told zone. Lines that
begin no record continue the last one. Stack lines carry no time:
`[4120] [0x800700a1] ImageRecaptureDirectory:(141): text`, `[20716.10956] [0xc142011c] Name:(641)`.
"""

from __future__ import annotations

import re

from wimdock.doctor.logs.parts import Parts, Severity, moment


def _start_of_record(group: str) -> str:
    """Give the regular expression of a record's begin, its parts in groups of a kind."""
    date = rf"{group}\d{{4}})-{group}\d\d)-{group}\d\d)"
    time = rf"{group}\d\d):{group}\d\d):{group}\d\d)(?:[.,]{group}\d{{1,9}}))?"
    return rf"{date} {time}, +{group}[A-Za-z])"


START_OF_RECORD = _start_of_record("(?:")
"""What a record of DISM.log or CBS.log begins with, for regular expressions in ASCII."""

_START = re.compile(_start_of_record("(") + r"(\w{0,15})", re.ASCII)
_COMPONENT = re.compile(r" +(?:(DISM|CBS|CSI|DPX|SXS|[A-Z][A-Za-z]{1,8}(?= {2}))(?: +|\Z))?")
_COMPONENT_WIDTH = 7
_STACK = re.compile(
    r"\[(?:(\d{1,10})(?:\.(\d{1,10}))?|\\?<\w{1,16}>(?:\.<\w{1,16}>)?)\] "
    r"(?:\[0x([0-9A-Fa-f]{1,8})\] )?([A-Za-z_]\w*(?:::~?\w+)*):"
)
_NUMBERS = re.compile(r"\bPID=(\d{1,10})(?: TID=(\d{1,10}))?")
_LEVELS = {
    "Info": Severity.INFO,
    "Perf": Severity.INFO,
    "Warning": Severity.WARNING,
    "Error": Severity.ERROR,
    "Fatal": Severity.ERROR,
}
_FAILURE = 0x80000000

begins_servicing = re.compile(START_OF_RECORD, re.ASCII).match
"""Tell whether a record of DISM.log or CBS.log begins with this line."""

begins_stack = _STACK.match
"""Tell whether a line is a frame of the image library."""


def parse_servicing(text: str) -> Parts:
    """Take a record apart."""
    start = _START.match(text)
    if start is None:
        return Parts(text)
    *digits, initial, rest_of_level = start.groups("")
    rest = _COMPONENT.match(text, start.end())
    component, message = "", text[start.end() :]
    if rest is not None:
        component = rest[1] or ""
        # The component is padded to seven; blanks beyond are the message's own.
        begin = rest.start(1) + max(_COMPONENT_WIDTH, len(component) + 1) if component else 0
        message = text[min(begin, rest.end()) if component else rest.end() :]
    process, thread = numbers_in(message)
    return Parts(
        message,
        component,
        process,
        thread,
        _LEVELS.get(initial + rest_of_level, Severity.UNKNOWN),
        moment(*digits),
    )


def parse_stack(text: str) -> Parts:
    """Take a frame of the image library apart; its component is DISM, whose log it stands in."""
    found = _STACK.match(text)
    if found is None:
        return Parts(text)
    process, thread, code, _ = found.groups()
    failed = code is not None and int(code, 16) & _FAILURE
    return Parts(
        text[found.start(4) :],
        "DISM",
        None if process is None else int(process),
        None if thread is None else int(thread),
        Severity.ERROR if failed else Severity.INFO,
    )


def numbers_in(message: str) -> tuple[int | None, int | None]:
    """Give the process and thread that a message of DISM names."""
    found = _NUMBERS.search(message) if "PID=" in message else None
    if found is None:
        return None, None
    return int(found[1]), None if found[2] is None else int(found[2])
