"""Which parts of an update are chosen."""

from __future__ import annotations

import pytest

from tests.cbs.made_update import component, deployment, identity, package, update
from tests.cbs.planning import FakeImage
from wimdock.cbs.applicability import judge
from wimdock.cbs.component_manifest import ComponentManifest, Dependency
from wimdock.cbs.component_store import manifest_path
from wimdock.cbs.package_manifest import ChildPackage, PackageUpdate
from wimdock.cbs.refusal import Refusals
from wimdock.cbs.selection import Selection, select
from wimdock.cbs.update import Update
from wimdock.cbs.winner import Winners, register_winner
from wimdock.errors import NotApplicable
from wimdock.image.change_set import ChangeSet


def chosen(made: Update, image: FakeImage) -> tuple[Selection, tuple[str, ...]]:
    refusals = Refusals()
    answer = judge(made, image.installed_packages(), image.architecture)
    selection = select(made, answer, image, Winners(image), refusals)
    return selection, refusals.reasons


def names(selection: Selection) -> list[str]:
    return [entry.component.identity.name for entry in selection.components]


def test_a_component_of_two_deployments_is_chosen_once() -> None:
    shared = component(ComponentManifest(identity("Shared")))
    first = deployment("First", shared.identity)
    second = deployment("Second", shared.identity)
    root = package(
        "Root",
        PackageUpdate("one", components=(first.identity,)),
        PackageUpdate("two", components=(second.identity,)),
    )
    selection, reasons = chosen(update((root,), (first, second, shared)), FakeImage())
    assert reasons == ()
    assert names(selection) == ["First", "Shared", "Second"]
    entry = selection.components[1]
    assert [one.identity.name for one in entry.deployments] == ["First", "Second"]
    assert [one.update_name for one in selection.components[0].references] == ["one"]


def test_components_may_install_others_even_in_a_circle() -> None:
    a, b = identity("A"), identity("B")
    first = component(ComponentManifest(a, dependencies=(Dependency(b, "install"),)))
    second = component(
        ComponentManifest(
            b, dependencies=(Dependency(a, "install"), Dependency(identity("C"), "prerequisite"))
        )
    )
    top = deployment("Top", a)
    root = package("Root", PackageUpdate("one", components=(top.identity,)))
    selection, reasons = chosen(update((root,), (top, first, second)), FakeImage())
    assert reasons == ()
    assert names(selection) == ["Top", "A", "B"]


def test_any_language_is_every_language_that_the_update_has() -> None:
    german = component(ComponentManifest(identity("Texts", language="de-DE")))
    english = component(ComponentManifest(identity("Texts", language="en-US")))
    top = deployment("Top", identity("Texts", language="*"))
    root = package("Root", PackageUpdate("one", components=(top.identity,)))
    selection, _ = chosen(update((root,), (top, english, german)), FakeImage())
    assert names(selection) == ["Top", "Texts", "Texts"]


def test_a_component_that_is_missing_may_be_in_the_image() -> None:
    wanted = identity("Wanted")
    top = deployment("Top", wanted)
    root = package("Root", PackageUpdate("one", components=(top.identity,)))
    image = FakeImage()
    assert len(chosen(update((root,), (top,)), image)[1]) == 1
    assert len(chosen(update((root,), ()), image)[1]) == 1
    image.paths.add(manifest_path(wanted.key_form))
    assert chosen(update((root,), (top,)), image)[1] == ()


def test_an_update_for_certain_components_needs_one_of_them() -> None:
    base = identity("Base", "1.0.0.0")
    new = component(ComponentManifest(identity("Base", "1.0.0.9")))
    top = deployment("Top", new.identity)
    part = PackageUpdate("one", components=(top.identity,), updated_components=(base,))
    made = update((package("Root", part),), (top, new))
    image = FakeImage()
    with pytest.raises(NotApplicable, match="nothing that this image has"):
        chosen(made, image)
    verdict = Winners(image).judge(base)
    image.apply(ChangeSet(registry=tuple(register_winner(base, verdict))))
    assert names(chosen(made, image)[0]) == ["Top", "Base"]


def test_owners_and_packages_that_are_superseded() -> None:
    child = package("Child")
    part = PackageUpdate("one", packages=(ChildPackage(child.identity),))
    root = package("Root", part)
    image = FakeImage()
    older = child.id.replace("1.0.0.1", "1.0.0.0")
    image.register(older)
    image.register(root.id.replace("1.0.0.1", "1.0.0.0"), state=0x80)
    selection, _ = chosen(update((root, child), ()), image)
    assert selection.owners == {root.id.lower(): (root.id,), child.id.lower(): (root.id,)}
    assert selection.superseded == (older,)
    assert selection.adopted == ()
