"""Whether an update is for an image: judged from its parents and the image's registered packages.

The rules and how well each is known: docs/internals/packages.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import lru_cache
from typing import Protocol

from wimdock.cbs.identity import Identity, Version
from wimdock.cbs.package_manifest import Parent
from wimdock.cbs.update import Update, UpdatePackage
from wimdock.errors import MalformedPackage

NOT_APPLICABLE_CODE = 0x800F081E
"""CBS_E_NOT_APPLICABLE."""
ALREADY_INSTALLED_CODE = 0x00240006
"""WU_S_ALREADY_INSTALLED, a success code: there is nothing to do."""

_ANY_ARCHITECTURE = frozenset(("", "neutral", "msil"))


class PackageState(IntEnum):
    """The values of CurrentState that decide applicability."""

    STAGED = 0x40
    SUPERSEDED = 0x50
    INSTALL_PENDING = 0x60
    INSTALLED = 0x70
    PERMANENT = 0x80


class InstalledPackageLike(Protocol):
    """A package that an image's registry lists: its ID and its CurrentState."""

    @property
    def id(self) -> str:
        """The package ID."""

    @property
    def state(self) -> int:
        """CurrentState."""


class ApplicabilityState(Enum):
    """The four answers."""

    APPLICABLE = "applicable"
    INSTALLED = "installed"
    SUPERSEDED = "superseded"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Applicability:
    """The answer for an update and one image.

    `reason` says in a sentence why; `hresult` is what Windows' tools give for it, None where the
    update is applicable. `parent` is the ID of the installed package that makes it applicable.
    `packages` are the update's packages to install, in its order; `skipped` the others, each with
    the reason (installed already, superseded, not for this image).
    """

    state: ApplicabilityState
    reason: str
    hresult: int | None = None
    parent: str = ""
    packages: tuple[UpdatePackage, ...] = ()
    skipped: tuple[tuple[UpdatePackage, str], ...] = ()

    @property
    def is_applicable(self) -> bool:
        """Tell whether there is something to install."""
        return self.state is ApplicabilityState.APPLICABLE


# The images of a site have most of their packages in common.
@lru_cache(maxsize=1 << 16)
def family_of(package_id: str) -> tuple[str, Version] | None:
    """Give the folded family and the version of a package; None for a key that is no package ID.

    A registry can hold keys of any name; such a one is no parent.
    """
    try:
        identity = Identity.parse_id(package_id)
    except MalformedPackage:
        return None
    return identity.package_family.lower(), identity.version


def judge(
    update: Update, installed: Collection[InstalledPackageLike], architecture: str
) -> Applicability:
    """Judge an update against the packages and the architecture ("amd64") of an image."""
    return Judge(installed, architecture).judge(update)


class Judge:
    """Judges any number of updates against the packages of one image.

    It keeps them by family (package ID without version, folded).
    """

    def __init__(self, installed: Collection[InstalledPackageLike], architecture: str) -> None:
        """Take the packages and the architecture ("amd64") of an image."""
        self.architecture = architecture.lower()
        self.families: dict[str, list[tuple[Version, int, str]]] = {}
        for package in installed:
            self.add(package.id, package.state)

    def add(self, package_id: str, state: int) -> None:
        """Take one more package, as if the image had it."""
        known = family_of(package_id)
        if known is not None:
            family, version = known
            self.families.setdefault(family, []).append((version, state, package_id))

    def judge(self, update: Update) -> Applicability:
        """Judge an update with all its packages."""
        answer = self.package(update.root)
        if not answer.is_applicable:
            return answer
        packages, skipped = self.tree(update)
        brings = [entry for entry in packages if any(u.components for u in entry.manifest.updates)]
        if update.root.manifest.deep and not brings:
            return Applicability(
                ApplicabilityState.NOT_APPLICABLE,
                "none of the packages that it is made of is for this image",
                NOT_APPLICABLE_CODE,
                skipped=skipped,
            )
        return Applicability(
            ApplicabilityState.APPLICABLE, answer.reason, None, answer.parent, packages, skipped
        )

    def tree(
        self, update: Update
    ) -> tuple[tuple[UpdatePackage, ...], tuple[tuple[UpdatePackage, str], ...]]:
        """Judge all packages of an update below its root; what is not for the image ends there."""
        there = {package.id.lower(): package for package in reversed(update.packages)}
        chosen: dict[str, UpdatePackage] = {update.root.id.lower(): update.root}
        skipped: dict[str, tuple[UpdatePackage, str]] = {}
        pending = [update.root]
        while pending:
            package = pending.pop(0)
            for key in _children(package):
                child = there.get(key)
                if child is None or key in chosen or key in skipped:
                    continue
                answer = self.package(child)
                if answer.is_applicable:
                    chosen[key] = child
                    pending.append(child)
                else:
                    skipped[key] = (child, answer.reason)
        return tuple(chosen.values()), tuple(skipped.values())

    def package(self, package: UpdatePackage) -> Applicability:
        """Judge one package by itself."""
        identity = package.identity
        if identity.arch.lower() not in _ANY_ARCHITECTURE | {self.architecture}:
            return _not_applicable(
                f"it is for {identity.arch}, the image is {self.architecture or 'of no known kind'}"
            )
        known = self.families.get(identity.package_family.lower(), [])
        for version, state, package_id in sorted(known, reverse=True):
            if version > identity.version and state >= PackageState.INSTALL_PENDING:
                return _superseded(f"{package_id} is installed, which is newer")
            if version == identity.version:
                if state >= PackageState.INSTALL_PENDING:
                    return Applicability(
                        ApplicabilityState.INSTALLED,
                        "it is installed already",
                        ALREADY_INSTALLED_CODE,
                    )
                if state == PackageState.SUPERSEDED:
                    return _superseded("the image lists it as superseded")
        return self._parents(package)

    def _parents(self, package: UpdatePackage) -> Applicability:
        parents = package.manifest.parents
        if not parents:
            return Applicability(ApplicabilityState.APPLICABLE, "it asks for no other package")
        for parent in parents:
            for identity in parent.identities:
                found = self._satisfied(identity, parent)
                if found:
                    return Applicability(
                        ApplicabilityState.APPLICABLE, f"the image has {found}", None, found
                    )
        return _not_applicable(self._why_no_parent(parents))

    def _satisfied(self, wanted: Identity, parent: Parent) -> str:
        needed = (
            PackageState.STAGED if parent.disposition == "staged" else PackageState.INSTALL_PENDING
        )
        for version, state, package_id in self.families.get(wanted.package_family.lower(), []):
            if state >= needed and _matches(version, wanted.version, parent):
                return package_id
        return ""

    def _why_no_parent(self, parents: tuple[Parent, ...]) -> str:
        others = [
            package_id
            for parent in parents
            for identity in parent.identities
            for _version, _state, package_id in self.families.get(
                identity.package_family.lower(), []
            )
        ]
        wanted = [str(identity) for parent in parents for identity in parent.identities]
        if others:
            return f"it asks for another version or state of {others[0]}: {wanted[0]}"
        if not wanted:
            return "it asks for a package without naming one"
        more = f" or {len(wanted) - 1} other" if len(wanted) > 1 else ""
        return f"the image does not have the package that it is for: {wanted[0]}{more}"


def _children(package: UpdatePackage) -> Iterator[str]:
    """Give the IDs, in lower case, of the packages that a package names."""
    for part in package.manifest.updates:
        for child in part.packages:
            yield child.identity.package_id.lower()


def _matches(installed: Version, wanted: Version, parent: Parent) -> bool:
    """Compare part by part, as CBS.log names them: version (two numbers), build, revision."""
    pairs = (
        ((installed.major, installed.minor), (wanted.major, wanted.minor), parent.version_compare),
        ((installed.build,), (wanted.build,), parent.build_compare),
        ((installed.revision,), (wanted.revision,), parent.revision_compare),
    )
    return all(
        mine >= theirs if compare == "GE" else mine == theirs for mine, theirs, compare in pairs
    )


def _not_applicable(reason: str) -> Applicability:
    return Applicability(ApplicabilityState.NOT_APPLICABLE, reason, NOT_APPLICABLE_CODE)


def _superseded(reason: str) -> Applicability:
    return Applicability(ApplicabilityState.SUPERSEDED, reason, NOT_APPLICABLE_CODE)
