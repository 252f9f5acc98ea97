"""Transfers stopped at every write, full disks, lost mounts, lost writes, kills; readers meanwhile.

At every moment the point has the old image or the new one, whole; and what was interrupted is gone
on with when the claim of whoever was stopped has run out.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.faults.disk import CountingDisk, FullDisk, RememberingDisk, StoppingDisk
from tests.lab.lab import Lab
from tests.site.conftest import SetClock
from tests.site.distribution.distributing import (
    SEGMENT,
    committed,
    register,
    verify,
)
from wimdock.errors import DistributionError, PointDown
from wimdock.files import Disk, storage_error
from wimdock.site.distribution import Means, add_point, retry_due, send_to
from wimdock.site.distribution.claim import Claim
from wimdock.site.models import ContentState
from wimdock.site.opening import Place, create_site

pytestmark = pytest.mark.faults

_SEED = 20261103


class MachineStopped(BaseException):
    """The machine stopped: nothing of what would be done after an error is done."""


class DeadDisk(StoppingDisk):
    """Stops the machine, not only an operation."""

    def _next(self, what: str) -> None:
        CountingDisk._next(self, what)
        if len(self.operations) > self.at:
            raise MachineStopped


def means(disk: Disk, segment: int = SEGMENT) -> Means:
    return Means(disk=disk, segment=segment)


class Case:
    """A served image package, and a way in which it changes."""

    def __init__(self, lab: Lab, folder: Path, way: str) -> None:
        """Bring it to where it is before the transfer that is stopped; count its operations."""
        self.clock = SetClock(datetime(2026, 11, 3, 12, 0, tzinfo=UTC))
        self.site = create_site(Place(folder / "site"), "CAS", self.clock)
        self.served = register(self.site, lab.copy("xpress", folder), folder / "point")
        add_point(self.site, "here", str(self.served.point))
        if way != "first":
            self.send(CountingDisk(quick=True))
            self.served.service()
        if way == "header":
            self.send(CountingDisk(quick=True))
            self.served.roll_back()
        if way == "replaced":
            words = ("wimlib-imagex", "optimize", str(self.served.image))
            subprocess.run(words, check=True, capture_output=True)
        self._kept = folder / "kept"
        shutil.copytree(self.served.point, self._kept)
        self.old = committed(self.served.served) if way != "first" else None
        self.new = committed(self.served.image)
        with self.site.reading() as session:
            self._before = (
                session.connection()
                .exec_driver_sql("SELECT * FROM distributed_contents")
                .mappings()
                .all()
            )
        counting = CountingDisk(quick=True)
        self.send(counting)
        self.operations = counting.operations
        self.restore()

    def restore(self) -> None:
        """Put point and row back."""
        shutil.rmtree(self.served.point)
        shutil.copytree(self._kept, self.served.point)
        with self.site.writing() as session:
            connection = session.connection()
            connection.exec_driver_sql("DELETE FROM distributed_contents")
            for row in self._before:
                names = ", ".join(row.keys())
                marks = ", ".join("?" * len(row))
                connection.exec_driver_sql(
                    f"INSERT INTO distributed_contents ({names}) VALUES ({marks})",  # noqa: S608
                    tuple(row.values()),
                )

    def send(self, disk: Disk) -> None:
        """Send; errors of the point are recorded."""
        send_to(self.site, [self.served.id], ["here"], means=means(disk))

    def is_whole(self) -> bool:
        """Tell that the point has the old image or the new one; True for the new one."""
        path = self.served.served
        if not path.exists():
            assert self.old is None
            return False
        found = committed(path)
        assert found in (self.old, self.new)
        return found == self.new

    def go_on(self) -> None:
        """Go on where it stopped, once the claim of the one that stopped has run out."""
        self.clock.advance(minutes=5)
        assert retry_due(self.site, means=means(CountingDisk(quick=True))) == 1
        assert committed(self.served.served) == self.new
        found = self.served.placed().content
        assert (found.state, found.holder, found.transfer) == (ContentState.CURRENT, "", {})
        names = {path.name for path in self.served.served.parent.iterdir()}
        assert names == {self.served.image.name}


@pytest.fixture
def case(lab: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Case]:
    """Give a case by the name of what travels."""
    made = Case(lab, tmp_path, request.param)
    yield made
    made.site.close()


every_way = pytest.mark.parametrize("case", ["first", "tail", "header", "replaced"], indirect=True)


@every_way
def test_stopped_at_every_operation(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(len(case.operations)):
        for torn in (False, True):
            if torn and case.operations[at] != "write":
                continue
            case.restore()
            with monkeypatch.context() as patch:
                patch.setattr(Claim, "release", lambda *_: None)
                with pytest.raises(MachineStopped):
                    case.send(DeadDisk(at, torn=torn, quick=True))
            case.is_whole()
            found = retry_due(case.site, means=means(CountingDisk(quick=True)))
            assert found == 0, "the claim of the one that stopped still holds"
            case.go_on()


@every_way
def test_lost_writes(case: Case) -> None:
    """Whatever of the unflushed writes the point's disk lost, it has the old image or the new."""
    part = case.served.served.with_name(f".{case.served.image.name}.part")
    disk = RememberingDisk(case.served.served, part)
    case.send(disk)
    seen = set()
    for state in disk.states:
        contents = state.get(case.served.served)
        if contents is None:
            assert case.old is None
            continue
        for content in contents.values():
            if case.old is not None and content[:208] == case.old[:208]:
                assert content[: len(case.old)] == case.old
                seen.add("old")
            else:
                assert content[: len(case.new)] == case.new
                seen.add("new")
    assert "new" in seen


@every_way
def test_a_full_disk_at_every_operation(case: Case) -> None:
    for at in range(len(case.operations)):
        case.restore()
        case.send(FullDisk(at, quick=True))
        found = case.served.placed().content
        assert found.state is ContentState.FAILED
        assert "No space left" in found.error
        case.is_whole()
        case.go_on()


class TroubledDisk(CountingDisk):
    """Answers with an error of the system from one operation on."""

    def __init__(self, at: int, number: int) -> None:
        """Fail at the operation with this number, counted from 0."""
        super().__init__(quick=True)
        self.at = at
        self.number = number

    def _next(self, what: str) -> None:
        super()._next(what)
        if len(self.operations) > self.at:
            trouble = OSError(self.number, os.strerror(self.number))
            raise storage_error(trouble, "the mount") from trouble


@pytest.mark.parametrize(
    "number, kind",
    [
        (errno.EIO, PointDown),
        (errno.ESTALE, PointDown),
        (errno.EHOSTDOWN, PointDown),
        (errno.ETIMEDOUT, PointDown),
        (errno.ENOSPC, DistributionError),
        (errno.EDQUOT, DistributionError),
        (errno.EROFS, DistributionError),
        (errno.EACCES, DistributionError),
    ],
)
@pytest.mark.parametrize("case", ["tail", "replaced"], indirect=True)
def test_what_a_mount_answers(case: Case, number: int, kind: type[DistributionError]) -> None:
    for at in range(len(case.operations)):
        case.restore()
        disk = TroubledDisk(at, number)
        (sent,) = send_to(case.site, [case.served.id], means=means(disk))
        assert type(sent.error) is kind
        assert sent.error.hint
        point = case.served.placed().point
        assert (point.down_since is not None) == (kind is PointDown)
        case.is_whole()
        case.go_on()
        assert case.served.placed().point.down_since is None


class WatchedDisk(CountingDisk):
    """Lets somebody read at the point after every operation."""

    def __init__(self, look: Callable[[], None]) -> None:
        """Take who looks."""
        super().__init__(quick=True)
        self._look = look

    def _next(self, what: str) -> None:
        super()._next(what)
        self._look()


@every_way
def test_readers_always_see_a_whole_image(case: Case) -> None:
    seen = []

    def look() -> None:
        if case.served.served.exists():
            verify(case.served.served)
            seen.append(case.is_whole())

    case.send(WatchedDisk(look))
    look()
    assert seen == sorted(seen)
    assert seen[-1]


_SENDER = """
import sys, time
from datetime import timedelta
from pathlib import Path
from wimdock.files import Disk
from wimdock.site.distribution import Means, send_to
from wimdock.site.opening import Place, open_site

class SlowDisk(Disk):
    def write_at(self, fd, data, offset):
        super().write_at(fd, data, offset)
        time.sleep(0.01)

site = open_site(Place(Path(sys.argv[1])))
print("ready", flush=True)
means = Means(disk=SlowDisk(), segment=8 << 10)
send_to(site, [sys.argv[2]], means=means)
print("done", flush=True)
"""


@pytest.mark.parametrize("case", ["first", "tail", "replaced"], indirect=True)
def test_killed_at_any_moment(case: Case) -> None:
    dice = random.Random(_SEED)
    killed = 0
    for _ in range(12):
        case.restore()
        case.clock.at = datetime.now(UTC)
        words = (sys.executable, "-c", _SENDER, str(case.site.folder), case.served.id)
        environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"}
        with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(dice.random() * 0.3)
            process.kill()
            killed += process.stdout.read() != b"done\n"
        case.is_whole()
        case.clock.advance(minutes=5)  # it may have been killed before it asked for anything
        case.send(CountingDisk(quick=True))
        verify(case.served.served)
        assert committed(case.served.served) == case.new
    assert killed >= 3


@pytest.mark.parametrize("case", ["replaced"], indirect=True)
def test_a_half_sent_file_is_gone_on_with(case: Case) -> None:
    """Bytes that were verified at the point before the stop are not sent again."""
    total = len(case.new)
    writes = [n for n, what in enumerate(case.operations) if what == "write"]
    at = writes[len(writes) * 2 // 3]
    case.send(FullDisk(at, quick=True))
    case.clock.advance(minutes=5)
    (sent,) = send_to(case.site, [case.served.id], means=means(CountingDisk(quick=True)))
    assert sent.error is None
    assert sent.sent + sent.reused == total
    assert sent.reused >= total // 3
