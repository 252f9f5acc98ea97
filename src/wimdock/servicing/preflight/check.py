"""One check of a preflight: what was looked at, what was found, what to do, what would follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from wimdock.errors import WimdockError


class Result(Enum):
    """What a check found; the value is for people and for JSON."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at before a run.

    `name` is stable and for machines, `title` says for people what was looked at. `reason` and
    `remedy` are sentences; of what was not checked, the reason says why. `failure` is the number of
    the known failure that the finding would become in a run. `index` and `update` name what it is
    about, where that is one image or one update. `wanted` is False where something was not checked
    because nobody asked for it: only what was wanted and could not be judged makes a preflight
    uncertain.
    """

    name: str
    title: str
    result: Result
    reason: str
    remedy: str = ""
    failure: int | None = None
    index: int | None = None
    update: str = ""
    details: tuple[str, ...] = ()
    wanted: bool = True


def guarded(
    name: str,
    title: str,
    look: Callable[[], Iterable[Check]],
    *,
    index: int | None = None,
    update: str = "",
) -> tuple[Check, ...]:
    """Give the checks that `look` makes; what cannot be read becomes a check that says why."""
    try:
        return tuple(look())
    except WimdockError as error:
        return (
            Check(
                name,
                title,
                Result.NOT_CHECKED,
                f"{str(error).rstrip('.')}.",
                error.hint,
                index=index,
                update=update,
            ),
        )
    except OSError as error:
        reason = f"{error.strerror or error}."
        return (
            Check(name, title, Result.NOT_CHECKED, reason, _READABLE, index=index, update=update),
        )


_READABLE = "Make sure that it can be read, and run the preflight again."
