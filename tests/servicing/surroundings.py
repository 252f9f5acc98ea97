"""A world for servicing in tests: quick disks, packages at hand, folders before and after."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.lab.cases import CASES, component, package
from tests.lab.identity import LabIdentity
from tests.lab.manifest import LabPackage
from tests.lab.package import write_cabinet, write_package
from wimdock.clock import FixedClock
from wimdock.files import Disk
from wimdock.image.change_set import ChangeSet, FileEdit, PutFile
from wimdock.image.packages import InstalledPackage
from wimdock.image.staging import StagedImage
from wimdock.image.windows import WindowsImage
from wimdock.paths import ImagePath
from wimdock.servicing.outcome import ServiceReport
from wimdock.servicing.service import ServiceOptions, Surroundings, service, surroundings
from wimdock.wim import Archive
from wimdock.wim.generations import sidecar_path
from wimdock.wim.transaction import Transaction

CLOCK = FixedClock(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
PACKAGE = LabIdentity("Lab-Update-Package").package_id
OTHER_PACKAGE = LabIdentity("Lab-Other-Package").package_id


class QuickDisk(Disk):
    """Leaves the flushing to the system, for tests that do not crash."""

    def flush(self, fd: int) -> None:
        """Do nothing."""

    def flush_folder(self, folder: Path) -> None:
        """Do nothing."""


def quick(workspace: Path | None = None) -> Surroundings:
    """Give surroundings with a quick disk and a clock that stands still."""
    return surroundings(clock=CLOCK, disk=QuickDisk(), workspace=workspace)


def put_in(
    image: Path,
    updates: Sequence[Path],
    options: ServiceOptions | None = None,
    world: Surroundings | None = None,
) -> ServiceReport:
    """Service an image in quick surroundings."""
    return service(image, updates, options or ServiceOptions(indexes=(1,)), world or quick())


def cabinet_of(name: str, folder: Path) -> Path:
    """Write the cabinet of one of the lab's cases into a folder."""
    return write_cabinet(folder / f"{name.replace(' ', '-')}.cab", CASES[name].files())


def other_package(*parents: LabIdentity) -> LabPackage:
    """Give a package beside that of the case "plain"; `parents` are what it asks for."""
    identity = LabIdentity("Lab-Other-Component")
    made = package(replace(component(), identity=identity), name="Lab-Other-Package")
    return replace(made, parents=parents) if parents else made


def other_cabinet(folder: Path, *parents: LabIdentity) -> Path:
    """Write the cabinet of that package into a folder."""
    return write_package(folder / "other.cab", other_package(*parents))


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def everything_in(folder: Path) -> dict[str, tuple[str, int]]:
    """Give every name in a folder and below, with the hash and the time of each file."""
    return {
        str(path.relative_to(folder)): (
            sha256(path) if path.is_file() else "",
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }


def packages_in(image: Path, index: int = 1) -> dict[str, InstalledPackage]:
    """Give the packages that an image lists as installed, by ID."""
    with Archive.open(image) as archive:
        found = WindowsImage(archive, index).installed_packages()
        return {package.id: package for package in found if package.is_installed}


def edit_image(image: Path, *edits: FileEdit, index: int = 1) -> None:
    """Change files of an image, so that a test finds what no capture gives; leave no sidecar."""
    with Transaction.begin(image, disk=QuickDisk(), clock=CLOCK) as transaction:
        staged = StagedImage(WindowsImage(transaction.archive, index), CLOCK)
        staged.stage(ChangeSet(files=edits))
        staged.write(transaction)
        transaction.commit("changed by a test")
    sidecar_path(image).unlink()


def changed_file(image: Path, path: ImagePath, offset: int, data: bytes) -> PutFile:
    """Give the edit that writes some bytes over a file of the first image."""
    with Archive.open(image) as archive:
        found = WindowsImage(archive, 1).read(path)
    assert found is not None
    return PutFile(path, found[:offset] + data + found[offset + len(data) :])
