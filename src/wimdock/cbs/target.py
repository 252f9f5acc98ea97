"""The image that a plan is made for, as far as planning looks at it.

`wimdock.image.WindowsImage` is one, and so is an image with edits staged but not yet written: the
plan of a second update is made against what the first one leaves, by reading through the same
questions again. Planning keeps nothing between two plans.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from wimdock.cbs.applicability import InstalledPackageLike
from wimdock.image.change_set import HiveName
from wimdock.paths import ImagePath


class TargetValue(Protocol):
    """A registry value."""

    @property
    def name(self) -> str:
        """Its name, "" for the default value."""

    @property
    def type(self) -> int:
        """Its type as a number."""

    @property
    def data(self) -> bytes:
        """Its data."""


class TargetKey(Protocol):
    """A registry key."""

    @property
    def name(self) -> str:
        """Its name."""

    def subkeys(self) -> Iterator[TargetKey]:
        """Go through the keys below it."""

    def values(self) -> Iterator[TargetValue]:
        """Go through its values."""

    def value(self, name: str, /) -> TargetValue | None:
        """Find a value by name, without regard to case."""


class TargetHive(Protocol):
    """A registry hive, read only."""

    def open_key(self, path: str, /) -> TargetKey | None:
        """Find a key by its path from the root, without regard to case."""


class TargetImage(Protocol):
    """An image that can be serviced."""

    @property
    def architecture(self) -> str:
        """Its architecture in the words of servicing: amd64, x86, arm64, …."""

    @property
    def control_set(self) -> str:
        """The control set that CurrentControlSet stands for, such as ControlSet001."""

    def hive(self, name: HiveName, /) -> TargetHive | None:
        """Give a hive, or None where the image has none of that name."""

    def installed_packages(self) -> Collection[InstalledPackageLike]:
        """Give the packages that its registry lists, in whatever state."""

    def lookup(self, path: ImagePath, /) -> object | None:
        """Give whatever stands at a path, or None."""

    def obstacle(self, path: ImagePath, /, *, folder: bool = False) -> str:
        """Say what stands in the way of a file, or with `folder` a folder; "" for nothing."""


def text_of(value: TargetValue | None) -> str:
    """Give a value's data as text, without what follows the first NUL; "" where there is none."""
    if value is None:
        return ""
    return value.data.decode("utf-16-le", errors="replace").partition("\0")[0]


def texts_of(value: TargetValue | None) -> tuple[str, ...]:
    """Give the strings of a REG_MULTI_SZ value."""
    if value is None:
        return ()
    text = value.data.decode("utf-16-le", errors="replace")
    return tuple(part for part in text.split("\0") if part)
