"""Updates and images of preflight's tests, made as they are needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.lab.cases import component, package
from tests.lab.identity import LabIdentity
from tests.lab.package import write_package
from tests.servicing.surroundings import CLOCK, QuickDisk, quick
from wimdock.configmgr.provider import parse_provider
from wimdock.image.change_set import ChangeSet, FileEdit, RegistryEdit
from wimdock.image.staging import StagedImage
from wimdock.image.windows import WindowsImage
from wimdock.servicing.preflight.check import Check
from wimdock.servicing.preflight.report import PreflightReport
from wimdock.servicing.preflight.run import PreflightOptions, preflight
from wimdock.wim.generations import sidecar_path
from wimdock.wim.transaction import Transaction

STACK = "Package_for_ServicingStack_1234"


def looked(
    image: Path,
    *providers: str,
    updates: tuple[Path, ...] = (),
    indexes: tuple[int, ...] = (),
    staging: Path | None = None,
) -> PreflightReport:
    """Run a preflight in quick surroundings; providers are written as on the command line."""
    hosts = tuple(parse_provider(text) for text in providers)
    return preflight(image, PreflightOptions(indexes, updates, hosts, staging), quick())


def checks(report: PreflightReport, name: str, index: int | None = None) -> list[Check]:
    """Give the checks of a name, of one image where an index is given."""
    found = [check for check in report.checks if check.name == name]
    return [check for check in found if index is None or check.index == index]


def check(report: PreflightReport, name: str, index: int | None = None) -> Check:
    """Give the only check of a name."""
    (found,) = checks(report, name, index)
    return found


def cumulative(folder: Path, version: str) -> Path:
    """Write a cumulative update of this version, for the lab's Windows."""
    made = package(component(), name="Lab-Update-Package")
    identity = LabIdentity("Package_for_RollupFix", version=version)
    return write_package(folder / f"rollup-{version}.cab", replace(made, identity=identity))


def stack(folder: Path) -> Path:
    """Write a servicing stack update for the lab's Windows."""
    made = replace(package(component()), identity=LabIdentity(STACK, version="19041.900.1.1"))
    return write_package(folder / "stack.cab", made)


def edit(
    image: Path,
    *registry: RegistryEdit,
    files: tuple[FileEdit, ...] = (),
) -> None:
    """Change the first image, so that a test finds what no capture gives; leave no sidecar."""
    with Transaction.begin(image, disk=QuickDisk(), clock=CLOCK) as transaction:
        staged = StagedImage(WindowsImage(transaction.archive, 1), CLOCK)
        staged.stage(ChangeSet(files=files, registry=registry))
        staged.write(transaction)
        transaction.commit("changed by a test")
    sidecar_path(image).unlink()
