"""What of an update wimdock does not carry out, by name: known before an image is touched.

Three kinds of what a manifest can hold beside files, keys and services:

- harmless: it changes nothing in an image (each with its reason below);
- left alone: the installed software works without it, and the output names it;
- everything else, known or not: the update is refused.

What is asked for in a way that is not understood (a value type, a folder, a descriptor) is found by
the plan, which refuses in the same manner.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wimdock.cbs.component_manifest import ComponentManifest, Membership
from wimdock.cbs.element import Element, Unknown
from wimdock.cbs.firewall import ELEMENT as FIREWALL_RULE
from wimdock.cbs.memberships import PLAIN
from wimdock.cbs.package_manifest import PackageManifest
from wimdock.cbs.update import Update

# Top-level elements of component manifests.
_HARMLESS_ELEMENTS = {
    "application": "read by the loader from the program itself",
    "deconstructionTool": "says which tool took the build apart",
    "description": "a text",
    "feature": "marks the component as a feature of the build",
    "migration": "used when settings move to another Windows, not in this one",
    "noInherit": "concerns side-by-side loading of the assembly itself",
    "noInheritable": "concerns side-by-side loading of the assembly itself",
    "rescache": "lists the component for the resource cache, which Windows builds itself",
    "satelliteInfo": "says which languages the build has",
    "supportInformation": "a text",
}
_LEFT_ALONE_ELEMENTS = {
    "instrumentation": (
        "its event providers, channels and counters are not registered: the software runs, its "
        "events have no texts and its own channels stay empty"
    ),
}
_CARRIED_OUT_ELEMENTS = frozenset((FIREWALL_RULE,))
_KNOWN_ELEMENTS = _CARRIED_OUT_ELEMENTS | _HARMLESS_ELEMENTS.keys() | _LEFT_ALONE_ELEMENTS.keys()
_HARMLESS_PATHS = {
    "assembly/trustInfo/security/requestedPrivileges": "read by the loader of the program",
    "assembly/file/signatureInfo": "says how the build signs the file",
}
# Memberships that only put the component on a list of the build. Windows keeps no record of them
# in an image beyond the manifest itself.
_LISTING_CATEGORIES = PLAIN | {"singleinstancefilesbootcritical"}
# What a membership can hold that is carried out.
_CATEGORY_ELEMENTS = {
    "service": frozenset(("serviceData",)),
    "environment": frozenset(("path",)),
    "svchost": frozenset(("serviceGroup",)),
}

# Kinds of packages that Windows installs by more than their components.
_REFUSED_RELEASES = frozenset(
    ("language pack", "local pack", "service pack", "upgrade", "product", "foundation")
)


def unsupported(update: Update) -> tuple[str, ...]:
    """List everything of an update that is not carried out, each with its package or component.

    Empty for an update that can be serviced in full, but for what `left_alone` names.
    """
    found = list(update.reasons)
    for package in update.packages:
        found += (f"package {package.id}: {why}" for why in _in_package(package.manifest))
    for component in update.components:
        found += (
            f"component {component.key_form}: {why}" for why in _in_component(component.manifest)
        )
    return tuple(dict.fromkeys(found))


def left_alone(update: Update) -> tuple[str, ...]:
    """List what of an update is left out although it is serviced, each with where it stands."""
    found: dict[str, None] = {}
    for package in update.packages:
        names = {name for parent in package.manifest.parents for name in parent.unevaluated}
        for name in sorted(names):
            found[
                f"package {package.id}: {name} of its parents: not evaluated: make sure that the "
                "package is for this image's service pack"
            ] = None
    for component in update.components:
        for element in component.manifest.extensions:
            if (why := _LEFT_ALONE_ELEMENTS.get(element.name)) is not None:
                name = _name_of(element)
                found[f"component {component.key_form}: {element.name}{name}: {why}"] = None
    return tuple(found)


def _in_package(manifest: PackageManifest) -> Iterator[str]:
    if manifest.self_update:
        yield "it updates the servicing stack itself"
    if manifest.release_type.lower() in _REFUSED_RELEASES:
        yield f"it is a {manifest.release_type}"
    for update in manifest.updates:
        for driver in update.drivers:
            yield f"update {update.name} brings the driver {driver.name}"
        if update.packages and update.updated_components:
            yield f"update {update.name} brings packages only for images with certain components"
    yield from _surprises(manifest.unknown)


def _in_component(manifest: ComponentManifest) -> Iterator[str]:
    others = Counter(
        element.name for element in manifest.extensions if element.name not in _KNOWN_ELEMENTS
    )
    for name, count in others.items():
        times = f" ({count} times)" if count > 1 else ""
        yield f"the element {name}{times}"
    for membership in manifest.memberships:
        yield from _in_membership(membership)
    yield from _surprises(manifest.unknown)


def _in_membership(membership: Membership) -> Iterator[str]:
    known = _CATEGORY_ELEMENTS.get(membership.type_name.lower(), frozenset())
    contents = Counter(
        child.name for instance in membership.instances for child in instance.children
    )
    for name in contents:
        if name not in known:
            yield f"the element {name} of category {membership.type_name}"
    if not contents and membership.type_name.lower() not in _LISTING_CATEGORIES:
        yield f"the category {membership.type_name}"


def _surprises(unknown: tuple[Unknown, ...]) -> Iterator[str]:
    for entry in unknown:
        if entry.path not in _HARMLESS_PATHS:
            detail = f" ({entry.detail})" if entry.detail else ""
            yield f"{entry.path}{detail}"


def _name_of(element: Element) -> str:
    name = element.get("internalName") or element.get("name")
    return f" {name}" if name else ""
