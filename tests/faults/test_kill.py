"""Servicing runs killed at random moments, each followed by a normal one: none lost, none doubled.

The moments fall into four kinds in turn: anywhere in the run, counted from its start; after the
image file began to grow; while the new state is recorded, which is just before the commit; and
around the end.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.lab.cases import large_package
from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.lab.package import write_package
from tests.servicing.surroundings import packages_in, put_in, quick, sha256
from wimdock.servicing.outcome import Outcome
from wimdock.wim.generations import read_generations, sidecar_path
from wimdock.wim.rollback import list_generations, rollback

_SEED = 20260304
_PATIENCE = 60.0
_LOOK = 0.0002
# Recording the new state, the commit and their flushes take about that long.
_COMMIT = 0.003


@dataclass(frozen=True, slots=True)
class Moments:
    """How long a run takes, in seconds: all of it, and from its first write on."""

    whole: float
    from_growth: float


class Victim:
    """An image, an update, and processes that put the one into the other."""

    def __init__(self, lab: Lab, folder: Path, files: int, *words: str) -> None:
        """Prepare both; `words` are further options of the runs to be stopped."""
        self.words = words
        self.original = lab.image("xpress")
        self.images = folder / "images"
        self.place = folder / "place"
        self.images.mkdir()
        self.place.mkdir()
        self.image = self.images / "image.wim"
        self.package = large_package(files, max(files // 25, 1))
        self.cabinet = write_package(folder / "update.cab", self.package)
        self.packages = {
            self.package.identity.package_id,
            *(child.identity.package_id for child in self.package.children),
        }

    def fresh(self) -> None:
        """Put the original in place, without a past."""
        shutil.rmtree(self.images)
        self.images.mkdir()
        shutil.copyfile(self.original, self.image)

    def start(self) -> subprocess.Popen[bytes]:
        """Start a run."""
        return subprocess.Popen(
            (
                *(sys.executable, "-m", "wimdock", "service", str(self.image)),
                *("--update", str(self.cabinet), *self.words),
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src"), "TMPDIR": str(self.place)},
        )

    def has_grown(self) -> bool:
        """Tell whether the run began to write."""
        copy = self.image.with_name(f".{self.image.name}.servicing")
        size = self.original.stat().st_size
        return any(path.exists() and path.stat().st_size > size for path in (copy, self.image))

    def is_recorded(self) -> bool:
        """Tell whether the run is about to commit, or has done so."""
        return sidecar_path(self.image).exists()

    def is_recording(self) -> bool:
        """Tell whether the run begins to record the new state, or has done so."""
        return any("generations" in path.name for path in self.images.iterdir())

    def measure(self) -> Moments:
        """Let a run come to its end and take the time."""
        self.fresh()
        began = time.monotonic()
        process = self.start()
        wait_for(self.has_grown, process)
        grown = time.monotonic()
        assert process.wait(_PATIENCE) == 0
        ended = time.monotonic()
        return Moments(ended - began, ended - grown)

    def stop_at(
        self,
        kind: int,
        moments: Moments,
        chance: random.Random,
        sign: signal.Signals = signal.SIGKILL,
    ) -> int:
        """Start a run and send it a signal at a moment of the given kind; give its status."""
        self.fresh()
        process = self.start()
        match kind % 4:
            case 0:
                time.sleep(chance.uniform(0, moments.whole))
            case 1:
                wait_for(self.has_grown, process)
                time.sleep(chance.uniform(0, moments.from_growth))
            case 2:
                wait_for(self.is_recording, process)
                time.sleep(chance.uniform(0, _COMMIT))
            case _:
                time.sleep(moments.whole * chance.uniform(0.6, 1.0))
        process.send_signal(sign)
        return process.wait(_PATIENCE)

    def check(self) -> str:
        """Look at what the killed run left, run again, look again; say where it was."""
        verify(self.image)
        was_there = self.packages <= packages_in(self.image).keys()
        assert was_there or not self.packages & packages_in(self.image).keys()
        phase = "after the commit" if was_there else "before"
        if not was_there and self.has_grown():
            phase = "while it wrote"
        if not was_there and self.is_recorded():
            phase = "right before the commit"
        report = put_in(self.image, [self.cabinet], world=quick(self.place))
        assert [result.outcome for result in report.results] == [
            Outcome.ALREADY_INSTALLED if was_there else Outcome.INSTALLED
        ]
        assert (report.commit is None) == was_there
        verify(self.image)
        assert self.packages <= packages_in(self.image).keys()
        generations, current = list_generations(self.image)
        assert [g.number for g in generations] == [1, 2]
        assert current is generations[-1]
        assert current.length == self.image.stat().st_size
        left = {path.name for path in self.images.iterdir()}
        backup = f"{self.image.name}.backup"
        assert left - {backup} == {self.image.name, sidecar_path(self.image).name}
        if backup in left:
            assert self.words
            assert sha256(self.images / backup) == sha256(self.original)
        assert list(self.place.iterdir()) == [], "a killed run's workspace was left"
        before = sha256(self.image)
        again = put_in(self.image, [self.cabinet], world=quick(self.place))
        assert again.results[0].outcome is Outcome.ALREADY_INSTALLED
        assert sha256(self.image) == before
        rollback(self.image)
        assert not self.packages & packages_in(self.image).keys()
        assert read_generations(self.image)[0].length == self.original.stat().st_size
        return phase


def wait_for(sign: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until there is a sign, or the process ended."""
    end = time.monotonic() + _PATIENCE
    while not sign() and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(_LOOK)


def kill_runs(victim: Victim, count: int) -> Counter[str]:
    """Kill so many runs, each followed by a normal one; count where they were."""
    chance = random.Random(_SEED)
    measured = [victim.measure() for _ in range(3)]  # the first one finds cold caches
    moments = Moments(*map(min, zip(*(astuple(each) for each in measured), strict=True)))
    phases: Counter[str] = Counter()
    for number in range(count):
        victim.stop_at(number, moments, chance)
        phases[victim.check()] += 1
    return phases


def test_a_run_that_is_told_to_end_leaves_nothing(lab: Lab, tmp_path: Path) -> None:
    """It has the time to take away what it made, and to cut off what it appended."""
    victim = Victim(lab, tmp_path, files=10)
    chance = random.Random(_SEED)
    moments = victim.measure()
    for number, sign in enumerate((signal.SIGTERM, signal.SIGINT, signal.SIGTERM)):
        status = victim.stop_at(number, moments, chance, sign)
        # Before Python has set up its handlers, the signal itself ends it.
        assert status in {0, -sign, {signal.SIGTERM: 143, signal.SIGINT: 130}[sign]}
        if status >= 0:
            assert not list(victim.place.glob("*/content/*"))
            assert not list(victim.images.glob(".*"))
        if status > 0:
            committed = victim.packages <= packages_in(victim.image).keys()
            assert committed or not victim.has_grown()
        victim.check()


def test_a_few_runs(lab: Lab, tmp_path: Path) -> None:
    phases = kill_runs(Victim(lab, tmp_path, files=10), 6)
    assert phases.total() == 6


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_runs_on_a_copy(lab: Lab, tmp_path: Path) -> None:
    phases = kill_runs(Victim(lab, tmp_path, 50, "--copy"), 20)
    assert phases.total() == 20


@pytest.mark.faults
@pytest.mark.timeout(900)
def test_fifty_runs(
    lab: Lab, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    phases = kill_runs(Victim(lab, tmp_path, files=150), 50)
    record_property("phases", dict(phases))
    assert phases.total() == 50
    assert phases["while it wrote"] > 0
    assert phases["after the commit"] > 0
