"""Error codes of Windows, DISM and servicing: every spelling read, every meaning known."""

from __future__ import annotations

from wimdock.doctor.codes.lookup import Lookup, Reading, explain, look_up
from wimdock.doctor.codes.meaning import Meaning, meanings_of, name_of
from wimdock.doctor.codes.parts import Parts, parts_of

__all__ = [
    "Lookup",
    "Meaning",
    "Parts",
    "Reading",
    "explain",
    "look_up",
    "meanings_of",
    "name_of",
    "parts_of",
]
