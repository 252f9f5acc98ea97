"""A failure that no rule describes, in words: what failed, and which error is the innermost."""

from __future__ import annotations

from collections.abc import Sequence

from wimdock.doctor.codes import name_of
from wimdock.doctor.incident import Incident
from wimdock.doctor.session import ImageWork


def unknown_title(codes: Sequence[int]) -> str:
    """Give the title, by the innermost code."""
    if not codes:
        return "an error without a code, which no rule describes"
    return f"0x{codes[0]:08X} {name_of(codes[0])}".rstrip() + ", which no rule describes"


def unknown_words(incident: Incident, codes: Sequence[int]) -> str:
    """Say what failed."""
    if incident.work is not None:
        work: ImageWork = incident.work
        what = f"image package {work.package}" if work.package else "a run of a schedule"
        what += f", image {work.index}," if work.index is not None else ""
        ended = {"success": " which ended with success all the same"}.get(work.result, "")
        failed = "failed" if work.result == "failed" else "met an error"
        start = f"The work on {what}" if work.package else "A run of a schedule"
        start = f"{start} {failed}{',' if ended else ''}{ended}"
    elif incident.commands:
        line = next((each.line for each in incident.commands if each.line), "")
        start = f"A command of DISM failed{f': {line}' if line else ''}"
    else:
        start = "Component servicing met an error"
    code = (
        f" The innermost error is 0x{codes[0]:08X}." if codes else " The log names no code for it."
    )
    return f"{start.rstrip('.')}.{code}"
