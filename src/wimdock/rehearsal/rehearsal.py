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

import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from wimdock.configmgr import StatusMessage
from wimdock.errors import LeftoversInTheWay, NoSuchImage, NotApplicable, WimdockError
from wimdock.files import naming, real_path
from wimdock.image.reparse_points import reparse_points
from wimdock.rehearsal.history import add_history
from wimdock.rehearsal.options import RehearsalOptions
from wimdock.rehearsal.place import Place
from wimdock.rehearsal.refusal import (
    is_content,
    need_mounting,
    refuse_files,
    refuse_overlap,
    refuse_root,
    refuse_strangers,
    refuse_unplayable,
)
from wimdock.rehearsal.report import (
    Ending,
    PlayedUpdate,
    RehearsalReport,
    UpdateEnding,
)
from wimdock.rehearsal.run_log import RunLog
from wimdock.rehearsal.staged_files import StagedFiles
from wimdock.servicing.cleanup import Leftover, leftovers_in
from wimdock.servicing.mounts import is_mount_point, mount, unmount
from wimdock.servicing.options import ServiceOptions, Surroundings, surroundings
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.preflight.host import Ability, HostVerdict, judge_host
from wimdock.servicing.service import service
from wimdock.wim import Archive

_UNSPECIFIED = 0x80004005


def rehearse(
    image: Path, options: RehearsalOptions, world: Surroundings | None = None
) -> RehearsalReport:
    """Play a run; how it ended stands in the report, also where it failed as the original would.

    Raises what keeps it from being played at all, before anything is made: an image file or update
    that cannot be read or lies where a run replaces files, no way to mount, no room, another
    rehearsal in the same place, something there that no run leaves.
    """
    world = world or surroundings()
    image = real_path(image)
    refuse_files(image, options.updates)
    with naming(image), Archive.open(image) as archive:
        indexes = options.indexes or tuple(range(1, archive.image_count + 1))
        for index in indexes:
            if not 1 <= index <= archive.image_count:
                message = f"there is no image {index}: the file has {archive.image_count}"
                raise NoSuchImage(message)
    need_mounting()
    refuse_unplayable(image, indexes, options, world)
    place = Place(options.staging, options.drive, options.package_id)
    refuse_root(place)
    with place.held():
        run = _Run(image, indexes, options, place, world)
        refuse_overlap(place, run.files, (image, *options.updates))
        return run.play()


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
    went_on_after: WimdockError | None = None

    def __post_init__(self) -> None:
        self.log = RunLog(self.place, self.options, self.world.clock)
        self.files = StagedFiles(self.image, self.options.updates, self.place, self.world.disk)

    def play(self) -> RehearsalReport:
        """Play the run from its first line in the log to the last."""
        leftovers = leftovers_in(self.place.staging)
        refuse_strangers(leftovers)
        if not leftovers:
            self.files.need_space()
        self.place.make(self.place.logs)
        with self.log:
            error: WimdockError | None = None
            try:
                self.log.started()
                self._act(leftovers)
            except WimdockError as caught:
                error = caught
                with suppress(WimdockError):  # what ended the run matters more than its traces
                    self._close(leftovers, succeeded=False)
            except BaseException:
                with suppress(WimdockError):
                    self._close(leftovers, succeeded=False)
                raise
            else:
                self._close(leftovers, succeeded=True)
        return self._report(error)

    def _act(self, leftovers: Sequence[Leftover]) -> None:
        """Do what a run does; WimdockError is what ends it."""
        if leftovers:
            is_mounted = any(is_mount_point(each.path) for each in leftovers)
            self.log.leftovers(self.indexes[0], self.files.copy, is_mounted=is_mounted)
            raise _in_the_way(self.place, leftovers)
        with self.world.reporter.step("Copy updates and image file") as step:
            self.files.put()
            step.result = str(self.place.package)
        self.log.processing()
        for index in self.indexes:
            self._service(index)
        with self.world.reporter.step("Put the image file back") as step:
            self.files.put_back()
            step.result = str(self.files.result)

    def _close(self, leftovers: Sequence[Leftover], *, succeeded: bool) -> None:
        """Clear what the run made, unless an image is still mounted in it; end history and log."""
        try:
            if not succeeded and not leftovers and not is_mount_point(self.place.mount_directory):
                self.files.clear()
        finally:
            self.place.make(self.place.source)
            run = (self.world.clock.now(), str(self.options.provider), succeeded)
            add_history(self.place.history, run, self.updates, self.world.disk)
            self.log.ended(succeeded=succeeded)

    def _service(self, index: int) -> None:
        """Put the updates into one image, mount it, and commit the mount as the provider could."""
        self.log.mounting(index, self.files.copy)
        for number, update in enumerate(self.options.updates):
            try:
                self._install(index, number, update)
            except WimdockError as error:
                error.message = f"image {index}: {error.message}"
                if not self.options.continue_on_error:
                    self.log.unmounting(commit=False)
                    raise
                self.went_on_after = self.went_on_after or error
        with naming(self.files.copy), Archive.open(self.files.copy) as archive:
            verdict = judge_host(
                reparse_points(archive.image(index)),
                self.options.provider.build,
                is_wimdock=self.options.provider.is_wimdock,
            )
        self.verdicts.append((index, verdict))
        self._mount(index)
        self.log.unmounting(commit=True)
        provider = self.options.provider.name
        with self.world.reporter.step(f"Commit image {index} as {provider} could") as step:
            try:
                unmount(self.place.mount_directory, commit=True, world=self.world)
            except WimdockError as error:
                self.log.commit_failed(index, error.hresult or _UNSPECIFIED)
                error.hint = _after_failure(self.place)
                raise
            step.result = verdict.ability.value

    def _mount(self, index: int) -> None:
        """Mount an image of the copy, so that a commit ends as the provider's would."""
        directory = self.place.mount_directory
        try:
            mount(
                self.files.copy,
                index,
                directory,
                writable=True,
                host=self.options.provider.build,
                typed=self.place.windows(directory),
                world=self.world,
            )
        except WimdockError as error:
            self.log.mount_failed(error.hresult or _UNSPECIFIED)
            raise

    def _install(self, index: int, number: int, update: Path) -> None:
        """Put one update into one image of the copy."""
        binary = self.files.binary(update)
        self.log.checking(number)
        if not is_content(update):
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
            self.log.install_failed(number, index, error.hresult or _UNSPECIFIED)
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
        directory = self.place.mount_directory
        return RehearsalReport(
            ending=ending if error is None else Ending.FAILED,
            package_id=self.options.package_id,
            updates=tuple(self.updates),
            verdicts=tuple(self.verdicts),
            logs=self.log.paths,
            status_messages=messages,
            staging=self.place.staging,
            error=error,
            went_on_after=self.went_on_after,
            mount_directory=directory if is_mount_point(directory) else None,
            result=self.files.result if error is None else None,
        )


def _in_the_way(place: Place, leftovers: Sequence[Leftover]) -> LeftoversInTheWay:
    others = f" (and {len(leftovers) - 1:,} more)" if len(leftovers) > 1 else ""
    message = f"an earlier run left something behind: {leftovers[0].text}{others}"
    hint = f"`wimdock cleanup {shlex.quote(str(place.root))}` shows what it is and clears it away."
    return LeftoversInTheWay(message, hint=hint)


def _after_failure(place: Place) -> str:
    root = shlex.quote(str(place.root))
    logs = shlex.quote(str(place.logs))
    return f"`wimdock doctor {logs}` explains it, `wimdock cleanup {root}` clears it away."
