"""A site with small images and updates, runs for them, and worker processes that tests treat badly.

Each image package gets each update in a run of its own; what must be true when all have ended is
asked of the database, of the images, and of their sidecars.
"""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from tests.cli.demo_files import copy_demo
from tests.lab.identity import LabIdentity
from tests.lab.manifest import LabComponent, LabPackage, LabPayload
from tests.lab.package import write_package
from tests.servicing.surroundings import packages_in
from wimdock.errors import DatabaseUnavailable
from wimdock.servicing.demo_image import PARENT
from wimdock.site.images.adding import add_package
from wimdock.site.images.commit_token import commit_token
from wimdock.site.images.records import file_of
from wimdock.site.messages.table import RUN_SUCCEEDED
from wimdock.site.models import (
    GenerationRow,
    History,
    ImagePackage,
    Lease,
    Run,
    RunState,
    StatusMessageRow,
    WorkerRow,
    WorkerState,
)
from wimdock.site.opening import Place, create_site
from wimdock.site.runs.create import RunRequest, create_run
from wimdock.site.updates.importing import import_updates
from wimdock.wim.rollback import list_generations

REPOSITORY = Path(__file__).resolve().parent.parent.parent
HASTE = {"WIMDOCK_WORKER_HEARTBEAT": "0.5", "WIMDOCK_WORKER_LEASE": "3"}


def update_package(number: int, size: int = 4000) -> LabPackage:
    """Give a package with one file for the demo's image; packages of two numbers share nothing."""
    parent, token, _, _, version = PARENT.split("~")
    name = f"Lab-Run{number:03}"
    content = random.Random(number).randbytes(size)
    component = LabComponent(
        LabIdentity(f"{name}-Tool"), (LabPayload(f"run{number:03}.dll", content),)
    )
    return LabPackage(
        LabIdentity(f"{name}-Package"),
        (component,),
        parents=(LabIdentity(parent, version, token=token),),
        identifier=f"KB5{number:06}",
    )


class WorkerProcess:
    """`wimdock worker` in a process of its own."""

    def __init__(self, folder: Path, log: Path, *options: str, command: str = "worker") -> None:
        """Start it; `log` gets what it says."""
        self.log = log
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "wimdock", command, "--site", str(folder), *options],
                cwd=REPOSITORY,
                env=os.environ | HASTE,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it, and only it: its children find out by themselves."""
        self.process.kill()
        self.process.wait()

    def end(self, seconds: float = 60) -> int:
        """Tell it to end and give its status."""
        self.process.terminate()
        return self.process.wait(seconds)


class Dockyard:
    """The site and all that lies in it."""

    def __init__(
        self, folder: Path, url: str | None, *, images: int, updates: int, size: int = 4000
    ) -> None:
        """Make them, with so many bytes in each update; no run is made yet."""
        self.folder = folder
        self.site = create_site(Place(folder / "site", url), "CAS")
        self.updates = [update_package(number, size) for number in range(1, updates + 1)]
        self.packages = [self._add_image(number) for number in range(1, images + 1)]
        self.update_ids = [self._import(number) for number in range(1, updates + 1)]
        self.base = len(list_generations(self.file(self.packages[0]))[0])
        self.workers: list[WorkerProcess] = []

    def _add_image(self, number: int) -> str:
        place = self.folder / f"image{number:03}"
        place.mkdir()
        copy_demo(place)
        return add_package(self.site, place / "demo.wim").id

    def _import(self, number: int) -> int:
        path = self.folder / f"update{number:03}.cab"
        write_package(path, self.updates[number - 1])
        [imported] = import_updates(self.site, path)
        assert imported.update is not None, imported.error
        return imported.update.id

    def add_run(
        self,
        package_id: str,
        update_ids: Sequence[int],
        *,
        queue: str = "default",
        attempt: int = 1,
        **options: Any,
    ) -> int:
        """Make a run with these options."""
        options = {"allow_unsigned": True} | options
        with self.site.writing() as session:
            package = session.get_one(ImagePackage, package_id)
            request = RunRequest(package, update_ids, options=options, queue=queue)
            run = create_run(session, self.site, request)
            assert run is not None
            run.attempt = attempt
        return run.id

    def add_patient_run(self, **options: Any) -> int:
        """Make a run that waits for the lock of its image, as one that was handed back does."""
        return self.add_run(self.packages[0], self.update_ids[:1], attempt=2, **options)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the first image, so that a patient run stays in its first step."""
        with self.file(self.packages[0]).open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def add_all_runs(self) -> list[int]:
        """Make a run for each update in each image, image by image."""
        return [
            self.add_run(package_id, [update_id])
            for update_id in self.update_ids
            for package_id in self.packages
        ]

    def start_worker(self, *options: str, command: str = "worker") -> WorkerProcess:
        """Start a worker."""
        log = self.folder / f"worker{len(self.workers):03}.log"
        worker = WorkerProcess(self.site.folder, log, *options, command=command)
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        """Leave no process behind."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.send(signal.SIGCONT)
                worker.kill()
        self.site.close()

    # What is known

    def file(self, package_id: str) -> Path:
        """Give the image file of a package."""
        with self.site.reading() as session:
            return file_of(self.site, session.get_one(ImagePackage, package_id))

    def run(self, run_id: int) -> Run:
        """Give a run as it is now."""
        with self.site.reading() as session:
            return session.get_one(Run, run_id)

    def open_runs(self) -> int:
        """Count the runs that have not ended."""
        going = (RunState.QUEUED, RunState.RUNNING)
        with self.site.reading() as session:
            query = select(func.count()).select_from(Run).where(Run.state.in_(going))
            return session.scalar(query) or 0

    def states(self) -> Counter[WorkerState]:
        """Count the workers by their states."""
        with self.site.reading() as session:
            return Counter(session.scalars(select(WorkerRow.state)))

    def until(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        """Wait until something is so; a database that is away is no answer."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except DatabaseUnavailable:
                pass
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.1)

    def told(self) -> str:
        """Give what the workers said last, for a test that failed."""
        parts = [f"{one.log.name}: {one.log.read_text()[-600:]}" for one in self.workers]
        return "\n".join(["it did not come to it", *parts])

    # What must be true

    def check_all(self, run_ids: Sequence[int]) -> None:
        """Every run has succeeded once, and every image holds every update once."""
        with self.site.reading() as session:
            runs = {run.id: run for run in session.scalars(select(Run))}
            ended = Counter(session.scalars(select(History.run_id).where(History.run_id > 0)))
            kind = RUN_SUCCEEDED.id
            told = Counter(
                session.scalars(
                    select(StatusMessageRow.run_id).where(StatusMessageRow.message_id == kind)
                )
            )
            held = session.scalars(select(Lease.run_id).where(Lease.run_id.is_not(None))).all()
        assert set(runs) == set(run_ids)
        assert {run.state for run in runs.values()} == {RunState.SUCCEEDED}
        assert ended == told == Counter(run_ids)
        assert not held
        for package_id in self.packages:
            self._check_image(package_id, [r for r in runs.values() if r.package_id == package_id])

    def _check_image(self, package_id: str, runs: list[Run]) -> None:
        file = self.file(package_id)
        recorded, current = list_generations(file)
        written = [
            each
            for each in recorded
            if each.token and (each.committed or each == current)  # the newest is not marked yet
        ]
        by_token = {each.token: each for each in written}
        assert len(by_token) == len(written)
        assert set(by_token) == {commit_token(self.site, run.id) for run in runs}
        for run in runs:
            made = by_token[commit_token(self.site, run.id)]
            assert (run.generation, run.added) == (made.number, made.added)
        numbers = sorted(each.number for each in by_token.values())
        assert numbers == list(range(self.base + 1, self.base + 1 + len(runs)))
        with self.site.reading() as session:
            query = select(GenerationRow.number).where(
                GenerationRow.package_id == package_id, GenerationRow.run_id.is_not(None)
            )
            assert sorted(session.scalars(query)) == numbers
        installed = packages_in(file)
        for update in self.updates:
            assert update.identity.package_id in installed
        done = subprocess.run(
            [sys.executable, "-m", "wimdock", "verify", str(file)],
            cwd=REPOSITORY,
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr


def descendants(pid: int) -> set[int]:
    """Give the processes below one, so long as their parents live."""
    found: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            found |= {int(folder.name)} | descendants(int(folder.name))
    return found
