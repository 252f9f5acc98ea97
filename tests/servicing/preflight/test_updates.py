"""Updates against images: content, architecture, applicability, order, known failures."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.cases import CASES, package
from tests.lab.identity import LabIdentity
from tests.lab.package import write_cabinet, write_package, write_standalone
from tests.lab.tool import run
from tests.servicing.preflight.made import check, checks, cumulative, edit, looked, stack
from tests.servicing.surroundings import cabinet_of, other_cabinet
from wimdock.image.change_set import HiveName, SetValue
from wimdock.servicing.preflight.check import Result

Copies = Callable[[str], Path]
HOST = "CM01=Server 2019"


def test_an_applicable_update_passes(lab_image: Copies, tmp_path: Path) -> None:
    report = looked(lab_image("xpress"), HOST, updates=(cabinet_of("plain", tmp_path),))
    assert check(report, "update-content").result is Result.PASSED
    found = check(report, "update-applicability")
    assert (found.result, found.index, found.update) == (Result.PASSED, 1, "plain.cab")
    assert report.readiness.value == "ready"


@pytest.mark.parametrize(
    "case, name, result, failure",
    [
        ("other architecture", "update-architecture", Result.FAILED, 8),
        ("missing parent", "update-applicability", Result.FAILED, 8),
        ("parent too old", "update-applicability", Result.FAILED, 8),
        ("superseded", "update-applicability", Result.WARNING, 8),
        ("installed already", "update-applicability", Result.PASSED, None),
        ("entities in XML", "update-content", Result.FAILED, None),
        ("no update.mum", "update-content", Result.FAILED, None),
        ("unknown element", "update-applicability", Result.PASSED, None),
    ],
)
def test_cases(
    lab_image: Copies, tmp_path: Path, case: str, name: str, result: Result, failure: int | None
) -> None:
    path = write_cabinet(tmp_path / "case.cab", CASES[case].files())
    found = check(looked(lab_image("xpress"), HOST, updates=(path,)), name)
    assert (found.result, found.failure) == (result, failure)
    assert found.remedy or result is Result.PASSED


def test_an_update_may_need_the_one_before(lab_image: Copies, tmp_path: Path) -> None:
    first = cabinet_of("plain", tmp_path)
    second = other_cabinet(tmp_path, LabIdentity("Lab-Update-Package"))
    image = lab_image("xpress")
    in_order = looked(image, HOST, updates=(first, second))
    assert [c.result for c in checks(in_order, "update-applicability")] == [Result.PASSED] * 2
    turned = looked(image, HOST, updates=(second, first))
    assert [c.result for c in checks(turned, "update-applicability")] == [
        Result.FAILED,
        Result.PASSED,
    ]


@pytest.mark.parametrize("start", [b"MZ\x90\0", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"])
def test_programs_are_no_content(lab_image: Copies, tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "office.exe"
    path.write_bytes(start + bytes(100))
    found = check(looked(lab_image("xpress"), HOST, updates=(path,)), "update-content")
    assert (found.result, found.failure) == (Result.FAILED, 5)
    assert "task sequence" in found.remedy


def test_what_only_dism_opens_is_not_checked(lab_image: Copies, tmp_path: Path) -> None:
    path = tmp_path / "new.msu"
    path.write_bytes(b"MSWIM\0\0\0" + bytes(300))
    report = looked(lab_image("xpress"), HOST, updates=(path,))
    assert check(report, "update-content").result is Result.NOT_CHECKED
    assert report.readiness.value == "uncertain"


def test_every_update_is_looked_at(lab_image: Copies, tmp_path: Path) -> None:
    absent, pipe, good = tmp_path / "absent.cab", tmp_path / "pipe", cabinet_of("plain", tmp_path)
    os.mkfifo(pipe)
    report = looked(lab_image("xpress"), HOST, updates=(absent, pipe, tmp_path, good))
    results = [found.result for found in checks(report, "update-content")]
    assert results == [Result.FAILED] * 3 + [Result.PASSED]
    assert check(report, "update-applicability").update == good.name


def test_a_standalone_update_is_read(lab_image: Copies, tmp_path: Path) -> None:
    cabinet = cabinet_of("plain", tmp_path)
    path = write_standalone(tmp_path / "plain.msu", CASES["plain"].package, cabinet)
    found = check(looked(lab_image("xpress"), HOST, updates=(path,)), "update-applicability")
    assert found.result is Result.PASSED


def test_a_file_with_several_packages(lab_image: Copies, tmp_path: Path) -> None:
    """As Windows 11 and later bring the stack beside the cumulative update."""
    inner = (stack(tmp_path), cumulative(tmp_path, "19041.2000.1.1"))
    contents = {f"{number}.cab": path.read_bytes() for number, path in enumerate(inner)}
    path = write_cabinet(tmp_path / "both.msu", contents, compress=False)
    report = looked(lab_image("xpress"), HOST, updates=(path,))
    results = [found.result for found in checks(report, "update-applicability")]
    assert results == [Result.PASSED] * 2
    assert "19041.900.1.1 in time" in check(report, "servicing-stack").reason


@pytest.mark.parametrize("arch", ["x86", "x64"])
def test_real_updates_of_another_windows(shared_data: Path, lab_image: Copies, arch: str) -> None:
    path = shared_data / "packages" / f"windows6.1-kb4528069-{arch}.msu"
    report = looked(lab_image("xpress"), HOST, updates=(path,))
    assert check(report, "update-content").result is Result.PASSED
    name = "update-architecture" if arch == "x86" else "update-applicability"
    assert check(report, name).result is Result.FAILED


def test_the_stack_comes_first(lab_image: Copies, tmp_path: Path) -> None:
    updates = cumulative(tmp_path, "19041.2000.1.1"), stack(tmp_path)
    image = lab_image("xpress")
    late = check(looked(image, HOST, updates=updates), "servicing-stack")
    assert (late.result, late.failure) == (Result.FAILED, 7)
    assert "stack.cab after rollup-19041.2000.1.1.cab" in late.reason
    good = check(looked(image, HOST, updates=updates[::-1]), "servicing-stack")
    assert good.result is Result.PASSED
    assert "servicing stack 10.0.19041.1" in good.reason


@pytest.mark.parametrize(
    "version, fails",
    [("804", False), ("867", True), ("1082", True), ("1083", False), ("2000", False)],
)
def test_cumulative_updates_of_early_2021(
    lab_image: Copies, tmp_path: Path, version: str, *, fails: bool
) -> None:
    path = cumulative(tmp_path, f"19041.{version}.1.1")
    found = checks(looked(lab_image("xpress"), HOST, updates=(path,)), "update-known-failure")
    assert [(c.result, c.failure) for c in found] == [(Result.FAILED, 2)] * fails


def revised(image: Path, build: int, revision: int) -> Path:
    """Give the lab's Windows another version; its XML, which counts first, says nothing then."""
    key = r"Microsoft\Windows NT\CurrentVersion"
    text = f"{build}\0".encode("utf-16-le")
    edit(
        image,
        SetValue(HiveName.SOFTWARE, key, "CurrentBuild", 1, text),
        SetValue(HiveName.SOFTWARE, key, "CurrentBuildNumber", 1, text),
        SetValue(HiveName.SOFTWARE, key, "UBR", 4, revision.to_bytes(4, "little")),
    )
    version = ("BUILD", str(build)), ("SPBUILD", str(revision))
    options = [f"--image-property=WINDOWS/VERSION/{name}={value}" for name, value in version]
    run("wimlib-imagex", "info", image, "1", *options)
    return image


def test_revision_985_is_enough(lab_image: Copies, tmp_path: Path) -> None:
    image = revised(lab_image("xpress"), 19042, 985)
    path = cumulative(tmp_path, "19041.1052.1.1")
    assert not checks(looked(image, HOST, updates=(path,)), "update-known-failure")
    older = revised(lab_image("xpress"), 19042, 984)
    assert checks(looked(older, HOST, updates=(path,)), "update-known-failure")


def test_windows_11_before_march_2022(lab_image: Copies, tmp_path: Path) -> None:
    image = revised(lab_image("xpress"), 22000, 194)
    old, new = (cumulative(tmp_path, f"22000.{number}.1.1") for number in (493, 556))
    (found,) = checks(looked(image, HOST, updates=(old, new)), "update-known-failure")
    assert (found.failure, found.update) == (3, old.name)


def test_wimdock_is_not_asked_what_configuration_manager_cannot(
    lab_image: Copies, tmp_path: Path
) -> None:
    path = cumulative(tmp_path, "19041.1000.1.1")
    report = looked(lab_image("xpress"), "wimdock", updates=(path,))
    assert not checks(report, "update-known-failure")
    assert check(report, "wimdock-plan").result is Result.PASSED


@pytest.mark.parametrize(
    "case, result",
    [
        ("plain", Result.PASSED),
        ("unsigned", Result.WARNING),
        ("unknown element", Result.FAILED),
        ("superseded", Result.WARNING),
        ("missing parent", Result.FAILED),
    ],
)
def test_wimdocks_own_plan(lab_image: Copies, tmp_path: Path, case: str, result: Result) -> None:
    path = write_cabinet(tmp_path / "case.cab", CASES[case].files())
    report = looked(lab_image("xpress"), "wimdock", updates=(path,))
    assert check(report, "wimdock-plan").result is result


def test_updates_of_any_architecture(lab_image: Copies, tmp_path: Path) -> None:
    identity = LabIdentity("Lab-Neutral-Package", architecture="neutral")
    path = write_package(tmp_path / "neutral.cab", replace(package(), identity=identity))
    report = looked(lab_image("xpress"), HOST, updates=(path,))
    assert not checks(report, "update-architecture")
