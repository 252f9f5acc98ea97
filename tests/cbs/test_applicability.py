"""Whether an update is for an image, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from wimdock.cbs.applicability import Applicability, ApplicabilityState, judge
from wimdock.cbs.identity import Identity, Version
from wimdock.cbs.opening import open_update
from wimdock.cbs.package_manifest import (
    ChildPackage,
    PackageManifest,
    PackageUpdate,
    Parent,
)
from wimdock.cbs.update import Update, UpdatePackage

TOKEN = "31bf3856ad364e35"  # noqa: S105 - a public key token
FEATURES = "Microsoft-Windows-Client-Features-Package"


@dataclass(frozen=True)
class Registered:
    """A package that an image lists."""

    id: str
    state: int = 0x70


def identity(name: str, version: str = "10.0.19041.1", arch: str = "amd64") -> Identity:
    return Identity(name, Version.parse(version), arch, "neutral", TOKEN)


def registered(name: str, version: str, state: int = 0x70) -> Registered:
    return Registered(identity(name, version).package_id, state)


def parent(version: str = "10.0.19041.1", **compare: str) -> Parent:
    return Parent((identity(FEATURES, version),), **compare)  # type: ignore[arg-type]


def package(
    name: str,
    parents: tuple[Parent, ...] = (),
    children: tuple[str, ...] = (),
    *,
    arch: str = "amd64",
    components: bool = True,
    deep: bool = False,
) -> UpdatePackage:
    brought = (identity(f"{name}-Deployment"),) if components else ()
    parts = [PackageUpdate("own", components=brought)]
    parts += [PackageUpdate(child, (ChildPackage(identity(child)),)) for child in children]
    manifest = PackageManifest(
        identity(name, arch=arch), parents=parents, updates=tuple(parts), deep=deep
    )
    return UpdatePackage(manifest, Path("update.mum"), None, catalogued=False)


def update_of(*packages: UpdatePackage) -> Update:
    return Update(Path("a.cab"), 1, "", packages, (), catalogued=False)


def judged(update: UpdatePackage, *installed: Registered, arch: str = "amd64") -> Applicability:
    return judge(update_of(update), installed, arch)


@pytest.mark.parametrize(
    "wanted, installed, applies",
    [
        # version, build and revision: EQ, EQ, GE where nothing else is said
        (parent(), "10.0.19041.1", True),
        (parent(), "10.0.19041.1052", True),
        (parent("10.0.19041.500"), "10.0.19041.499", False),
        (parent(), "10.0.19042.1", False),
        (parent(), "10.0.19040.1", False),
        (parent(), "6.3.19041.1", False),
        (parent(build_compare="GE"), "10.0.22000.1", True),
        (parent(build_compare="GE"), "10.0.18362.1", False),
        (parent(version_compare="GE", build_compare="GE"), "11.0.19041.1", True),
        (parent("10.0.19041.5", revision_compare="EQ"), "10.0.19041.5", True),
        (parent("10.0.19041.5", revision_compare="EQ"), "10.0.19041.6", False),
    ],
)
def test_parents_decide_by_version(wanted: Parent, installed: str, *, applies: bool) -> None:
    answer = judged(package("Update", (wanted,)), registered(FEATURES, installed))
    assert answer.is_applicable is applies
    if applies:
        assert answer.hresult is None
        assert answer.parent == identity(FEATURES, installed).package_id
    else:
        assert answer.state is ApplicabilityState.NOT_APPLICABLE
        assert answer.hresult == 0x800F081E
        assert FEATURES in answer.reason


@pytest.mark.parametrize(
    "disposition, state, applies",
    [
        ("detect", 0x70, True),
        ("detect", 0x80, True),
        ("detect", 0x60, True),
        ("detect", 0x40, False),
        ("detect", 0x00, False),
        ("staged", 0x40, True),
        ("staged", 0x50, True),
        ("staged", 0x20, False),
    ],
)
def test_parents_decide_by_state(disposition: str, state: int, *, applies: bool) -> None:
    wanted = parent(disposition=disposition)
    installed = registered(FEATURES, "10.0.19041.1", state)
    assert judged(package("Update", (wanted,)), installed).is_applicable is applies


def test_any_parent_will_do() -> None:
    others = Parent((identity("Nano"), identity("Server")))
    wanted = (others, parent())
    assert judged(package("Update", wanted), registered("Server", "10.0.19041.7")).is_applicable
    assert judged(package("Update", wanted), registered(FEATURES, "10.0.19041.7")).is_applicable
    answer = judged(package("Update", wanted))
    assert "Nano" in answer.reason
    assert "2 other" in answer.reason


def test_a_package_without_parents_is_for_every_image_of_its_architecture() -> None:
    assert judged(package("Update")).is_applicable
    assert judged(package("Update", arch="neutral")).is_applicable
    answer = judged(package("Update"), arch="x86")
    assert answer.state is ApplicabilityState.NOT_APPLICABLE
    assert "amd64" in answer.reason
    assert "x86" in answer.reason


def test_case_does_not_matter() -> None:
    installed = Registered(identity(FEATURES).package_id.upper())
    assert judged(package("Update", (parent(),)), installed, arch="AMD64").is_applicable


@pytest.mark.parametrize("state", [0x60, 0x65, 0x70, 0x80])
def test_what_is_installed_already_succeeds_without_doing_anything(state: int) -> None:
    answer = judged(package("Update"), registered("update", "10.0.19041.1", state))
    assert answer.state is ApplicabilityState.INSTALLED
    assert answer.hresult == 0x00240006


def test_what_is_only_staged_can_be_installed() -> None:
    assert judged(package("Update"), registered("Update", "10.0.19041.1", 0x40)).is_applicable


@pytest.mark.parametrize("version, state", [("10.0.19041.2", 0x70), ("10.0.19041.1", 0x50)])
def test_what_is_superseded_is_not_installed(version: str, state: int) -> None:
    answer = judged(package("Update"), registered("Update", version, state))
    assert answer.state is ApplicabilityState.SUPERSEDED
    assert not answer.is_applicable


def test_an_older_version_gives_way() -> None:
    assert judged(package("Update"), registered("Update", "10.0.19041.0")).is_applicable


def test_keys_that_are_no_package_are_passed_over() -> None:
    assert judged(package("Update"), Registered("nonsense"), Registered("")).is_applicable


def test_children_are_judged_one_by_one() -> None:
    root = package("Root", children=("For-All", "For-Nano", "There-Already"), components=False)
    nano = package("For-Nano", (Parent((identity("Nano"),)),), ("Below",))
    update = update_of(root, package("For-All"), nano, package("There-Already"), package("Below"))
    installed = (registered("There-Already", "10.0.19041.1"),)
    answer = judge(update, installed, "amd64")
    assert [entry.identity.name for entry in answer.packages] == ["Root", "For-All"]
    skipped = {entry.identity.name: why for entry, why in answer.skipped}
    assert set(skipped) == {"For-Nano", "There-Already"}
    assert "Nano" in skipped["For-Nano"]


def test_a_deep_package_needs_a_child_that_applies() -> None:
    nano = package("For-Nano", (Parent((identity("Nano"),)),))
    root = package("Root", children=("For-Nano",), components=False, deep=True)
    answer = judge(update_of(root, nano), (), "amd64")
    assert answer.state is ApplicabilityState.NOT_APPLICABLE
    assert len(answer.skipped) == 1


@pytest.mark.parametrize(
    "parent_version, applies", [("10.0.19041.1", True), ("10.0.19045.3803", True), ("10.0.1.1", 0)]
)
def test_the_real_openssh_server(
    shared_data: Path, tmp_path: Path, parent_version: str, *, applies: bool
) -> None:
    packages = shared_data / "packages"
    dictionary = (packages / "manifest-dictionary.bin").read_bytes()
    path = packages / "OpenSSH-Server-19041.cab"
    update = open_update(path, tmp_path / "w", dictionary=lambda: dictionary)
    answer = judge(update, (registered(FEATURES, parent_version),), "amd64")
    assert answer.is_applicable == applies
    assert len(answer.packages) == (4 if applies else 0)
