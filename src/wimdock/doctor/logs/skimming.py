"""Finding the few lines of a long log that matter, without looking at each.

A record of DISM.log or CBS.log is notable if it holds one of `WORDS` in any case, a number that can
be a code, or goes on in a second line that does. Every record of another form is notable.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from wimdock.doctor.logs.client_lines import START
from wimdock.doctor.logs.server_lines import MARK, TILDE
from wimdock.doctor.logs.servicing_lines import START_OF_RECORD

WORDS = (
    # what stands before a code, and words of failure
    "error", "code", "hresult", "fail", "warn",
    # where sessions begin and end, on what host and for what image
    "session ----", "host machine information", "executing command line",
    "initializing trusted installer", "configmgr_offlineimageservicing",
)  # fmt: skip
"""What makes a record notable; `codes_in` finds no code that needs another word."""

_NUMBERS = (re.compile(r"x[89a-f][0-9a-f]{7}"), re.compile(r"-[0-9]{9}"), re.compile(r"hr[:=]"))
_NO_RECORD = re.compile(rf"\n(?!{START_OF_RECORD})", re.ASCII)
_DOTTED_I = "\u0130"  # the one character that becomes two in lower case


def is_notable(text: str) -> bool:
    """Tell whether the text of a record of DISM.log or CBS.log is notable."""
    low = _lowered(text)
    return any(word in low for word in WORDS) or any(number.search(low) for number in _NUMBERS)


class Skimmed(NamedTuple):
    """The lines of a text that must be read.

    `spans` are their starts and ends in order, `notable` those starts at which a notable record of
    DISM.log or CBS.log begins; of the others this is not known yet.
    """

    spans: list[tuple[int, int]]
    notable: set[int]


def skim(text: str) -> Skimmed | None:
    """Find the lines to read in a text of whole lines; None stands for all of them.

    They are those with something notable, those that begin no record of DISM.log or CBS.log, each
    with the line before it, and the last, which may go on in the next text.
    """
    if ("$" in text and MARK in text) or ("<" in text and START in text) or _ends_open(text):
        return None
    low = _lowered(text)
    notable: set[int] = set()
    for word in WORDS:
        at = low.find(word)
        while at >= 0:
            notable.add(low.rfind("\n", 0, at) + 1)
            end = low.find("\n", at)
            at = low.find(word, end) if end >= 0 else -1
    for pattern in _NUMBERS:
        for found in pattern.finditer(low):
            notable.add(low.rfind("\n", 0, found.start()) + 1)
    length = len(text)
    starts = {0, text.rfind("\n", 0, length - 1) + 1, *notable}
    for found in _NO_RECORD.finditer(text):
        at = found.end()
        if at < length:
            starts.add(at)
            starts.add(text.rfind("\n", 0, found.start()) + 1)
    return Skimmed([(start, _end(text, start)) for start in sorted(starts)], notable)


def _ends_open(text: str) -> bool:
    """Tell whether the last line may be the first of a message in the server form."""
    return text.endswith((f"{TILDE}\n", f"{TILDE}\r\n", TILDE))


def _end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _lowered(text: str) -> str:
    """Give the text in lower case, every character at its place."""
    if text.isascii():
        return text.lower()
    return text.replace(_DOTTED_I, "i").lower()
