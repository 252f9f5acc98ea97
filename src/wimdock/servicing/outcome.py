"""What a servicing run did: one result for every image and update, and the commit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from wimdock.cbs.plan import Plan
from wimdock.errors import WimdockError
from wimdock.wim.transaction import Commit


class Outcome(Enum):
    """What became of one update in one image."""

    INSTALLED = "installed"
    PLANNED = "would be installed"
    ALREADY_INSTALLED = "installed already"
    SUPERSEDED = "superseded"
    NOT_APPLICABLE = "not applicable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """One update in one image.

    `reason` is a sentence, `hresult` what Windows' tools give for it, `plan` what was or would be
    done, `error` what went wrong. `added` is by how many bytes its files made the image file grow;
    hives, metadata and tables, which all updates of a run share, come on top.
    """

    index: int
    update: Path
    package: str
    outcome: Outcome
    reason: str
    hresult: int | None = None
    plan: Plan | None = None
    error: WimdockError | None = None
    added: int = 0


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """A run: `commit` is None where nothing was written.

    `catalogued` tells for every update file whether catalogs cover it.
    """

    image: Path
    results: tuple[UpdateResult, ...]
    commit: Commit | None
    catalogued: dict[Path, bool]
    backup: Path | None = None

    @property
    def failure(self) -> WimdockError | None:
        """The first error of a run that went on nevertheless."""
        return next((result.error for result in self.results if result.error), None)
