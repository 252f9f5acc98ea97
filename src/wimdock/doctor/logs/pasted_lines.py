r"""Lines that came through a viewer, an article or a ticket.

- Copied from a viewer: `message<TAB>COMPONENT<TAB>M/D/YYYY h:mm:ss AM<TAB>4116 (0x1014)`.
- Quoted: `SMS_OFFLINE_SERVICING_MANAGER message`, `DISM DISM WIM Provider: …` without a time,
  `DD/MM/YYYY HH:MM:SS message`, of which two may share a line.
- Quoted with Markdown: `> ` before, two blanks behind, `\<PID>` for `<PID>`.
"""

from __future__ import annotations

import re
from datetime import datetime

from wimdock.doctor.logs.parts import Parts, moment, severity_of_words
from wimdock.doctor.logs.servicing_lines import numbers_in

_BEFORE_QUOTES = "> \t"
_QUOTE = re.compile(r"[ \t]{0,3}(?:>[ \t]?)+")
_ESCAPED = re.compile(r"\\([\\<>\[\]_*`#])")
_VIEWER = re.compile(
    r"\t([^\t]{1,128})\t(\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4} \d{1,2}:\d\d(?::\d\d)?[^\t]{0,16})"
    r"\t(\d{1,10}) \(0x[0-9A-Fa-f]{1,8}\)\s*\Z"
)
_LONGEST_VIEWER_END = 200
_COMPONENT = re.compile(r"(SMS_[A-Z0-9_]{2,60})[ \t]+(?=\S)")
_SERVICING = re.compile(r"(?:(DISM) +(?=DISM[ .]|PID=)|(CBS|CSI|DPX|DISM) {2,}(?=\S))")
_WHEN = re.compile(
    r"(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4}) "
    r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?: ?([AP]M))?"
)
_DATED = re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d(?: ?[AP]M)?[ \t]+(?=\S)")
_SHARED = re.compile(r"(?<=\s)(?=\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d(?: [AP]M)?[ \t]+[^\s\d])")
_MONTHS = 12
_YEAR = 4


def unquoted(line: str) -> str:
    """Take Markdown's quoting off a line; a line that is not quoted comes back as it is."""
    quote = _QUOTE.match(line) if line[:1] in _BEFORE_QUOTES else None
    if quote is None:
        return line
    return _ESCAPED.sub(r"\1", line[quote.end() :].rstrip())


def is_viewer(line: str) -> bool:
    """Tell whether a line was copied out of a log viewer."""
    return _viewer(line) is not None


def is_pasted(line: str) -> bool:
    """Tell whether a line is quoted as articles do."""
    return bool(_COMPONENT.match(line) or _SERVICING.match(line) or _DATED.match(line))


def shared(line: str) -> list[str]:
    """Give the records that share a line, each beginning with its date; most often one."""
    if _DATED.match(line) is None:
        return [line]
    return _SHARED.split(line)


def parse_viewer(text: str) -> Parts:
    """Take a line of a viewer apart; its number is that of the thread."""
    found = _viewer(text)
    if found is None:
        return Parts(text)
    message = text[: found.start()]
    return Parts(
        message,
        found[1].strip(),
        thread=int(found[3]),
        severity=severity_of_words(message),
        local=_when(found[2]),
    )


def parse_pasted(text: str) -> Parts:
    """Take a quoted line apart."""
    local = None
    dated = _DATED.match(text)
    if dated:
        local = _when(text)
        text = text[dated.end() :]
    found = _COMPONENT.match(text) or _SERVICING.match(text)
    component = next(filter(None, found.groups()), "") if found else ""
    message = text[found.end() :] if found else text
    process, thread = numbers_in(message)
    return Parts(message, component, process, thread, severity_of_words(message), local)


def _viewer(line: str) -> re.Match[str] | None:
    third = line.rfind("\t")
    second = line.rfind("\t", 0, third) if third > 0 else -1
    first = line.rfind("\t", 0, second) if second > 0 else -1
    if first < 0 or len(line) - first > _LONGEST_VIEWER_END:
        return None
    return _VIEWER.match(line, first)


def _when(words: str) -> datetime | None:
    """Read a date of which the parts may be in any order: a month is at most 12."""
    found = _WHEN.match(words)
    if found is None:
        return None
    one, two, three, hour, minute, second, fraction, half = found.groups(default="")
    if len(one) == _YEAR:
        year, month, day = one, two, three
    elif "." in words[: found.start(3)] or int(one) > _MONTHS or (not half and int(two) <= _MONTHS):
        day, month, year = one, two, three
    else:
        month, day, year = one, two, three
    if half:
        hour = str(int(hour) % 12 + (12 if half == "PM" else 0))
    return moment(year, month, day, hour, minute, second or "0", fraction)
