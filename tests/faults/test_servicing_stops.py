"""A servicing run stopped at every write, flush and rename, then run again: once, and once only."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.disk import CountingDisk, RememberingDisk, StoppedError, StoppingDisk
from tests.lab.cases import CASES
from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.lab.package import write_cabinet
from tests.servicing.surroundings import CLOCK, put_in, sha256
from wimdock.files import Disk
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.service import ServiceOptions, surroundings
from wimdock.wim.generations import sidecar_path
from wimdock.wim.rollback import list_generations


class Interrupted:
    """A lab image, an update, and what the image becomes when nothing goes wrong."""

    def __init__(self, lab: Lab, recipe: str, folder: Path) -> None:
        """Service one copy without trouble; remember how."""
        self.original = lab.image(recipe)
        self.folder = folder
        self.image = folder / "image.wim"
        self.cabinet = write_cabinet(folder / "update.cab", CASES["plain"].files())
        counting = CountingDisk(quick=True)
        self.fresh()
        self.run(counting)
        self.operations = counting.operations
        self.old, self.new = sha256(self.original), sha256(self.image)

    def fresh(self) -> None:
        """Put the original in place, without a past."""
        shutil.copyfile(self.original, self.image)
        sidecar_path(self.image).unlink(missing_ok=True)

    def run(self, disk: Disk) -> set[Outcome]:
        """Service all images; give what became of the update in them."""
        world = surroundings(clock=CLOCK, disk=disk)
        report = put_in(self.image, [self.cabinet], ServiceOptions(), world)
        return {result.outcome for result in report.results}

    def is_committed(self) -> bool:
        """Tell which of the two complete states the header shows."""
        header = self.image.read_bytes()[:208]
        return header != self.original.read_bytes()[:208]

    def run_again(self) -> None:
        """Service it as if nothing had happened; it must come out as without trouble."""
        committed = self.is_committed()
        outcomes = self.run(CountingDisk(quick=True))
        assert outcomes == {Outcome.ALREADY_INSTALLED if committed else Outcome.INSTALLED}
        assert sha256(self.image) == self.new
        generations, current = list_generations(self.image)
        assert [g.number for g in generations] == [1, 2]
        assert current is generations[-1]
        hidden = [path.name for path in self.folder.iterdir() if path.name.startswith(".")]
        assert hidden == []


@pytest.mark.parametrize(
    "recipe",
    ["xpress", *(pytest.param(r, marks=pytest.mark.faults) for r in ("multi-check", "lzx"))],
)
def test_stopped_at_every_operation(recipe: str, lab: Lab, tmp_path: Path) -> None:
    case = Interrupted(lab, recipe, tmp_path)
    seen = []
    for at in range(len(case.operations)):
        for torn in (False, True):
            if torn and case.operations[at] != "write":
                continue
            case.fresh()
            with pytest.raises(StoppedError):
                case.run(StoppingDisk(at, torn=torn, quick=True))
            verify(case.image)
            seen.append(case.is_committed())
            case.run_again()
    verify(case.image)
    assert seen == sorted(seen)
    assert set(seen) == {False, True}, "the stops must fall on both sides of the commit"


@pytest.mark.faults
def test_stopped_twice(lab: Lab, tmp_path: Path) -> None:
    """The run that puts things right is stopped as well."""
    case = Interrupted(lab, "xpress", tmp_path)
    for first in range(len(case.operations)):
        for second in range(len(case.operations)):
            case.fresh()
            with pytest.raises(StoppedError):
                case.run(StoppingDisk(first, quick=True))
            committed = case.is_committed()
            stopping = StoppingDisk(second, quick=True)
            if committed:
                assert case.run(stopping) == {Outcome.ALREADY_INSTALLED}
            else:
                # Cutting off what the first run left is one operation more than before.
                with pytest.raises(StoppedError):
                    case.run(stopping)
            verify(case.image)
            case.run_again()
    verify(case.image)


@pytest.mark.faults
@pytest.mark.parametrize("recipe", ["xpress", "multi-check"])
def test_writes_lost_in_a_crash(recipe: str, lab: Lab, tmp_path: Path) -> None:
    """Whatever was not flushed may be lost, in any combination; a normal run follows."""
    case = Interrupted(lab, recipe, tmp_path)
    case.fresh()
    disk = RememberingDisk(case.image)
    case.run(disk)
    sidecar = sidecar_path(case.image)
    for state in disk.states:
        for survival in RememberingDisk.SURVIVALS:
            for path in (case.image, sidecar):
                path.unlink(missing_ok=True)
                if path in state:
                    path.write_bytes(state[path][survival])
            verify(case.image)
            case.run_again()
