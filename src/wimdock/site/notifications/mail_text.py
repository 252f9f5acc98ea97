"""A notice as a mail: what failed, why, its code, what to do, and where to look further."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LONGEST_SUBJECT = 150
_KIBI = 1024
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def subject_of(notice: Mapping[str, Any]) -> str:
    """Give the subject: one line, whatever names an image or an error holds."""
    site = notice["site"]["code"]
    run = notice["run"]
    if run is None:
        return f"[{site}] wimdock: a test of notifications"
    error = notice["error"]
    why = f": {error['message']}" if error and error["message"] else ""
    text = _one_line(
        f"[{site}] {notice['image_package']['id']} {_event(notice)}, run {run['id']}{why}"
    )
    return text if len(text) <= _LONGEST_SUBJECT else f"{text[: _LONGEST_SUBJECT - 1]}…"


def text_of(notice: Mapping[str, Any]) -> str:
    """Give the text, in lines; nothing in it steers a terminal that shows the mail."""
    return "\n".join(_one_line(line, keep_spaces=True) for line in _lines(notice)) + "\n"


def _lines(notice: Mapping[str, Any]) -> Iterator[str]:
    site = notice["site"]
    run = notice["run"]
    if run is None:
        yield f"This is a test of the notifications of site {site['code']}."
        yield "Nothing has happened; mails like this one tell of runs."
        return
    package = notice["image_package"]
    name = f" ({package['name']})" if package["name"] else ""
    yield f"Run {run['id']} of image package {package['id']}{name}: {_event(notice)}."
    yield ""
    yield from _facts(notice)
    if notice["error"]:
        yield ""
        yield from _error(notice["error"])
    yield from _updates(notice["updates"])
    yield ""
    yield "To look further:"
    yield from (f"  {command}" for command in notice["commands"])


def _event(notice: Mapping[str, Any]) -> str:
    """Give the event, with how the run ended where that says more."""
    event, state = str(notice["event"]), str(notice["run"]["state"])
    return event if event == state else f"{event} ({state})"


def _facts(notice: Mapping[str, Any]) -> Iterator[str]:
    run = notice["run"]
    schedule = notice["schedule"]
    rows = [("Site", notice["site"]["code"])]
    if schedule is not None:
        rows.append(("Schedule", f"{schedule['id']} {schedule['name']}".rstrip()))
    rows += [
        ("Started", run["started"]),
        ("Ended", run["ended"]),
        ("Step", run["step"]),
        ("Generation", run["generation"]),
        ("Added", _size(run["added_bytes"]) if run["added_bytes"] else None),
    ]
    yield from (f"{title + ':':<12} {value}" for title, value in rows if value is not None)


def _error(error: Mapping[str, Any]) -> Iterator[str]:
    yield "What went wrong:"
    yield f"  {error['message']}"
    codes = [str(error["hresult"])] if error["hresult"] else []
    if error["win32"]:
        codes.append(f"Win32 {error['win32']}")
    if codes:
        yield f"  Code: {', '.join(codes)}"
    if error["what_to_do"]:
        yield f"  What to do: {error['what_to_do']}"


def _updates(updates: Mapping[str, Any] | None) -> Iterator[str]:
    if not updates or not updates["outcomes"]:
        return
    yield ""
    counts = (f"{number} {outcome}" for outcome, number in sorted(updates["outcomes"].items()))
    yield f"Updates: {', '.join(counts)}"
    for row in updates["failed"]:
        code = f" ({row['hresult']})" if row["hresult"] else ""
        yield f"  image {row['index']}, {row['package']}: {row['reason']}{code}"
    others = updates["outcomes"].get("failed", 0) - len(updates["failed"])
    if others > 0:
        yield f"  and {others} more that failed"


def _size(count: float) -> str:
    if count < _KIBI:
        return f"{count:.0f} bytes"
    unit = ""
    for unit in _UNITS:  # noqa: B007 - the last one stays where the number is larger still
        count /= _KIBI
        if count < _KIBI:
            break
    return f"{count:.1f} {unit}"


def _one_line(text: str, *, keep_spaces: bool = False) -> str:
    plain = "".join(
        " " if unicodedata.category(char) in _HIDDEN else char for char in text.expandtabs(1)
    )
    return plain.rstrip() if keep_spaces else " ".join(plain.split())
