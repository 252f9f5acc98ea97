"""The preflight of one image file: everything is looked at, and every problem is collected.

Only a file that is not there, or is no image at all, ends it; any other part that cannot be read
becomes a check that says so. Nothing is written but what updates are unpacked into: a folder among
the temporary ones, which is gone afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.configmgr.provider import Provider
from wimdock.errors import NoSuchImage, NotAnImage, StorageError, WimdockError
from wimdock.events import Reporter
from wimdock.files import naming, real_path, refuse_special
from wimdock.image.reparse_points import ReparsePoint, grouped, reparse_points
from wimdock.image.windows import WindowsImage
from wimdock.reparse.hosts import Build
from wimdock.servicing.needed_hives import lacking_hive
from wimdock.servicing.options import Surroundings
from wimdock.servicing.preflight import image_file, staging
from wimdock.servicing.preflight.captured import capture_facts, judge_capture
from wimdock.servicing.preflight.check import Check, Result, guarded
from wimdock.servicing.preflight.example_hosts import EXAMPLE_HOSTS
from wimdock.servicing.preflight.host import judge_host
from wimdock.servicing.preflight.known_updates import check_known
from wimdock.servicing.preflight.registered import check_record, registered_as
from wimdock.servicing.preflight.report import ImageFindings, PreflightReport, Registered
from wimdock.servicing.preflight.sessions import check_sessions
from wimdock.servicing.preflight.space import (
    NAME as SPACE,
)
from wimdock.servicing.preflight.space import (
    Part,
    check_space,
    estimate,
    image_parts,
    update_sizes,
)
from wimdock.servicing.preflight.update_file import UpdateFile
from wimdock.servicing.preflight.updates import check_order, check_updates, read_updates
from wimdock.servicing.preflight.volume import Volume, check_volume, volume_of
from wimdock.servicing.workspace import open_workspace
from wimdock.wim import Archive

if TYPE_CHECKING:
    from wimdock.configmgr.site import Site
    from wimdock.wim import Image

_WINDOWS = ("image-contents", "Windows in the image")


@dataclass(frozen=True, slots=True)
class PreflightOptions:
    """What a run is to do: `indexes` and `updates` may be empty, and stand for all and none.

    Without `hosts`, one of each server build is judged as an example. `site` is what a site said.
    """

    indexes: tuple[int, ...] = ()
    updates: tuple[Path, ...] = ()
    hosts: tuple[Provider, ...] = ()
    staging: Path | None = None
    site: Site | None = None


def preflight(image: Path, options: PreflightOptions, world: Surroundings) -> PreflightReport:
    """Look at everything that could stop a run.

    StorageError where the image file cannot be read, NotAnImage where it is none, NoSuchImage for
    an index that it does not have.
    """
    image = real_path(image)
    refuse_special(image)
    with naming(image), open_workspace(world.workspace) as workspace:
        return _Preflight(image, options, world, workspace).report()


class _Preflight:
    """What is found step by step."""

    def __init__(
        self, image: Path, options: PreflightOptions, world: Surroundings, workspace: Path
    ) -> None:
        self.path = image
        self.options = options
        self.world = world
        self.workspace = workspace
        self.hosts = options.hosts or EXAMPLE_HOSTS
        self.for_windows = any(not host.is_wimdock for host in self.hosts)
        self.files: tuple[UpdateFile, ...] = ()
        self.images: list[ImageFindings] = []
        self.windows: list[int] = []
        self.checks: list[Check] = []
        self.parts: tuple[Part, ...] = ()
        self.packages: tuple[Registered, ...] = ()

    def report(self) -> PreflightReport:
        self._read_updates()
        try:
            archive = Archive.open(self.path)
        except (StorageError, NotAnImage):
            raise
        except WimdockError as error:
            self.checks.append(image_file.unusable_file(error))
        else:
            with archive:
                self._look_into(archive)
        self._look_around()
        return PreflightReport(
            self.path,
            self.hosts,
            bool(self.options.hosts),
            tuple(self.images),
            tuple(self.checks),
            self.parts,
            self.packages,
        )

    def _read_updates(self) -> None:
        if self.options.updates:
            with self.world.reporter.step("Read the updates"):
                self.files, checks = read_updates(self.options.updates, self.workspace)
            self.checks += checks

    def _look_into(self, archive: Archive) -> None:
        try:
            count = len(archive.metadata_blobs)
        except WimdockError as error:
            self.checks.append(image_file.unusable_file(error))
            return
        wrong = [index for index in self.options.indexes if index > count]
        if wrong:
            message = f"{self.path} has no image {wrong[0]}: it holds {count}"
            raise NoSuchImage(message)
        indexes = self.options.indexes or tuple(range(1, count + 1))
        self.checks += image_file.check_file(archive)
        if self.for_windows:
            self.checks.append(image_file.check_count(count, indexes))
        for index in indexes:
            with self.world.reporter.step(f"Look into image {index}"):
                self._image(archive, index)
        if self.for_windows:
            self.checks += guarded(SPACE, "Free space", lambda: self._space(archive, indexes))
        if self.options.site is not None:
            site = self.options.site
            volume = volume_of(self.path.parent)
            self.packages = registered_as(self.path, volume, site.image_packages)
            self.checks += check_record(self.packages, self.images, count, site)
        archive.release_image()

    def _image(self, archive: Archive, index: int) -> None:
        try:
            image = WindowsImage(archive, index)
            points = tuple(reparse_points(image.files))
        except WimdockError as error:
            record = archive.xml.record(index)
            self.images.append(ImageFindings(index, record.name, "", "", None, (), None, ()))
            reason = f"{str(error).rstrip('.')}."
            found = Check(*_WINDOWS, Result.NOT_CHECKED, reason, error.hint, index=index)
            self.checks.append(found)
            return
        self.images.append(self._findings(archive, image, points))
        if lacking_hive(image) is not None:
            self.checks.append(
                Check(
                    *_WINDOWS,
                    Result.FAILED,
                    "there is no Windows in it that can be serviced: a run stops at this image.",
                    "Leave the image out with --index, and for Configuration Manager out of the "
                    "file.",
                    index=index,
                )
            )
            return
        self.windows.append(index)
        self._windows(image)

    def _findings(
        self, archive: Archive, image: WindowsImage, points: tuple[ReparsePoint, ...]
    ) -> ImageFindings:
        version = architecture = ""
        try:
            version, architecture = image.version, image.architecture
        except WimdockError:  # its hives are broken: a check of its own says so
            version = ".".join(map(str, image.record.version))
            architecture = image.record.architecture
        build = _build(version)
        files: Image = image.files
        return ImageFindings(
            image.index,
            image.record.name,
            version,
            architecture,
            build,
            grouped(points),
            judge_capture(capture_facts(archive, files, points, build)),
            tuple(judge_host(points, h.build, is_wimdock=h.is_wimdock) for h in self.hosts),
        )

    def _windows(self, image: WindowsImage) -> None:
        index = image.index
        self.checks += guarded(
            "pending-sessions", "Pending sessions", lambda: check_sessions(image), index=index
        )
        if not self.for_windows:
            return
        self.checks += guarded(
            "servicing-stack",
            "Servicing stack",
            lambda: check_order(image.servicing_stack, self.files, index),
            index=index,
        )
        if self.files:
            self.checks += guarded(
                "update-applicability",
                "Applicability",
                lambda: check_updates(image, self.files),
                index=index,
            )
            self.checks += guarded(
                "update-known-failure", "Known failures", lambda: self._known(image), index=index
            )

    def _known(self, image: WindowsImage) -> Iterator[Check]:
        build = _build(image.version)
        if build is None:
            return
        revision = int((image.version.split(".") + ["0"] * 4)[3] or 0)
        for file in self.files:
            yield from check_known(file, build, revision, image.index)

    def _space(self, archive: Archive, indexes: Sequence[int]) -> Iterator[Check]:
        sizes = update_sizes(self.options.updates, self.files)
        self.parts = estimate(archive.size, *image_parts(archive, indexes), sizes)
        yield from check_space(self.parts, volume_of(self.path.parent), self._staging_volume())

    def _staging_volume(self) -> Volume | None:
        return None if self.options.staging is None else volume_of(self.options.staging)

    def _look_around(self) -> None:
        """Look at the image file's surroundings, which need not be readable as an image."""
        self.checks += guarded(*image_file.USE, look=lambda: image_file.check_users(self.path))
        if self.for_windows:
            self.checks += guarded(*staging.MOUNTS, look=lambda: staging.check_mounts(self.path))
            self.checks += self._look_at_staging()
        named = any(host.is_wimdock for host in self.options.hosts)
        if named and self.files and self.windows:
            self.checks += guarded("wimdock-plan", "wimdock's plan", self._own_plan)

    def _look_at_staging(self) -> Iterator[Check]:
        folder = self.options.staging
        if folder is None:
            reason = "no staging folder was named."
            remedy = "Name the drive or folder with --staging, as this machine sees it."
            for name, title in (("staging-volume", "Staging volume"), staging.LEFTOVERS):
                yield Check(name, title, Result.NOT_CHECKED, reason, remedy, wanted=False)
            return
        yield from guarded(
            "staging-volume", "Staging volume", lambda: check_volume(volume_of(folder), folder)
        )
        yield from guarded(*staging.LEFTOVERS, look=lambda: staging.check_leftovers(folder))

    def _own_plan(self) -> Iterator[Check]:
        from wimdock.servicing.preflight.own_plan import check_own_plan

        with self.world.reporter.step("Plan with wimdock"):
            # Its steps and complaints would only repeat what the checks say.
            quiet = replace(self.world, reporter=Reporter())
            updates = tuple(file.path for file in self.files)
            yield from check_own_plan(self.path, updates, tuple(self.windows), quiet)


def _build(version: str) -> Build | None:
    numbers = version.split(".")
    if len(numbers) < 3 or not all(number.isdigit() for number in numbers):  # noqa: PLR2004
        return None
    return Build(int(numbers[0]), int(numbers[1]), int(numbers[2]))
