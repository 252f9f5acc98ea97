"""Codes in a message: which numbers are error codes, and which only look like it.

A number counts as a code where

- it is written `0x` with eight hexadecimal digits that begin with 8, C, D or E (an HRESULT, an
  NTSTATUS, an HRESULT made of one, the image library's), or stands in brackets as in a stack line,
  and no word before it says that it is something else (flags, tag, address, size, …);
- it is negative, of nine or ten digits (the same as signed decimal), and is no part of a SID;
- words before it say so: `error 161`, `ErrorCode = 123`, `exit code 3010`, `returned code 0x57`,
  `HRESULT=800F081E`, `hr:0x…`; then a small number is a code too, and stays the small number;
- it is the Win32 error of status message 7913, `ISTR3="161"`.

0 is success and never given; neither are numbers of threads and versions, sizes and addresses.
"""

from __future__ import annotations

import re

_HEX = re.compile(
    r"(?:\b(flags?|mask|attributes?|handle|address|base|size|offset|count|tag|access|options?|length"
    r"|hash|crc|checksum|id|thread|threadid|pid|tid|version|disposition|type)\s{0,3}[:=]?\s{0,3}|"
    r"(?<![\w@+]))0x([89A-Fa-f][0-9A-Fa-f]{7})(?![0-9A-Za-z_])(\])?",
    re.IGNORECASE | re.ASCII,
)
_NEGATIVE = re.compile(r"(?<![\w.\-])-(\d{9,10})(?![\w\-]|\.\d)", re.ASCII)
_SAID = re.compile(
    r"(?:\b(?:last ?|win32 ?|exit ?|return(?:ed)? ?|error ?|result ?|status ?){0,3}code|\berror|"
    r"\blast ?error|\bwin32 ?error|\bhresult|\bhr(?=[:=]))"
    r"(?:\s+(?:is|of|was|number))?\s{0,3}(?:[:=]|\()?\s{0,3}\(?"
    r"(?:0x([0-9A-Fa-f]{1,8})|([89A-Fa-f][0-9A-Fa-f]{7})|(-?\d{1,10}))"
    r"(?![\w%]|[.:/]\d|\s*(?:of|files?|errors?|warnings?|updates?|times?|seconds?|bytes?|packages?|"
    r"images?|[KMG]B)\b)",
    re.IGNORECASE | re.ASCII,
)
_INSERTION = re.compile(r'STATMSG: ID=7913\b.{0,4096}? ISTR3="(-?\d{1,10})"', re.DOTALL | re.ASCII)
_PLAIN_NIBBLES = "8cde"
_ALL_ONES = 0xFFFFFFFF
_LOWEST = -0x80000000
_WORD = 0xFFFFFFFF
_CANDIDATE = re.compile(r"0x|-\d{9}|code|error|hr|7913", re.IGNORECASE | re.ASCII)


def codes_in(message: str, *, status: bool = True) -> tuple[int, ...]:
    """Give the codes of a message as unsigned 32-bit numbers, in order, each once.

    `status` tells whether it can hold a status message.
    """
    if _CANDIDATE.search(message) is None:
        return ()
    found: list[tuple[int, int]] = []
    for match in _HEX.finditer(message):
        digits = match[2]
        bracketed = match[3] and message[match.start(2) - 3 : match.start(2) - 2] == "["
        plain = digits[0].lower() in _PLAIN_NIBBLES and int(digits, 16) != _ALL_ONES
        if match[1] is None and (plain or bracketed):
            found.append((match.start(2) - 2, int(digits, 16)))
    found += [(match.start(), -int(match[1])) for match in _NEGATIVE.finditer(message)]
    for match in _SAID.finditer(message):
        digits = match[1] or match[2]
        value = int(digits, 16) if digits else int(match[3])
        place = match.start(match.lastindex or 0) - (2 if match[1] else 0)
        found.append((place, value))
    if status and "7913" in message:
        found += [(match.start(1), int(match[1])) for match in _INSERTION.finditer(message)]
    found.sort()
    return tuple(
        dict.fromkeys(value & _WORD for _, value in found if value and _LOWEST <= value <= _WORD)
    )
