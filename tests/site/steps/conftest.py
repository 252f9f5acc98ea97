"""A site with the demo's image and update, and runs executed step by step in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.demo_files import copy_demo
from wimdock.site.images.adding import add_package
from wimdock.site.models import ImagePackage, Run, Step, StepName, UpdateResultRow
from wimdock.site.runs.create import RunRequest, create_run
from wimdock.site.runs.listing import run_details
from wimdock.site.runs.queue import WorkerOffer, begin, claim, register_worker
from wimdock.site.site import Site
from wimdock.site.steps.perform import perform
from wimdock.site.updates.importing import import_updates

UNSIGNED = {"allow_unsigned": True}


@dataclass
class Dock:
    """A site with one image package and one update, and a worker."""

    site: Site
    file: Path
    package_id: str
    update_id: int
    worker: str

    def new_run(self, **others: Any) -> int:
        """Make a run of the update."""
        given: dict[str, Any] = {"update_ids": [self.update_id], "options": UNSIGNED} | others
        with self.site.writing() as session:
            package = session.get_one(ImagePackage, self.package_id)
            run = create_run(session, self.site, RunRequest(package, **given))
            assert run is not None
        return run.id

    def token(self, run_id: int, attempt: int = 1) -> int:
        """Claim a run and begin it."""
        assert [each.run_id for each in claim(self.site, self.worker, 1)] == [run_id]
        token = begin(self.site, run_id, attempt, self.worker)
        assert token is not None
        return token

    def execute(self, run_id: int, attempt: int = 1) -> Run:
        """Do all steps of a run, as the engine does."""
        token = self.token(run_id, attempt)
        for step in StepName:
            perform(self.site, run_id, token, step)
        return self.run(run_id)

    def run(self, run_id: int) -> Run:
        """Give the run as it is now."""
        return run_details(self.site, run_id).run

    def steps(self, run_id: int) -> Mapping[StepName, Step]:
        """Give the steps of a run."""
        return {step.name: step for step in run_details(self.site, run_id).steps}

    def results(self, run_id: int) -> list[UpdateResultRow]:
        """Give the results of a run."""
        return list(run_details(self.site, run_id).results)

    @property
    def log(self) -> str:
        """What the site's log says."""
        return (self.site.logs / "OfflineServicingMgr.log").read_text("utf-8")


@pytest.fixture
def dock(site: Site, tmp_path: Path) -> Callable[[], Dock]:
    """Give a function that makes all of it."""

    def make() -> Dock:
        folder = tmp_path / "images"
        folder.mkdir()
        copy_demo(folder)
        package = add_package(site, folder / "demo.wim")
        [imported] = import_updates(site, folder / "demo-update.cab")
        assert imported.update is not None
        worker = register_worker(site, WorkerOffer("host", "boot", 1))
        return Dock(site, folder / "demo.wim", package.id, imported.update.id, worker)

    return make
