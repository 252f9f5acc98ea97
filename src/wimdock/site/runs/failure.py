"""Errors as the database keeps them, and given back as what they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import wimdock.errors
from wimdock.configmgr.image_servicing import win32_code
from wimdock.errors import (
    DatabaseUnavailable,
    ImageBusy,
    PointDown,
    RunCancelled,
    RunError,
    RunMissed,
    RunRefused,
    RunTimedOut,
    StorageError,
    WimdockError,
)
from wimdock.site.models import RunState
from wimdock.site.stored_text import storable, storable_text

_STATES: tuple[tuple[type[WimdockError], RunState], ...] = (
    (ImageBusy, RunState.LOCKED),
    (RunCancelled, RunState.CANCELLED),
    (RunTimedOut, RunState.TIMED_OUT),
    (RunRefused, RunState.REFUSED),
    (RunMissed, RunState.MISSED),
)
_PASSING = (StorageError, DatabaseUnavailable, PointDown)


def error_document(error: BaseException) -> dict[str, Any]:
    """Give what is kept of an error; one that is not ours is a fault of wimdock and says so."""
    if not isinstance(error, WimdockError):
        kind = type(error).__name__
        error = RunError(
            f"an error in wimdock itself: {kind}: {error}",
            hint="Report it.",
        )
    return {
        "class": type(error).__name__,
        "message": storable_text(error.message),
        "hint": storable_text(error.hint),
        "exit_code": error.exit_code,
        "hresult": error.hresult,
        "win32": win32_code(error.hresult),
        "reasons": storable(error.reasons),
    }


def code_in_words(hresult: int | None) -> str:
    """Give an HRESULT as the insertion strings of status messages have it."""
    return "no code" if hresult is None else f"0x{hresult:08X}"


def error_in(document: Mapping[str, Any]) -> WimdockError:
    """Give the error that a document tells of, of its own class where that can be made."""
    found = getattr(wimdock.errors, str(document.get("class")), RunError)
    kind: type[WimdockError] = RunError
    if isinstance(found, type) and issubclass(found, WimdockError):
        kind = found
    error = kind.__new__(kind)
    WimdockError.__init__(
        error,
        str(document.get("message", "")),
        hint=str(document.get("hint", "")),
        hresult=document.get("hresult"),
        reasons=tuple(document.get("reasons", ())),
    )
    return error


def state_after(error: Mapping[str, Any]) -> RunState:
    """Give how a run ends that failed with an error."""
    kind = type(error_in(error))
    return next((state for one, state in _STATES if issubclass(kind, one)), RunState.FAILED)


def may_pass(error: Mapping[str, Any]) -> bool:
    """Tell whether the same run may succeed later: the disk, the network, somebody's lock."""
    return issubclass(type(error_in(error)), _PASSING)
