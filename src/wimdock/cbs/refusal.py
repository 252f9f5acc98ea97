"""Refusals: what of a package cannot be carried out, collected so that all is said at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def about(self, subject: str) -> Iterator[None]:
        """Keep a refusal raised within, named after what it is about, and go on behind it.

        Within another one, the outer subject comes first.
        """
        self._subjects.append(subject)
        try:
            yield
        except UnsupportedPackage as error:
            for reason in error.reasons or (error.message,):
                self._reasons[": ".join((*self._subjects, reason))] = None
        finally:
            self._subjects.pop()

    def close(self, subject: str) -> None:
        """Raise UnsupportedPackage with all reasons, where there are any."""
        if self._reasons:
            count = len(self._reasons)
            what = "one thing" if count == 1 else f"{count} things"
            message = f"{subject} asks for {what} that wimdock does not carry out"
            raise UnsupportedPackage(message, reasons=self.reasons)
