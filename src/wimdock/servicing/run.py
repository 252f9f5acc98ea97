"""One run over one image file: updates opened, judged, planned, staged, and written together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wimdock.cbs.applicability import ApplicabilityState, PackageState, judge
from wimdock.cbs.opening import open_update
from wimdock.cbs.plan import make_plan
from wimdock.cbs.support import unsupported
from wimdock.cbs.update import Update
from wimdock.errors import (
    CorruptImage,
    DeltaError,
    NotApplicable,
    PackageError,
    UnsignedPackage,
    UnsupportedPackage,
    WimdockError,
)
from wimdock.events import Severity
from wimdock.image.staging import StagedImage
from wimdock.image.windows import WindowsImage
from wimdock.image.writing import PreparedImage, Written
from wimdock.servicing.needed_hives import lacking_hive
from wimdock.servicing.options import ServiceOptions, Surroundings
from wimdock.servicing.outcome import Outcome, ServiceReport, UpdateResult
from wimdock.servicing.space import need_space
from wimdock.wim import Archive
from wimdock.wim.transaction import Commit, Transaction

_STATES = {
    ApplicabilityState.INSTALLED: Outcome.ALREADY_INSTALLED,
    ApplicabilityState.SUPERSEDED: Outcome.SUPERSEDED,
    ApplicabilityState.NOT_APPLICABLE: Outcome.NOT_APPLICABLE,
}


class Run:
    """The images and updates of a run: `plan` only reads, `write` commits, `report` tells."""

    def __init__(
        self,
        archive: Archive,
        updates: Sequence[Path],
        options: ServiceOptions,
        world: Surroundings,
        workspace: Path,
    ) -> None:
        """Take what to do; updates are unpacked into `workspace`."""
        self._archive = archive
        self._paths = tuple(dict.fromkeys(updates))
        self._options = options
        self._world = world
        self._workspace = workspace
        self._results: list[UpdateResult] = []
        self._prepared: list[PreparedImage] = []
        self._image: WindowsImage | None = None
        self._updates: dict[Path, Update] = {}
        self._dictionary = options.dictionary
        self._indexes = options.indexes or tuple(range(1, archive.image_count + 1))

    # Planning

    def plan(self) -> Run:
        """Read and verify the updates, judge and plan them for every image."""
        indexes = [index for index in self._indexes if self._is_windows(self._windows(index))]
        for number, path in enumerate(self._paths, start=1):
            self._read(number, path, indexes)
        for index in indexes:
            self._plan_image(self._windows(index))
        if not self._options.continue_on_error:
            self._refuse_not_applicable()
        return self

    def _windows(self, index: int) -> WindowsImage:
        """Give an image; only the last one is kept, for each takes much memory."""
        if self._image is None or self._image.index != index:
            self._image = None
            self._image = WindowsImage(self._archive, index)
        return self._image

    def _is_windows(self, image: WindowsImage) -> bool:
        error = lacking_hive(image)
        if error is None:
            return True
        if not self._options.continue_on_error:
            raise error
        for path in self._paths:
            self._fail(image.index, path, "", error)
        return False

    def _read(self, number: int, path: Path, indexes: Sequence[int]) -> None:
        with self._world.reporter.step(f"Read {path.name}") as step:
            try:
                update = self._open(number, path, indexes)
            except WimdockError as error:
                if not self._options.continue_on_error:
                    raise
                for index in indexes:
                    self._fail(index, path, "", error)
                step.result = "left out"
                return
            self._updates[path] = update
            step.result = _vouched_for(update)

    def _open(self, number: int, path: Path, indexes: Sequence[int]) -> Update:
        def dictionary() -> bytes | None:
            if self._dictionary is None:
                found = (self._windows(index).manifest_dictionary() for index in indexes)
                self._dictionary = next((each for each in found if each is not None), None)
            return self._dictionary

        try:
            update = open_update(path, self._workspace / str(number), dictionary=dictionary)
        except (DeltaError, PackageError) as error:
            if path.name not in error.message:
                error.message = f"{path.name}: {error.message}"
            if self._options.dictionary is not None and not isinstance(error, UnsupportedPackage):
                error.hint = f"Check the manifest dictionary that was given. {error.hint}".strip()
            raise
        reasons = unsupported(update)
        if reasons:
            message = f"{path.name} needs what wimdock does not do"
            raise UnsupportedPackage(message, reasons=reasons)
        if not update.catalogued and not self._options.allow_unsigned:
            message = f"{path.name}: not everything in it is covered by a catalog"
            raise UnsignedPackage(message)
        return update

    def _fail(self, index: int, path: Path, package: str, error: WimdockError) -> None:
        named = "" if path.name in error.message else f"{path.name}: "
        self._world.reporter.message(f"{named}{error.message}", Severity.ERROR)
        self._results.append(
            UpdateResult(
                index, path, package, Outcome.FAILED, error.message, error.hresult, error=error
            )
        )

    def _plan_image(self, image: WindowsImage) -> None:
        with self._world.reporter.step(f"Plan image {image.index}") as step:
            staged = StagedImage(image, self._world.clock)
            for path in self._paths:
                update = self._updates.get(path)
                if update is None:
                    continue
                try:
                    self._results.append(self._planned(staged, path, update))
                except WimdockError as error:
                    if not self._options.continue_on_error:
                        raise
                    self._fail(staged.index, path, update.root.id, error)
            if staged.changed and not self._options.dry_run:
                folder = self._workspace / f"image-{image.index}"
                self._prepared.append(staged.prepare(folder))
            mine = [r for r in self._results if r.index == image.index]
            step.result = ", ".join(r.outcome.value for r in mine)

    def _planned(self, staged: StagedImage, path: Path, update: Update) -> UpdateResult:
        package = update.root.id
        answer = judge(update, staged.installed_packages(), staged.architecture)
        if not answer.is_applicable:
            result = UpdateResult(
                staged.index, path, package, _STATES[answer.state], answer.reason, answer.hresult
            )
            if result.outcome is Outcome.NOT_APPLICABLE and not self._options.only_applicable:
                result = replace(result, error=_not_applicable(result))
            return result
        plan = make_plan(update, staged, self._world.clock)
        staged.stage(plan.change_set)
        outcome = Outcome.PLANNED if self._options.dry_run else Outcome.INSTALLED
        return UpdateResult(staged.index, path, package, outcome, answer.reason, plan=plan)

    def _refuse_not_applicable(self) -> None:
        """End the run, before anything is written, where an update is not for a chosen image."""
        for result in self._results:
            if result.error is not None:
                raise result.error

    @property
    def brings_something(self) -> bool:
        """Tell whether there is anything to write."""
        return bool(self._prepared)

    # Writing

    def write(self, transaction: Transaction) -> Commit | None:
        """Write all images in one transaction; None where there is nothing to write."""
        if not self._prepared:
            return None
        reporter = self._world.reporter
        need_space(self._archive, self._prepared)
        self._image = None
        written = []
        for image in self._prepared:
            with reporter.step(f"Write image {image.index}") as step:
                written.append(image.write(transaction, reporter))
                self._note_added(written[-1])
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
        token = self._options.token
        return transaction.commit(note, confirm, token=token, permit=self._world.permit)

    def _note_added(self, written: Written) -> None:
        """Put to each result by how much its update made the file grow."""
        added = iter(written.added)
        self._results = [
            replace(result, added=next(added))
            if result.index == written.index and result.plan is not None
            else result
            for result in self._results
        ]

    def _check_packages(self, image: WindowsImage) -> None:
        """Make sure that the registry, as it will be read, lists what was to be installed.

        An update may have superseded what those before it in the same run brought.
        """
        good = {PackageState.INSTALLED, PackageState.PERMANENT}
        states = {p.id.lower(): p.state for p in image.installed_packages()}
        plans = [r.plan for r in self._results if r.index == image.index and r.plan is not None]
        for plan in reversed(plans):
            missing = [p for p in plan.packages if states.get(p.lower()) not in good]
            if missing:
                message = f"image {image.index} would not list {missing[0]} as installed"
                raise CorruptImage(message, hint="The image is as it was; report this.")
            good.add(PackageState.SUPERSEDED)

    def report(self, commit: Commit | None) -> ServiceReport:
        """Give what became of every update in every image."""
        order = {path: number for number, path in enumerate(self._paths)}
        results = sorted(self._results, key=lambda r: (r.index, order[r.update]))
        catalogued = {path: update.catalogued for path, update in self._updates.items()}
        return ServiceReport(self._archive.path, tuple(results), commit, catalogued)


def _vouched_for(update: Update) -> str:
    """Say how far what is in an update is known to be what its maker put there."""
    hashes = "1 hash" if update.verified == 1 else f"{update.verified:,} hashes"
    return f"{hashes} verified, {'signature not' if update.catalogued else 'unsigned'}"


def _not_applicable(result: UpdateResult) -> NotApplicable:
    message = f"{result.update.name} is not for image {result.index}: {result.reason}"
    hint = (
        "Choose an update for this image, or other images with --index; "
        "--continue-on-error goes on without."
    )
    return NotApplicable(message, hint=hint, hresult=result.hresult)
