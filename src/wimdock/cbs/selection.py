"""Selection: which of an update's packages, deployments and components go into one image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from wimdock.cbs.applicability import NOT_APPLICABLE_CODE, Applicability, PackageState
from wimdock.cbs.component_store import manifest_path
from wimdock.cbs.identity import Identity
from wimdock.cbs.package_manifest import PackageUpdate
from wimdock.cbs.refusal import Refusals, refuse
from wimdock.cbs.registration import Reference
from wimdock.cbs.target import TargetImage
from wimdock.cbs.update import Update, UpdateComponent, UpdatePackage
from wimdock.cbs.winner import Winners
from wimdock.errors import MalformedPackage, NotApplicable

_INSTALL = "install"
_ANY_LANGUAGE = "*"


@dataclass(slots=True)
class Chosen:
    """A component to install: the deployments that install it, and for a deployment its updates."""

    component: UpdateComponent
    deployments: list[UpdateComponent] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    @property
    def key_form(self) -> str:
        """Its key form."""
        return self.component.key_form


@dataclass(frozen=True, slots=True)
class Selection:
    """What goes into the image, in the update's order; `notes` say what does not, and why.

    `owners` gives the owners of each package by its ID in lower case, `adopted` pairs of a package
    that is installed already and a package of the update that names it, `superseded` the installed
    packages of which the update brings a newer version.
    """

    packages: tuple[UpdatePackage, ...]
    owners: dict[str, tuple[str, ...]]
    adopted: tuple[tuple[str, str], ...]
    superseded: tuple[str, ...]
    components: tuple[Chosen, ...]
    notes: tuple[str, ...]


def select(
    update: Update,
    applicability: Applicability,
    image: TargetImage,
    winners: Winners,
    refusals: Refusals,
) -> Selection:
    """Follow the applicable packages to their deployments and components.

    An update element that is meant for images with certain components is left out where the image
    has none of them; NotApplicable is raised where nothing remains for that reason.
    """
    selector = _Selector(update, image, winners, refusals)
    for package in applicability.packages:
        selector.follow(package)
    if selector.left_out and not selector.chosen:
        message = f"{update.root.id} updates nothing that this image has"
        raise NotApplicable(message, hresult=NOT_APPLICABLE_CODE)
    skipped = (f"package {package.id}: {reason}" for package, reason in applicability.skipped)
    return Selection(
        applicability.packages,
        _owners(applicability.packages),
        tuple(_adopted(applicability.packages, image)),
        tuple(_superseded(applicability.packages, image)),
        tuple(selector.chosen.values()),
        (*skipped, *selector.left_out, *selector.missing),
    )


def _owners(packages: tuple[UpdatePackage, ...]) -> dict[str, tuple[str, ...]]:
    """Give the owners of each package: itself for the first, else the packages that name it."""
    owners: dict[str, list[str]] = {package.id.lower(): [] for package in packages}
    owners[packages[0].id.lower()].append(packages[0].id)
    for package in packages:
        for part in package.manifest.updates:
            for child in part.packages:
                known = owners.get(child.identity.package_id.lower())
                if known is not None and package.id not in known:
                    known.append(package.id)
    return {package_id: tuple(names) for package_id, names in owners.items()}


def _adopted(packages: tuple[UpdatePackage, ...], image: TargetImage) -> Iterator[tuple[str, str]]:
    installed = {
        package.id.lower(): package.id
        for package in image.installed_packages()
        if package.state >= PackageState.INSTALLED
    }
    for package in packages:
        for part in package.manifest.updates:
            for child in part.packages:
                known = installed.get(child.identity.package_id.lower())
                if known is not None:
                    yield known, package.id


def _superseded(packages: tuple[UpdatePackage, ...], image: TargetImage) -> Iterator[str]:
    newest = {package.identity.package_family.lower(): package.identity for package in packages}
    for package in image.installed_packages():
        if package.state != PackageState.INSTALLED:
            continue
        try:
            identity = Identity.parse_id(package.id)
        except MalformedPackage:
            continue
        newer = newest.get(identity.package_family.lower())
        if newer is not None and newer.version > identity.version:
            yield package.id


class _Selector:
    """What has been chosen so far, by key form."""

    def __init__(
        self, update: Update, image: TargetImage, winners: Winners, refusals: Refusals
    ) -> None:
        self.update = update
        self.by_key_form = {entry.key_form: entry for entry in update.components}
        self.image = image
        self.winners = winners
        self.refusals = refusals
        self.chosen: dict[str, Chosen] = {}
        self.left_out: list[str] = []
        self.missing: dict[str, None] = {}

    def follow(self, package: UpdatePackage) -> None:
        for part in package.manifest.updates:
            if part.components and not self._is_meant(part):
                self.left_out.append(
                    f"update {part.name} of {package.id}: the image has none of the components "
                    "that it updates"
                )
                continue
            for identity in part.components:
                with self.refusals.about(f"package {package.id}"):
                    deployment = self.by_key_form.get(identity.key_form)
                    if deployment is None:
                        self._expect_in_image(identity)
                        continue
                    reference = Reference(package.id, part.name)
                    self._choose(deployment, deployment).references.append(reference)

    def _is_meant(self, part: PackageUpdate) -> bool:
        wanted = part.updated_components
        return not wanted or any(self.winners.family(identity).versions for identity in wanted)

    def _choose(self, component: UpdateComponent, deployment: UpdateComponent) -> Chosen:
        """Choose a component and all that it asks to install, on behalf of a deployment."""
        pending = [component]
        while pending:
            current = pending.pop()
            chosen = self.chosen.setdefault(current.key_form, Chosen(current))
            if deployment in chosen.deployments:
                continue
            chosen.deployments.append(deployment)
            for dependency in reversed(tuple(self._installs(current))):
                pending.append(dependency)  # noqa: PERF402 - reversed, so that the first is next
        return self.chosen[component.key_form]

    def _installs(self, component: UpdateComponent) -> Iterator[UpdateComponent]:
        for dependency in component.manifest.dependencies:
            if dependency.type != _INSTALL:
                continue
            identity = dependency.identity
            if identity.language == _ANY_LANGUAGE:
                yield from self._in_any_language(identity)
                continue
            found = self.by_key_form.get(identity.key_form)
            if found is not None:
                yield found
            elif component.manifest.is_deployment:
                self._expect_in_image(identity)
            elif not self.winners.family(identity).versions:
                self.missing.setdefault(
                    f"component {component.key_form} works with {identity.key_form}, which is "
                    "neither in the update nor, in any version, in the image"
                )

    def _in_any_language(self, wanted: Identity) -> Iterator[UpdateComponent]:
        for component in self.update.components:
            identity = component.identity
            if (
                identity.name.lower() == wanted.name.lower()
                and identity.arch.lower() == wanted.arch.lower()
                and identity.version == wanted.version
            ):
                yield component

    def _expect_in_image(self, identity: Identity) -> None:
        if self.image.lookup(manifest_path(identity.key_form)) is None:
            refuse(f"the component {identity.key_form} is neither in the update nor in the image")
