"""A code looked up: how the text can be read, and each reading's spellings, parts and meanings."""

from __future__ import annotations

from typing import NamedTuple

from wimdock.doctor.codes.meaning import Meaning, meanings_of
from wimdock.doctor.codes.parts import LOW_WORD, N_BIT, Parts, parts_of, wrapped
from wimdock.doctor.codes.spelling import readings_of
from wimdock.doctor.codes.table import NTSTATUS, WINDOWS

_SIGN = 0x80000000
_MODULUS = 0x100000000


class Spellings(NamedTuple):
    """The ways to write one code; for a Win32 code, those of its HRESULT besides the number."""

    hexadecimal: str
    unsigned: int
    signed: int
    low_word: int
    names: tuple[str, ...]


class Reading(NamedTuple):
    """One way to read what was typed: `code` has 32 bits, `how` says in words how it was read."""

    code: int
    how: str
    spellings: Spellings
    parts: Parts
    meanings: tuple[Meaning, ...]


class Lookup(NamedTuple):
    """What was typed and its readings, best first; there is at least one."""

    typed: str
    readings: tuple[Reading, ...]

    @property
    def code(self) -> int:
        """The code of the best reading."""
        return self.readings[0].code

    @property
    def spellings(self) -> Spellings:
        """The spellings of the best reading."""
        return self.readings[0].spellings

    @property
    def parts(self) -> Parts:
        """The parts of the best reading."""
        return self.readings[0].parts

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        """The meanings of the best reading."""
        return self.readings[0].meanings


def explain(code: int, how: str = "number", name: str = "") -> Reading:
    """Give all that is known of a code of 32 bits; `name`, in upper case, is how it was given.

    What has that name is said first: S_FALSE is 1, as ERROR_INVALID_FUNCTION is, and no failure.
    """
    meanings = meanings_of(code)
    if name:
        meanings = tuple(sorted(meanings, key=lambda each: each.name.upper() != name))
    table = meanings[0].table if meanings else WINDOWS.name
    is_win32 = table == WINDOWS.name
    whole = wrapped(code) if is_win32 else code
    names = tuple(dict.fromkeys(meaning.name for meaning in meanings if meaning.name))
    spellings = Spellings(
        hexadecimal=f"0x{whole:08X}",
        unsigned=whole,
        signed=whole - _MODULUS if whole & _SIGN else whole,
        low_word=code & LOW_WORD,
        names=names,
    )
    parts = parts_of(whole, is_ntstatus=table == NTSTATUS.name and not code & N_BIT)
    return Reading(code, how, spellings, parts, meanings)


def look_up(text: str) -> Lookup:
    """Look up a code in any spelling.

    Raises UsageError where the text is no code at all; a code that no table has is no error.
    """
    return Lookup(text, tuple(explain(*found) for found in readings_of(text)))
