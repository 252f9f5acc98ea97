"""Play what Configuration Manager would do with an image on a provider, on a copy.

Order, as Scheduled Updates has it: the staging folder must be free; binaries of updates and the
image file are copied there; for each image of the file the updates are put in, the image is
mounted, and the mount is committed as the provider's Windows could: by capturing the directory
again, which ends with 0x800700A1 where it does not know a reparse point. Then the image stays
mounted and the copy stays where it is, as in the original. Where all images are committed, the copy
takes the place of the image file in `PackageSource` and the staging folder is cleared.

The image file that was named is only read. A crash leaves what a crash of the original leaves:
copies and perhaps a mount below the staging folder, which `wimdock cleanup` clears away.

Unlike the original, updates are put into the copied file before the image is mounted, not into the
mounted directory; the log keeps the original's order.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from wimdock.configmgr import StatusMessage
from wimdock.errors import (
    CommitFailed,
    LeftoversInTheWay,
    MountError,
    NoSuchImage,
    NotApplicable,
    UnsupportedPackage,
    UsageError,
    WimdockError,
)
from wimdock.files import naming, real_path, refuse_special, storage_error
from wimdock.image.reparse_points import reparse_points
from wimdock.rehearsal.history import add_history
from wimdock.rehearsal.options import RehearsalOptions
from wimdock.rehearsal.place import Place
from wimdock.rehearsal.report import (
    Ending,
    PlayedUpdate,
    RehearsalReport,
    UpdateEnding,
)
from wimdock.rehearsal.run_log import RunLog
from wimdock.rehearsal.staged_files import StagedFiles
from wimdock.servicing import wimlib
from wimdock.servicing.cleanup import leftovers_in
from wimdock.servicing.mounts import mount, unmount
from wimdock.servicing.options import ServiceOptions, Surroundings, surroundings
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.preflight.host import Ability, HostVerdict, judge_host
from wimdock.servicing.service import service
from wimdock.wim import Archive

HISTORY = "history.jsonl"
_FUSE = Path("/dev/fuse")


def rehearse(
    image: Path, options: RehearsalOptions, world: Surroundings | None = None
) -> RehearsalReport:
    """Play a run; how it ended stands in the report, also where it failed as the original would.

    Raises what keeps it from being played at all, before anything is made: an image file or update
    that cannot be read, no way to mount, no room, another rehearsal in the same place.
    """
    world = world or surroundings()
    image = real_path(image)
    for path in (image, *options.updates):
        refuse_special(path)
        if not path.exists():
            raise storage_error(FileNotFoundError(2, os.strerror(2)), path)
    names = [update.name.lower() for update in options.updates]
    if len(set(names)) < len(names):
        message = "two updates have the same file name"
        raise UsageError(message, hint="Give each update once, or rename one of them.")
    with naming(image), Archive.open(image) as archive:
        indexes = options.indexes or tuple(range(1, archive.image_count + 1))
        for index in indexes:
            if not 1 <= index <= archive.image_count:
                message = f"there is no image {index}: the file has {archive.image_count}"
                raise NoSuchImage(message)
    _need_mounting()
    _refuse_unplayable(image, indexes, options, world)
    place = Place(options.staging, options.drive, options.package_id)
    with place.held():
        run = _Run(image, indexes, options, place, world)
        return run.play()


def _need_mounting() -> None:
    """Refuse where nothing can be mounted, before anything is made."""
    wimlib.require_program()
    if not os.access(_FUSE, os.R_OK | os.W_OK):
        message = f"a rehearsal mounts the image, and {_FUSE} cannot be used"
        hint = "Load the kernel's fuse module, or run where FUSE is allowed; nothing was touched."
        raise MountError(message, hint=hint, hresult=0x80070005)


def _is_content(update: Path) -> bool:
    """Tell by its name whether a file is what Scheduled Updates can install."""
    return update.suffix.lower() in (".cab", ".msu")


def _refuse_unplayable(
    image: Path, indexes: tuple[int, ...], options: RehearsalOptions, world: Surroundings
) -> None:
    """Raise UnsupportedPackage for an update that Windows could install and wimdock cannot."""
    updates = tuple(update for update in options.updates if _is_content(update))
    if not updates:
        return
    asked = ServiceOptions(
        indexes=indexes,
        dry_run=True,
        continue_on_error=True,
        allow_unsigned=options.allow_unsigned,
        dictionary=options.dictionary,
    )
    with world.reporter.step("See whether the updates can be played"):
        report = service(image, updates, asked, surroundings(workspace=world.workspace))
    for result in report.results:
        if isinstance(result.error, UnsupportedPackage):
            result.error.hint = "wimdock cannot play this update; leave it out of the rehearsal."
            raise result.error


@dataclass(slots=True)
class _Run:
    """One run, and what is known of it so far."""

    image: Path
    indexes: tuple[int, ...]
    options: RehearsalOptions
    place: Place
    world: Surroundings
    log: RunLog = field(init=False)
    files: StagedFiles = field(init=False)
    updates: list[PlayedUpdate] = field(default_factory=list)
    verdicts: list[tuple[int, HostVerdict]] = field(default_factory=list)
    mounted: Path | None = None

    def __post_init__(self) -> None:
        self.log = RunLog(self.place, self.options, self.world.clock)
        self.files = StagedFiles(self.image, self.options.updates, self.place, self.world.disk)

    def play(self) -> RehearsalReport:
        """Play the run from its first line in the log to the last."""
        leftovers = leftovers_in(self.place.staging)
        if not leftovers:
            self.files.need_space()
        self.place.make(self.place.logs)
        with self.log:
            self.log.started()
            error: WimdockError | None = None
            try:
                if leftovers:
                    self.log.leftovers(self.indexes[0], self.files.copy)
                    raise _in_the_way(self.place, len(leftovers))
                self._stage()
                for index in self.indexes:
                    self._service(index)
                with self.world.reporter.step("Put the image file back") as step:
                    self.files.put_back()
                    step.result = str(self.files.result)
            except WimdockError as caught:
                error = caught
            if error is not None and self.mounted is None and not leftovers:
                self.files.clear()
            self._write_history(succeeded=error is None)
            self.log.ended(succeeded=error is None)
        return self._report(error)

    def _stage(self) -> None:
        """Copy the binaries of updates and the image file into the staging folder."""
        with self.world.reporter.step("Copy updates and image file") as step:
            self.files.put()
            step.result = str(self.place.package)
        self.log.processing()

    def _write_history(self, *, succeeded: bool) -> None:
        path = self.place.make(self.place.source) / HISTORY
        run = (self.world.clock.now(), str(self.options.provider), succeeded)
        add_history(path, run, self.updates, self.world.disk)

    def _service(self, index: int) -> None:
        """Put the updates into one image, mount it, and commit the mount as the provider could."""
        self.log.mounting(index, self.files.copy)
        for number, update in enumerate(self.options.updates):
            try:
                self._install(index, number, update)
            except WimdockError as error:
                if not self.options.continue_on_error:
                    self.log.unmounting(commit=False)
                    error.message = f"image {index}: {error.message}"
                    raise
        with naming(self.files.copy), Archive.open(self.files.copy) as archive:
            verdict = judge_host(
                reparse_points(archive.image(index)),
                self.options.provider.build,
                is_wimdock=self.options.provider.is_wimdock,
            )
        self.verdicts.append((index, verdict))
        directory = self.place.mount_directory
        mount(
            self.files.copy,
            index,
            directory,
            writable=True,
            host=self.options.provider.build,
            typed=self.place.windows(directory),
            world=self.world,
        )
        self.mounted = directory
        self.log.unmounting(commit=True)
        provider = self.options.provider.name
        with self.world.reporter.step(f"Commit image {index} as {provider} could") as step:
            try:
                unmount(directory, commit=True, world=self.world)
            except CommitFailed as error:
                self.log.commit_failed(index, error.hresult or 0)
                error.hint = _after_failure(self.place)
                raise
            step.result = verdict.ability.value
        self.mounted = None

    def _install(self, index: int, number: int, update: Path) -> None:
        """Put one update into one image of the copy."""
        binary = self.files.binary(update)
        self.log.checking(number)
        if not _is_content(update):
            self.log.not_supported(binary)
            reason = "it is no content of component servicing (.cab)"
            self.updates.append(PlayedUpdate(index, update, UpdateEnding.NOT_SUPPORTED, reason))
            return
        options = ServiceOptions(
            indexes=(index,),
            allow_unsigned=self.options.allow_unsigned,
            dictionary=self.options.dictionary,
        )
        try:
            result = service(self.files.copy, (binary,), options, self.world).results[0]
        except NotApplicable as error:
            self.log.not_required(binary)
            self._note(index, update, UpdateEnding.SKIPPED, error)
        except WimdockError as error:
            self.log.install_failed(number, index, error.hresult or 0x80004005)
            self._note(index, update, UpdateEnding.FAILED, error)
            raise
        else:
            if result.outcome is Outcome.INSTALLED:
                self.log.installed(number, index, binary)
                self.updates.append(PlayedUpdate(index, update, UpdateEnding.INSTALLED))
            else:
                self.log.not_required(binary)
                self.updates.append(
                    PlayedUpdate(index, update, UpdateEnding.SKIPPED, result.reason, result.hresult)
                )

    def _note(self, index: int, update: Path, ending: UpdateEnding, error: WimdockError) -> None:
        self.updates.append(PlayedUpdate(index, update, ending, error.message, error.hresult))

    def _report(self, error: WimdockError | None) -> RehearsalReport:
        certain = all(verdict.ability is Ability.CAN_COMMIT for _, verdict in self.verdicts)
        ending = Ending.COMMITTED if certain else Ending.PERHAPS
        messages: tuple[StatusMessage, ...] = tuple(self.log.status_messages)
        return RehearsalReport(
            ending=ending if error is None else Ending.FAILED,
            package_id=self.options.package_id,
            updates=tuple(self.updates),
            verdicts=tuple(self.verdicts),
            logs=self.log.paths,
            status_messages=messages,
            staging=self.place.staging,
            error=error,
            mount_directory=self.mounted,
            result=self.files.result if error is None else None,
        )


def _in_the_way(place: Place, count: int) -> LeftoversInTheWay:
    message = f"{place.staging} holds what an earlier run left behind ({count:,} found)"
    hint = f"`wimdock cleanup {shlex.quote(str(place.root))}` shows what it is and clears it away."
    return LeftoversInTheWay(message, hint=hint)


def _after_failure(place: Place) -> str:
    root = shlex.quote(str(place.root))
    logs = shlex.quote(str(place.logs))
    return f"`wimdock doctor {logs}` explains it, `wimdock cleanup {root}` clears it away."
