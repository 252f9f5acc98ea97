"""Functions that a message names, because rules go by function and code, never by text."""

from __future__ import annotations

import re

_FUNCTION = re.compile(
    r"\b([A-Za-z_]\w{0,127}(?:::~?[A-Za-z_]\w{0,127}){1,15})"  # CWimImage::Save
    r"|\b([A-Za-z_]\w{2,127}):\(\d{1,7}\b"  # ImageRecaptureDirectory:(141)
    r"|\b([A-Za-z_]\w{2,127})(?=\s+(?:returned(?:\s+(?:code|error|failure|0x|-?\d))|failed\b))"
    r"|^([A-Za-z_]\w{2,127}):(?=\s|\()"  # at the start of a frame of the image library
)
_MARKS_OF_A_NAME = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|_")


def functions_in(message: str, *, frame: bool = False) -> tuple[str, ...]:
    """Give the names in order, each once; `frame` for a stack line, which begins with its name."""
    signs = "::" in message or ":(" in message or "returned" in message or "failed" in message
    if not signs and not frame:
        return ()
    names: dict[str, None] = {}
    for match in _FUNCTION.finditer(message):
        scoped, numbered, said, first = match.groups()
        if said and not _MARKS_OF_A_NAME.search(said):
            continue  # "Processing failed": an ordinary word
        if first and not frame:
            continue
        names[scoped or numbered or said or first] = None
    return tuple(names)
