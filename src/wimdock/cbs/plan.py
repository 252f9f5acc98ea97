"""The plan: all that an update changes in an image, decided before anything is touched.

`make_plan` only reads: the extracted update, and the image through `TargetImage`. It gives the same
plan for the same update, image and clock. Nothing is kept between two plans: for several updates
in one run, each plan is made against the image with the edits of the earlier ones staged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wimdock.cbs.applicability import judge
from wimdock.cbs.component_store import (
    WINSXS,
    Thumbprints,
    component_files,
    manifest_files,
    package_files,
    runtime_directories,
)
from wimdock.cbs.contents import ContentFile
from wimdock.cbs.firewall import firewall_edits
from wimdock.cbs.identity import Identity
from wimdock.cbs.memberships import SharedLists
from wimdock.cbs.plan_counts import PlanCounts, count
from wimdock.cbs.refusal import Refusals, refuse
from wimdock.cbs.registration import (
    component_edits,
    deployment_edits,
    owner_edit,
    package_edits,
    superseded_edit,
)
from wimdock.cbs.registry_entries import registry_edits
from wimdock.cbs.registry_place import RegistryMap
from wimdock.cbs.runtime_path import RuntimeFolders, WordSize
from wimdock.cbs.selection import Chosen, Selection, select
from wimdock.cbs.services import service_edits
from wimdock.cbs.support import left_alone
from wimdock.cbs.target import TargetImage, text_of
from wimdock.cbs.update import Update
from wimdock.cbs.winner import Verdict, Winners, register_winner
from wimdock.clock import Clock
from wimdock.errors import NotApplicable, UnsupportedImage
from wimdock.image.change_set import (
    ChangeSet,
    FileEdit,
    HiveName,
    PutDirectory,
    PutFile,
    PutLinks,
    RegistryEdit,
)
from wimdock.paths import ImagePath

_CURRENT_VERSION = "Microsoft\\Windows NT\\CurrentVersion"
_DRIVE_LENGTH = 2
PENDING = WINSXS / "pending.xml"
# CBS_E_PENDING
_PENDING_CODE = 0x800F0806
_LEFT_ALONE = (
    "WinSxS\\FileMaps, pending.xml, VersionedIndex of COMPONENTS: not known well enough to write",
    "PackageDetect, ComponentDetect, component flags (CF): not known well enough to write",
)


@dataclass(frozen=True, slots=True)
class PlannedComponent:
    """What becomes of one component: whether it is the one in use afterwards, and why."""

    identity: Identity
    key_form: str
    is_deployment: bool
    winner: bool
    present: bool
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one update changes in one image.

    `packages` are the IDs that are registered, the one asked for first. `notes` say what of the
    update is not for this image, `left_alone` what Windows would do besides and wimdock does not.
    """

    update: Path
    packages: tuple[str, ...]
    components: tuple[PlannedComponent, ...]
    change_set: ChangeSet
    counts: PlanCounts
    notes: tuple[str, ...]
    left_alone: tuple[str, ...]


def make_plan(update: Update, image: TargetImage, clock: Clock) -> Plan:
    """Decide what an update changes in an image.

    Raises NotApplicable where it is not for the image, UnsupportedPackage with every reason where
    it asks for something that cannot be translated.
    """
    applicability = judge(update, image.installed_packages(), image.architecture)
    if not applicability.is_applicable:
        message = f"{update.root.id}: {applicability.reason}"
        raise NotApplicable(message, hresult=applicability.hresult)
    if image.lookup(PENDING) is not None:
        message = f"the image has operations pending from an earlier installation ({PENDING})"
        hint = "Let Windows finish them: start the image once, then capture it anew."
        raise UnsupportedImage(message, hint=hint, hresult=_PENDING_CODE)
    refusals = Refusals()
    winners = Winners(image)
    selection = select(update, applicability, image, winners, refusals)
    planner = _Planner(update, image, winners, refusals, selection)
    files = planner.files()
    registry = tuple(planner.registry(clock))
    refusals.close(update.path.name)
    change_set = ChangeSet(files, registry)
    return Plan(
        update=update.path,
        packages=tuple(package.id for package in selection.packages),
        components=tuple(planner.components()),
        change_set=change_set,
        counts=count(change_set),
        notes=selection.notes,
        left_alone=(*left_alone(update), *planner.remains(), *_LEFT_ALONE),
    )


class _Planner:
    """One plan in the making: a selection and the verdict on each of its components."""

    def __init__(
        self,
        update: Update,
        image: TargetImage,
        winners: Winners,
        refusals: Refusals,
        selection: Selection,
    ) -> None:
        self.update = update
        self.image = image
        self.refusals = refusals
        self.selection = selection
        self.folders = RuntimeFolders(image.architecture, _drive_of(image))
        self.verdicts = _judge_all(selection, winners)
        self.shared = SharedLists(image)
        self.thumbprints = Thumbprints()

    def files(self) -> tuple[FileEdit, ...]:
        """Give the file edits; folders come first, so that each gets its own descriptor."""
        directories: list[PutDirectory] = []
        files: list[FileEdit] = []
        for chosen in self.selection.components:
            verdict = self.verdicts[chosen.key_form]
            with self.refusals.about(f"component {chosen.key_form}"):
                self.folders.word_size(chosen.component.identity.arch)
                files.extend(manifest_files(chosen.component, self.image))
                if verdict.wins:
                    directories.extend(
                        runtime_directories(
                            chosen.component, self.folders, self.image, self.refusals
                        )
                    )
                files.extend(
                    component_files(
                        chosen.component,
                        self.folders,
                        self.image,
                        self.refusals,
                        wins=verdict.wins,
                        newly=verdict.wins and not (verdict.present and verdict.replaces is None),
                    )
                )
        for package in self.selection.packages:
            files.extend(package_files(package, self.image, self.thumbprints))
        self._refuse_collisions(files)
        return (*directories, *_without_repeats(files))

    def _refuse_collisions(self, files: list[FileEdit]) -> None:
        """Refuse files of the update that would take each other's place at a runtime path."""
        stored: dict[ImagePath, PutFile | PutLinks] = {}
        for edit in files:
            if not isinstance(edit, PutFile | PutLinks):
                continue
            for link in edit.links:
                other = stored.setdefault(link, edit)
                if other.path != edit.path and not _have_same_content(other, edit):
                    with self.refusals.about(str(link)):
                        refuse(f"{other.path} and {edit.path} differ, and both are to stand there")

    def registry(self, clock: Clock) -> Iterator[RegistryEdit]:
        """Give the registry edits: what the winners ask for, then what servicing records."""
        for chosen in self.selection.components:
            with self.refusals.about(f"component {chosen.key_form}"):
                yield from self._of_winner(chosen)
        components = self.image.hive(HiveName.COMPONENTS)
        for chosen in self.selection.components:
            verdict = self.verdicts[chosen.key_form]
            component = chosen.component
            yield from component_edits(component, chosen.deployments)
            if component.manifest.is_deployment:
                yield from deployment_edits(
                    component, chosen.references, components, self.thumbprints
                )
            else:
                yield from register_winner(component.identity, verdict)
        at = clock.now()
        for number, package in enumerate(self.selection.packages):
            owners = self.selection.owners[package.id.lower()]
            source = self.update.path.name
            yield from package_edits(package, owners, source, at, visible=number == 0)
        for package_id, owner in self.selection.adopted:
            yield owner_edit(package_id, owner)
        yield from map(superseded_edit, self.selection.superseded)

    def _of_winner(self, chosen: Chosen) -> Iterator[RegistryEdit]:
        verdict = self.verdicts[chosen.key_form]
        if not verdict.wins or (verdict.present and verdict.replaces is None):
            return
        component = chosen.component
        arch = component.identity.arch
        control_set = self.image.control_set
        redirected = self.folders.word_size(arch) is WordSize.WOW64
        places = RegistryMap(control_set, redirected)
        manifest = component.manifest
        system = self.image.hive(HiveName.SYSTEM)

        def substitute(text: str) -> str:
            return self.folders.text(text, arch)

        yield from service_edits(manifest, control_set, system, self.refusals)
        yield from registry_edits(manifest, places, substitute, self.refusals)
        yield from self.shared.edits(manifest, self.refusals)
        yield from firewall_edits(manifest, control_set, system, self.refusals)

    def remains(self) -> Iterator[str]:
        """Name the older versions that are replaced: what only they had is not taken away."""
        for chosen in self.selection.components:
            replaced = self.verdicts[chosen.key_form].replaces
            if replaced is not None and not chosen.component.manifest.is_deployment:
                yield (
                    f"component {chosen.key_form}: files, registry keys and services that only "
                    f"version {replaced} had stay"
                )

    def components(self) -> Iterator[PlannedComponent]:
        """Give what becomes of each component."""
        for chosen in self.selection.components:
            verdict = self.verdicts[chosen.key_form]
            deployment = chosen.component.manifest.is_deployment
            yield PlannedComponent(
                chosen.component.identity,
                chosen.key_form,
                deployment,
                verdict.wins and not deployment,
                verdict.present,
                "names the components to install" if deployment else verdict.why,
            )


def _judge_all(selection: Selection, winners: Winners) -> dict[str, Verdict]:
    families: dict[str, list[Identity]] = {}
    for chosen in selection.components:
        identity = chosen.component.identity
        families.setdefault(identity.versionless_key, []).append(identity)
    verdicts = {}
    for chosen in selection.components:
        identity = chosen.component.identity
        others = [entry.version for entry in families[identity.versionless_key]]
        verdicts[chosen.key_form] = winners.judge(identity, others)
    return verdicts


def _have_same_content(one: FileEdit, other: FileEdit) -> bool:
    if not (isinstance(one, PutFile) and isinstance(other, PutFile)):
        return False
    files = [ContentFile(edit.path.name, edit.source, 0) for edit in (one, other)]
    first, second = (file.digests(("sha256",)) for file in files)
    return first == second


def _without_repeats(files: list[FileEdit]) -> Iterator[FileEdit]:
    """Leave out a file that is put where the very same was put before, such as a shared catalog."""
    return iter(dict.fromkeys(files))


def _drive_of(image: TargetImage) -> str:
    """Give the drive letter that the image's own registry uses for Windows."""
    hive = image.hive(HiveName.SOFTWARE)
    key = hive.open_key(_CURRENT_VERSION) if hive else None
    root = text_of(key.value("SystemRoot") if key else None)
    has_drive = len(root) >= _DRIVE_LENGTH and root[0].isalpha() and root[1] == ":"
    return root[:_DRIVE_LENGTH] if has_drive else "C:"
