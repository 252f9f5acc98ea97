"""Servicing: updates put into the images of one file, in one transaction.

Everything is read, verified, judged and planned first, against the images as the updates before
leave them; then one transaction writes. What can be known to fail fails before the file is touched.
Idempotent by package ID: an update that is installed already is left out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from wimdock.cbs.applicability import ApplicabilityState, judge
from wimdock.cbs.opening import open_update
from wimdock.cbs.plan import make_plan
from wimdock.cbs.support import unsupported
from wimdock.cbs.update import Update
from wimdock.clock import Clock, SystemClock
from wimdock.errors import (
    CorruptImage,
    NotApplicable,
    StorageError,
    UnsignedPackage,
    UnsupportedPackage,
    UsageError,
    WimdockError,
)
from wimdock.events import Reporter, Severity
from wimdock.files import Disk
from wimdock.image.staging import StagedImage, content_size
from wimdock.image.windows import WindowsImage
from wimdock.servicing.outcome import Outcome, ServiceReport, UpdateResult
from wimdock.servicing.replacement import serviced_copy
from wimdock.wim import Archive
from wimdock.wim.transaction import Commit, Transaction

_STATES = {
    ApplicabilityState.INSTALLED: Outcome.ALREADY_INSTALLED,
    ApplicabilityState.SUPERSEDED: Outcome.SUPERSEDED,
    ApplicabilityState.NOT_APPLICABLE: Outcome.NOT_APPLICABLE,
}
# Besides content a write appends metadata, blob table and XML anew.
_MARGIN = 64 << 20


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How to service: `indexes` empty stands for all images; `dictionary` is a file's content."""

    indexes: tuple[int, ...] = ()
    dry_run: bool = False
    continue_on_error: bool = False
    allow_unsigned: bool = False
    on_copy: bool = False
    dictionary: bytes | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run needs of the world, so that tests can give it another one."""

    reporter: Reporter
    clock: Clock
    disk: Disk
    workspace: Path | None = None


def surroundings(
    reporter: Reporter | None = None,
    clock: Clock | None = None,
    disk: Disk | None = None,
    workspace: Path | None = None,
) -> Surroundings:
    """Give the real world, but for what is given."""
    return Surroundings(reporter or Reporter(), clock or SystemClock(), disk or Disk(), workspace)


def service(
    image: Path,
    updates: Sequence[Path],
    options: ServiceOptions,
    world: Surroundings | None = None,
) -> ServiceReport:
    """Put updates into an image file, in the order given.

    All chosen images are changed or none, unless `continue_on_error`: then an update that fails or
    is not applicable is left out of the image, and the others go on. Raises what stops the run;
    the file is then as it was.
    """
    world = world or surroundings()
    if not updates:
        message = "no update was named"
        raise UsageError(message, hint="Name one or more: --update FILE.")
    image = image.resolve()
    with ExitStack() as stack:
        workspace = stack.enter_context(_workspace(world))
        if options.dry_run:
            archive = stack.enter_context(Archive.open(image))
            return _Run(archive, updates, options, world, workspace).plan().report(None)
        if options.on_copy:
            copy = stack.enter_context(serviced_copy(image, world.disk, world.reporter))
            report = _write(copy.path, updates, options, world, workspace)
            if report.commit is not None:
                copy.keep()
            return replace(report, image=image, backup=copy.backup)
        return _write(image, updates, options, world, workspace)


def _write(
    image: Path,
    updates: Sequence[Path],
    options: ServiceOptions,
    world: Surroundings,
    workspace: Path,
) -> ServiceReport:
    with Transaction.begin(
        image, disk=world.disk, clock=world.clock, reporter=world.reporter
    ) as transaction:
        run = _Run(transaction.archive, updates, options, world, workspace).plan()
        return run.report(run.write(transaction))


@contextmanager
def _workspace(world: Surroundings) -> Iterator[Path]:
    with TemporaryDirectory(prefix="wimdock-", dir=world.workspace) as folder:
        yield Path(folder)


class _Run:
    """One run over one archive."""

    def __init__(
        self,
        archive: Archive,
        updates: Sequence[Path],
        options: ServiceOptions,
        world: Surroundings,
        workspace: Path,
    ) -> None:
        self._archive = archive
        self._paths = updates
        self._options = options
        self._world = world
        self._workspace = workspace
        self._results: list[UpdateResult] = []
        self._staged: list[StagedImage] = []
        self._updates: dict[Path, Update] = {}
        self._dictionary = options.dictionary
        self._indexes = options.indexes or tuple(range(1, archive.image_count + 1))

    def plan(self) -> _Run:
        """Read and verify the updates, judge and plan them for every image."""
        reporter = self._world.reporter
        windows = {index: WindowsImage(self._archive, index) for index in self._indexes}
        for number, path in enumerate(self._paths, start=1):
            with reporter.step(f"Read {path.name}") as step:
                update = self._open(number, path, windows[self._indexes[0]])
                if update is not None:
                    self._updates[path] = update
                    step.result = f"{update.verified} hashes verified, signature not"
        for index, image in windows.items():
            with reporter.step(f"Plan image {index}") as step:
                staged = StagedImage(image, self._world.clock)
                for path in self._paths:
                    if path in self._updates:
                        self._plan_update(staged, path, self._updates[path])
                self._staged.append(staged)
                mine = [r for r in self._results if r.index == index]
                step.result = ", ".join(r.outcome.value for r in mine)
        if not self._options.continue_on_error:
            self._refuse_useless()
        return self

    def _open(self, number: int, path: Path, image: WindowsImage) -> Update | None:
        def dictionary() -> bytes | None:
            if self._dictionary is None:
                self._dictionary = image.manifest_dictionary()
            return self._dictionary

        folder = self._workspace / str(number)
        folder.mkdir()
        try:
            update = open_update(path, folder, dictionary=dictionary)
            self._refuse(path, update)
        except WimdockError as error:
            if not self._options.continue_on_error:
                raise
            for index in self._indexes:
                self._fail(index, path, "", error)
            return None
        return update

    def _refuse(self, path: Path, update: Update) -> None:
        if not update.catalogued and not self._options.allow_unsigned:
            message = f"{path.name}: not everything in it is covered by a catalog"
            raise UnsignedPackage(message)
        reasons = unsupported(update)
        if reasons:
            message = f"{path.name} needs what wimdock does not do"
            raise UnsupportedPackage(message, reasons=reasons)

    def _fail(self, index: int, path: Path, package: str, error: WimdockError) -> None:
        self._world.reporter.message(f"{path.name}: {error.message}", Severity.ERROR)
        self._results.append(
            UpdateResult(
                index, path, package, Outcome.FAILED, error.message, error.hresult, error=error
            )
        )

    def _plan_update(self, staged: StagedImage, path: Path, update: Update) -> None:
        package = update.root.id
        answer = judge(update, staged.installed_packages(), staged.architecture)
        if not answer.is_applicable:
            outcome = _STATES[answer.state]
            result = UpdateResult(
                staged.index, path, package, outcome, answer.reason, answer.hresult
            )
            if outcome is Outcome.NOT_APPLICABLE and self._options.continue_on_error:
                message = f"{path.name} is not for image {staged.index}: {answer.reason}"
                result = replace(result, error=NotApplicable(message))
            self._results.append(result)
            return
        try:
            plan = make_plan(update, staged, self._world.clock)
            staged.stage(plan.change_set)
        except WimdockError as error:
            if not self._options.continue_on_error:
                raise
            self._fail(staged.index, path, package, error)
            return
        outcome = Outcome.PLANNED if self._options.dry_run else Outcome.INSTALLED
        self._results.append(
            UpdateResult(staged.index, path, package, outcome, answer.reason, plan=plan)
        )

    def _refuse_useless(self) -> None:
        """End the run, before anything is written, for an update that no chosen image takes."""
        for path in self._paths:
            mine = [result for result in self._results if result.update == path]
            if mine and all(result.outcome is Outcome.NOT_APPLICABLE for result in mine):
                message = f"{path.name} is not applicable: {mine[0].reason}"
                hint = "Choose an update for this image, or leave it out."
                raise NotApplicable(message, hint=hint)

    def write(self, transaction: Transaction) -> Commit | None:
        """Write all staged images in one transaction; None where there is nothing to write."""
        staged = [image for image in self._staged if image.changed]
        if not staged:
            return None
        reporter = self._world.reporter
        _need_space(self._archive, staged)
        written = []
        for image in staged:
            with reporter.step(f"Write image {image.index}") as step:
                written.append(image.write(transaction))
                step.result = f"{len(written[-1].files):,} names"

        def confirm(archive: Archive) -> None:
            with reporter.step("Compare with the plan") as step:
                for each in written:
                    each.check(archive)
                    self._check_packages(WindowsImage(archive, each.index))
                kept = sum(len(each.reparse_points) for each in written)
                step.result = f"{kept:,} reparse points as before"

        done = [r for r in self._results if r.outcome is Outcome.INSTALLED]
        note = "service: " + ", ".join(dict.fromkeys(result.package for result in done))
        return transaction.commit(note, confirm)

    def _check_packages(self, image: WindowsImage) -> None:
        """Make sure that the registry, as it will be read, lists what was to be installed."""
        installed = {p.id.lower() for p in image.installed_packages() if p.is_installed}
        for result in self._results:
            if result.index == image.index and result.plan is not None:
                missing = [p for p in result.plan.packages if p.lower() not in installed]
                if missing:
                    message = f"image {image.index} would not list {missing[0]} as installed"
                    raise CorruptImage(message, hint="The image is as it was; report this.")

    def report(self, commit: Commit | None) -> ServiceReport:
        """Give what became of every update in every image."""
        order = {path: number for number, path in enumerate(self._paths)}
        results = sorted(self._results, key=lambda r: (r.index, order[r.update]))
        catalogued = {path: update.catalogued for path, update in self._updates.items()}
        return ServiceReport(self._archive.path, tuple(results), commit, catalogued)


def _need_space(archive: Archive, staged: Sequence[StagedImage]) -> None:
    """Refuse before the first write what the disk cannot hold."""
    needed = _MARGIN + len(archive.blobs.data)
    for image in staged:
        needed += content_size(image.file_edits())
        needed += archive.metadata_blobs[image.index - 1].resource.stored_size * 2
    free = shutil.disk_usage(archive.path.parent).free
    if free < needed:
        message = (
            f"{archive.path.parent} has {free >> 20:,} MiB free, "
            f"but the run may need {needed >> 20:,} MiB"
        )
        hint = "Free space on that disk; nothing was touched."
        raise StorageError(message, hint=hint, hresult=0x80070070)


def read_dictionary(path: Path | None) -> bytes | None:
    """Give the manifest dictionary from a file, named or in WIMDOCK_MANIFEST_DICTIONARY."""
    name = path or os.environ.get("WIMDOCK_MANIFEST_DICTIONARY")
    if not name:
        return None
    from wimdock.files import open_file, read_at

    fd = open_file(Path(name))
    try:
        return read_at(fd, 16 << 20, 0)
    finally:
        os.close(fd)
