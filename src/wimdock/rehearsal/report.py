"""What became of a rehearsal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from wimdock.configmgr import StatusMessage
from wimdock.errors import WimdockError
from wimdock.servicing.preflight.host import HostVerdict


class Ending(Enum):
    """How a run ended; the value is for people and for JSON."""

    COMMITTED = "committed"
    PERHAPS = "committed here, not certain there"
    FAILED = "failed"


class UpdateEnding(Enum):
    """What became of one update in one image; the value is for people and for JSON."""

    INSTALLED = "installed"
    SKIPPED = "not required"
    NOT_SUPPORTED = "not supported"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PlayedUpdate:
    """One update in one image; `hresult` is what failed or why it was skipped."""

    index: int
    update: Path
    ending: UpdateEnding
    reason: str = ""
    hresult: int | None = None


@dataclass(frozen=True, slots=True)
class RehearsalReport:
    """A rehearsal: how it ended, what it left, and where its logs are.

    `error` is what ended it, `went_on_after` the first failure of an update that did not, since
    `continue_on_error` was asked for; `result` the image file as a run would have put it back, None
    where it failed; `mount_directory` what is still mounted; `verdicts` the judgement of the
    provider for each index that was reached.
    """

    ending: Ending
    package_id: str
    updates: tuple[PlayedUpdate, ...]
    verdicts: tuple[tuple[int, HostVerdict], ...]
    logs: tuple[Path, ...]
    status_messages: tuple[StatusMessage, ...]
    staging: Path
    error: WimdockError | None = None
    went_on_after: WimdockError | None = None
    mount_directory: Path | None = None
    result: Path | None = None

    @property
    def failure(self) -> WimdockError | None:
        """What failed, whether it ended the run or not; None where nothing did."""
        return self.error or self.went_on_after
