"""Codes in a message: which numbers are error codes, and which only look like it.

A number counts as a code where

- it is written `0x` with eight hexadecimal digits that begin with 8, C, D or E (an HRESULT, an
  NTSTATUS, an HRESULT made of one, the image library's), or stands in brackets as in a stack line,
  and no word before it says that it is something else (flags, tag, address, size, …);
- it is such a number as signed decimal, negative of nine or ten digits, and is no part of a SID;
- words before it say so: `error 161`, `ErrorCode = 123`, `exit code 3010`, `returned code 0x57`,
  `HRESULT=800F081E`, `hr:0x…`; then a small number is a code too, and stays the small number;
- it is the Win32 error of status message 7913, `ISTR3="161"`.

0 is success and never given; neither are numbers of threads and versions, sizes and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_HEX = re.compile(r"0x([89a-f][0-9a-f]{7})(?![0-9a-z_])(\]?)", re.ASCII)
_SOMETHING_ELSE = (
    "flag", "flags", "mask", "attribute", "attributes", "handle", "address", "base", "size",
    "offset", "count", "tag", "access", "option", "options", "length", "hash", "crc", "checksum",
    "id", "thread", "threadid", "pid", "tid", "version", "disposition", "type",
)  # fmt: skip
_BETWEEN = " :="
_LONGEST_WORD = 24
_NEGATIVE = re.compile(r"-(\d{9,10})(?![\w\-]|\.\d)", re.ASCII)
_BEFORE_VALUES = ("code", "error", "hresult", "hr:", "hr=")
_BEFORE_CODE = ("last", "win32", "exit", "return", "returned", "error", "result", "status")
_VALUE = re.compile(
    r"(?:\s+(?:is|of|was|number))?\s{0,3}(?:[:=]|\()?\s{0,3}\(?"
    r"(?:0x([0-9a-f]{1,8})|([89a-f][0-9a-f]{7})|(-?\d{1,10}))"
    r"(?![\w%]|[.:/]\d|\s*(?:of|files?|errors?|warnings?|updates?|times?|seconds?|bytes?|packages?|"
    r"images?|[kmg]b)\b)",
    re.ASCII,
)
_INSERTION = re.compile(r'statmsg: id=7913\b.{0,4096}? istr3="(-?\d{1,10})"', re.DOTALL | re.ASCII)
_PLAIN_NIBBLES = "8cde"
_ALL_ONES = "ffffffff"
_LOWEST = -0x80000000
_WORD = 0xFFFFFFFF


def codes_in(message: str, *, status: bool = True) -> tuple[int, ...]:
    """Give the codes of a message as unsigned 32-bit numbers, in order, each once.

    `status` tells whether it can hold a status message.
    """
    low = message.lower()
    found: list[tuple[int, int]] = []
    if "0x" in low:
        found += _hexadecimal(low)
    for match in _NEGATIVE.finditer(low):
        start = match.start()
        before = low[start - 1] if start else " "
        value = -int(match[1])
        is_code = f"{value & _WORD:08x}"[0] in _PLAIN_NIBBLES
        if is_code and before not in ".-" and not _in_word(before):
            found.append((start, value))
    for word in _BEFORE_VALUES:
        if word in low:
            found += _said(low, word)
    if status and "7913" in low:
        found += [(match.start(1), int(match[1])) for match in _INSERTION.finditer(low)]
    if not found:
        return ()
    found.sort()
    return tuple(
        dict.fromkeys(value & _WORD for _, value in found if value and _LOWEST <= value <= _WORD)
    )


def _hexadecimal(low: str) -> Iterator[tuple[int, int]]:
    """Give places and values of what is a code by the look of its digits."""
    for match in _HEX.finditer(low):
        start = match.start()
        digits = match[1]
        bracketed = match[2] and low[start - 1 : start] == "["
        plain = digits[0] in _PLAIN_NIBBLES and digits != _ALL_ONES
        if not plain and not bracketed:
            continue
        if not _is_something_else(low[max(0, start - _LONGEST_WORD) : start]):
            yield start, int(digits, 16)


def _said(low: str, word: str) -> Iterator[tuple[int, int]]:
    """Give places and values of what a word before it makes a code."""
    at = low.find(word)
    while at >= 0:
        end = at + len(word)
        # The sign behind "hr" belongs to what stands before a value.
        match = _VALUE.match(low, end - (word[-1] in ":="))
        if match and _is_word(low, word, at):
            digits = match[1] or match[2]
            value = int(digits, 16) if digits else int(match[3])
            yield match.start(match.lastindex or 0) - (2 if match[1] else 0), value
        at = low.find(word, end)


def _is_something_else(before: str) -> bool:
    """Tell whether what stands before a number says that it is no code."""
    if not before:
        return False
    if before[-1] in "@+" or _in_word(before[-1]):
        return True
    words = before.rstrip(_BETWEEN)
    if not words.endswith(_SOMETHING_ELSE):
        return False
    return any(
        words.endswith(word) and not _in_word(words[-len(word) - 1 : -len(word)])
        for word in _SOMETHING_ELSE
    )


def _is_word(low: str, word: str, at: int) -> bool:
    """Tell whether a word stands for itself, or behind one that goes with it."""
    if word == "error" or not at or not _in_word(low[at - 1]):
        return True  # also GetLastError
    return word == "code" and low.endswith(_BEFORE_CODE, max(0, at - _LONGEST_WORD), at)


def _in_word(char: str) -> bool:
    return char.isalnum() or char == "_"
