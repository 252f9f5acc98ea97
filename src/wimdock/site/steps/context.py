"""What a step works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from wimdock.errors import NoSuchRecord, WimdockError
from wimdock.events import Reporter
from wimdock.servicing.options import Surroundings, surroundings
from wimdock.site.images.commit_token import commit_token
from wimdock.site.images.records import file_of, package_of
from wimdock.site.messages.log import SiteLog
from wimdock.site.models import ImagePackage, Run, Step, StepName, UpdateRow
from wimdock.site.runs.lease import check_fence
from wimdock.site.site import Site


class StepFailedError(Exception):
    """A step failed, and what it had found by then is to be kept."""

    def __init__(self, error: WimdockError, result: dict[str, Any]) -> None:
        """Take both."""
        super().__init__(error.message)
        self.error = error
        self.result = result


@dataclass(frozen=True, slots=True)
class RunContext:
    """A run, its image package and updates, and where to tell of what happens.

    `results` are those of the steps that are done, `begun` names those and the others that were
    ever begun. `attempt` counts how often this step was begun.
    """

    site: Site
    run: Run
    token: int
    package: ImagePackage
    updates: tuple[UpdateRow, ...]
    reporter: Reporter
    log: SiteLog
    results: dict[StepName, dict[str, Any]] = field(default_factory=dict)
    attempt: int = 1
    begun: frozenset[StepName] = frozenset()

    @property
    def file(self) -> Path:
        """The image file, as this worker sees it."""
        return file_of(self.site, self.package)

    @property
    def commit_token(self) -> str:
        """What the run's generation is recorded with: no other run of any site has it."""
        return commit_token(self.site, self.run.id)

    def option(self, name: str, default: Any = None) -> Any:
        """Give an option of the run."""
        return self.run.options.get(name, default)

    def permit(self) -> None:
        """Make sure that the run may still write; a database that cannot be asked forbids it."""
        check_fence(self.site, self.run.id, self.token)

    def world(self, permit: Callable[[], None] | None = None) -> Surroundings:
        """Give what servicing needs of the world."""
        return surroundings(self.reporter, self.site.clock, permit=permit or self.permit)


def load_context(
    site: Site, run_id: int, token: int, reporter: Reporter, log: SiteLog, *, attempt: int = 1
) -> RunContext:
    """Read all that a step works with."""
    with site.reading() as session:
        run = session.get(Run, run_id)
        if run is None:
            message = f"there is no run {run_id}"
            raise NoSuchRecord(message)
        package = package_of(session, run.package_id, removed=True)
        rows = session.scalars(select(UpdateRow).where(UpdateRow.id.in_(run.update_ids))).all()
        known = {row.id: row for row in rows}
        updates = tuple(known[each] for each in run.update_ids if each in known)
        steps = session.scalars(select(Step).where(Step.run_id == run_id)).all()
    results = {step.name: step.result for step in steps if step.ended_at is not None}
    begun = frozenset(step.name for step in steps)
    return RunContext(site, run, token, package, updates, reporter, log, results, attempt, begun)
