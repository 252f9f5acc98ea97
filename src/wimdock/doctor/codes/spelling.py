"""Every way to write a code, read: what people type, and what they copy out of a log.

`readings_of` gives each number that a text can stand for and how it was read, best first. Digits
alone can be decimal or hexadecimal, and a small number can be the low word of a longer code, which
is all that Configuration Manager writes of it: such a text has several readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from wimdock.doctor.codes.meaning import is_known, low_word_relatives
from wimdock.doctor.codes.parts import LOW_WORD, N_BIT, wrapped
from wimdock.doctor.codes.table import TABLES
from wimdock.errors import UsageError

_HIGHEST = 0xFFFFFFFF
_LOWEST = -0x80000000
_SIGN = 0x80000000
_DIGITS = 8
_SIGN_EXTENDED = "ffffffff"
_LONGEST = 4096
_MOST_NAMES = 8
_PREFIXES = ("ERROR_", "E_", "CBS_E_", "DISMAPI_E_", "STATUS_")

# What stands around a code that was copied out of a log, and says nothing.
_AROUND = " \t\r\n\"'`~.,;:()[]{}<>=|"
# Expressions are compiled where they are used: most calls need one of them. All ignore case.
_LABEL = (
    r"(?:(?:cbs|dism|the|win32|exit|return(?:ed)?|last|failed|with|error|err|status|result|hresult|hr"
    r"|code|errorcode|errorlevel|exitcode|win32errorcode)\b[\s:=_#]*)+"
)
_NUMBER = r"(-?)(0x)?(-?)([0-9a-f]+)(?:h|u?l?l?)?"
_NAME = r"[a-z][a-z0-9]*(?:_+[a-z0-9]+)+_*|[a-z]{3,}"
_MACRO = r"(?:__)?HRESULT_FROM_(WIN32|NT)\s*\((.*)\)"
_IN_TEXT = r"(?<![0-9a-z_])0x[0-9a-f]{1,16}(?![0-9a-z_])"
_LABELLED = (
    r"\b(?:(?:win32)?error|errorcode|code|status|istr3|hr|hresult)\s*[:=]?\s*\"?(-?[0-9]{1,10})"
    r"(?!\w|\.\d)"
)
# Eight digits or a negative number that can be nothing else, once a table has them: no part of a
# GUID, of a version or of a SID.
_BARE = r"(?<![\w.{-])(?:-[0-9]{9,10}|[89cd][0-9a-f]{7})(?![\w-]|\.\d)"

# What word processors and web pages make of a minus sign and of a blank.
_TYPOGRAPHY = {0x2212: "-", 0x2013: "-", 0x2011: "-", 0xA0: " ", 0x202F: " ", 0x200B: None}


class Found(NamedTuple):
    """A number of 32 bits, how it was read, and the name that it was given by, or nothing."""

    code: int
    how: str
    name: str = ""


def readings_of(text: str) -> tuple[Found, ...]:
    """Give every number that a text can stand for, best first, each with how it was read.

    Raises UsageError where it is no code.
    """
    first: dict[int, Found] = {}
    for each in _readings(text.translate(_TYPOGRAPHY)):
        first.setdefault(each.code, each)
    # What no table has is the less likely reading; otherwise the order stays.
    found = tuple(sorted(first.values(), key=lambda each: not is_known(each.code)))
    if not found:
        shown = text if len(text) <= 40 else f"{text[:37]}..."  # noqa: PLR2004 - one line
        message = f"{shown!r} is no error code"
        hint = "Write it like 0x800700A1, 800700A1, -2147024735, 161 or ERROR_BAD_PATHNAME."
        raise UsageError(message, hint=hint)
    return found


def _readings(typed: str) -> Iterator[Found]:
    text = typed.strip(_AROUND.replace("(", "").replace(")", ""))
    macro = re.fullmatch(_MACRO, text, re.IGNORECASE) if "(" in text else None
    if macro:
        yield from _of_macro(macro[1].upper(), macro[2])
        return
    text = text.strip(_AROUND)
    found = tuple(_of_word(text)) or tuple(_of_word(_without_label(text)))
    if found:
        yield from found
    elif len(typed) <= _LONGEST:
        yield from _inside(typed)


def _without_label(text: str) -> str:
    """Give what follows words such as `CBS HRESULT=` and `error code`."""
    label = re.match(_LABEL, text, re.IGNORECASE)
    return text[label.end() :].strip(_AROUND) if label else ""


def _of_word(text: str) -> Iterator[Found]:
    number = re.fullmatch(_NUMBER, text, re.IGNORECASE)
    if number:
        yield from _of_number(number)
    elif re.fullmatch(_NAME, text, re.IGNORECASE):
        yield from _of_name(text.upper())


def _of_number(match: re.Match[str]) -> Iterator[Found]:
    negative = bool(match[1] or match[3])
    if match[1] and match[3]:
        return
    digits = match[4].lower()
    if match[2] or not digits.isdigit():
        direct = _hexadecimal(digits, negative=negative)
    else:
        direct = _digits_alone(digits, negative=negative)
    for each in direct:
        yield each
        yield from _low_words(each.code)


def _hexadecimal(digits: str, *, negative: bool) -> Iterator[Found]:
    how = "hexadecimal"
    if len(digits) == 2 * _DIGITS and digits.startswith(_SIGN_EXTENDED):
        digits = digits[_DIGITS:]
        how = "hexadecimal, the lower half of 64 bits"
    if len(digits.lstrip("0")) > _DIGITS:
        return
    value = int(digits, 16)
    if not negative:
        yield Found(value, how)
    elif 0 < value <= -_LOWEST:
        yield Found(-value & _HIGHEST, "negative hexadecimal")


def _digits_alone(digits: str, *, negative: bool) -> Iterator[Found]:
    significant = digits.lstrip("0") or "0"
    if len(significant) > 10:  # noqa: PLR2004 - 4294967295 has ten
        return
    value = int(significant)
    if negative:
        if value <= -_LOWEST:
            yield Found(-value & _HIGHEST, "signed decimal")
        return
    decimal = [Found(value, "decimal")] if value <= _HIGHEST else []
    hexadecimal = [Found(int(significant, 16), "hexadecimal")] if len(digits) <= _DIGITS else []
    if decimal and hexadecimal and decimal[0].code == hexadecimal[0].code:
        yield Found(value, "decimal or hexadecimal")
    elif hexadecimal and _looks_hexadecimal(digits, value):
        yield from (*hexadecimal, *decimal)
    else:
        yield from (*decimal, *hexadecimal)


def _looks_hexadecimal(digits: str, value: int) -> bool:
    """Tell whether digits alone are rather hexadecimal: `80070005`, `00000102`, `0102`."""
    if len(digits) == _DIGITS:
        return digits[0] in "089" or not is_known(value)
    return digits[0] == "0"


def _low_words(code: int) -> Iterator[Found]:
    """Give the codes of servicing that a small number may be the rest of."""
    for relative in low_word_relatives(code):
        how = f"the low word of 0x{relative:08X}, as Configuration Manager writes it"
        yield Found(relative, how)


def _of_name(name: str) -> Iterator[Found]:
    exact = [row.code for table in TABLES for row in table.named(name)]
    if exact:
        yield from (Found(code, "name", name) for code in exact)
        return
    usual = [row for table in TABLES for prefix in _PREFIXES for row in table.named(prefix + name)]
    short = usual or [row for table in TABLES for row in table.ending(name)]
    if len(short) <= _MOST_NAMES:
        yield from (Found(row.code, f"short for {row.name}", row.name.upper()) for row in short)


def _of_macro(macro: str, inner: str) -> Iterator[Found]:
    """Do what a macro does: it leaves alone what is an HRESULT or a success already."""
    text = inner.strip(_AROUND)
    for code, how, name in _of_word(text):
        if how == "hexadecimal" and text.isdigit():
            continue  # in a program, digits alone are decimal
        label = f"HRESULT_FROM_{macro}, {how}"
        if macro == "NT" and (code > LOW_WORD or name.startswith("STATUS_")):
            yield Found(code | N_BIT, label, name)
        elif macro == "WIN32" and (code <= LOW_WORD or code & _SIGN):
            yield Found(wrapped(code), label, name)


def _inside(text: str) -> Iterator[Found]:
    """Give the codes in a sentence or a line of a log."""
    for match in re.finditer(_IN_TEXT, text, re.IGNORECASE):
        for each in _hexadecimal(match[0][2:].lower(), negative=False):
            yield Found(each.code, f"{match[0]} in the text")
    for match in re.finditer(_LABELLED, text, re.IGNORECASE):
        for each in _of_word(match[1]):
            yield Found(each.code, f"{match[0]!r} in the text, {each.how}")
    for match in re.finditer(_BARE, text, re.IGNORECASE):
        for each in _of_word(match[0]):
            if is_known(each.code):
                yield Found(each.code, f"{match[0]} in the text, {each.how}")
