"""What became of a clean-up: mounts ended, names deleted, errors, and the proof that it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wimdock.errors import WimdockError
from wimdock.servicing.cleanup.leftovers import Leftover
from wimdock.servicing.cleanup.plan import FolderPlan
from wimdock.servicing.cleanup.removal import Tally
from wimdock.servicing.cleanup.staged import StagedPackage


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found afterwards: a new run is possible where nothing of it is in the way.

    `free_before` and `free` are the bytes that the disk had free before the first deletion and
    after the last.
    """

    is_gone: bool
    mounts: tuple[Path, ...]
    leftovers: tuple[Leftover, ...]
    free_before: int
    free: int

    @property
    def allows_a_run(self) -> bool:
        """Tell whether a new run can begin."""
        return not self.mounts and not self.leftovers


@dataclass(slots=True)
class FolderResult:
    """What became of one staging folder: mounts ended, what was deleted, what went wrong."""

    plan: FolderPlan
    unmounted: list[StagedPackage] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    errors: list[WimdockError] = field(default_factory=list)
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """What became of every staging folder."""

    folders: tuple[FolderResult, ...]

    @property
    def errors(self) -> tuple[WimdockError, ...]:
        """Give all that went wrong, in the order in which it did."""
        return tuple(error for folder in self.folders for error in folder.errors)
