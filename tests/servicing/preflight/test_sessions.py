"""What an earlier servicing left undone in an image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.servicing.preflight.made import check, edit, looked
from wimdock.image.change_set import HiveName, PutFile, SetValue
from wimdock.paths import ImagePath
from wimdock.servicing.preflight.check import Result

CBS = r"Microsoft\Windows\CurrentVersion\Component Based Servicing"
REG_DWORD = 4


def number(key: str, name: str, value: int) -> SetValue:
    data = value.to_bytes(4, "little")
    return SetValue(HiveName.SOFTWARE, f"{CBS}\\{key}", name, REG_DWORD, data)


def test_nothing_pending(lab_image: Callable[[str], Path]) -> None:
    assert check(looked(lab_image("xpress")), "pending-sessions").result is Result.PASSED


def test_an_exclusive_session_fails(lab_image: Callable[[str], Path]) -> None:
    image = lab_image("xpress")
    edit(image, number("SessionsPending", "Exclusive", 3))
    found = check(looked(image, "wimdock"), "pending-sessions")
    assert (found.result, found.failure) == (Result.FAILED, 4)
    assert "Exclusive = 3" in found.reason
    assert r"Component Based Servicing\SessionsPending" in found.remedy


def test_zero_is_no_session(lab_image: Callable[[str], Path]) -> None:
    image = lab_image("xpress")
    edit(image, number("SessionsPending", "Exclusive", 0))
    assert check(looked(image), "pending-sessions").result is Result.PASSED


def test_pending_xml_and_packages_warn(lab_image: Callable[[str], Path]) -> None:
    image = lab_image("xpress")
    package = "Lab-Staged-Package~31bf3856ad364e35~amd64~~10.0.19041.1"
    pending = PutFile(ImagePath(r"\Windows\WinSxS\pending.xml"), b"<PendingTransaction />")
    edit(image, number(f"Packages\\{package}", "CurrentState", 0x60), files=(pending,))
    found = check(looked(image), "pending-sessions")
    assert found.result is Result.WARNING
    assert "pending.xml is there and 1 package waits" in found.reason
    assert found.details == (package,)


def test_a_broken_hive_is_not_checked(lab_image: Callable[[str], Path]) -> None:
    image = lab_image("xpress")
    edit(image, files=(PutFile(HiveName.SOFTWARE.path, b"regf, and then nothing"),))
    report = looked(image, "CM01=Server 2019")
    found = check(report, "pending-sessions")
    assert found.result is Result.NOT_CHECKED
    assert found.reason
    assert report.readiness.value == "uncertain"
