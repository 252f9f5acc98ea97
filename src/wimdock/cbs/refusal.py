"""Refusals: what of a package cannot be carried out, collected so that all is said at once."""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn

from wimdock.errors import UnsupportedPackage


def refuse(why: str) -> NoReturn:
    """Raise UnsupportedPackage for one reason."""
    raise UnsupportedPackage(why, reasons=(why,))


class Refusals:
    """Collects the reasons of every refusal in the order in which they come, each once."""

    def __init__(self) -> None:
        """Begin without any."""
        self._reasons: dict[str, None] = {}
        self._subjects: list[str] = []

    @property
    def reasons(self) -> tuple[str, ...]:
        """All reasons so far."""
        return tuple(self._reasons)

    def about(self, subject: str) -> Keeper:
        """Keep a refusal raised within, named after what it is about, and go on behind it.

        Within another one, the outer subject comes first.
        """
        return Keeper(self._reasons, self._subjects, subject)

    def close(self, subject: str) -> None:
        """Raise UnsupportedPackage with all reasons, where there are any."""
        if self._reasons:
            count = len(self._reasons)
            what = "one thing" if count == 1 else f"{count} things"
            message = f"{subject} asks for {what} that wimdock does not carry out"
            raise UnsupportedPackage(message, reasons=self.reasons)


class Keeper:
    """The context that `Refusals.about` opens."""

    def __init__(self, reasons: dict[str, None], subjects: list[str], subject: str) -> None:
        """Keep what is refused about `subject` in `reasons`."""
        self._reasons = reasons
        self._subjects = subjects
        self._subject = subject

    def __enter__(self) -> None:
        """Begin to speak of the subject."""
        self._subjects.append(self._subject)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Keep a refusal and go on; let every other error pass."""
        refused = isinstance(error, UnsupportedPackage)
        if isinstance(error, UnsupportedPackage):
            for reason in error.reasons or (error.message,):
                self._reasons[": ".join((*self._subjects, reason))] = None
        self._subjects.pop()
        return refused
