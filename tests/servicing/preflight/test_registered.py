"""Which image packages of a site are this file, and whether the site's record of it is current."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.lab.lab import Lab
from tests.servicing.preflight.made import check
from tests.servicing.surroundings import quick
from wimdock.configmgr.provider import Provider
from wimdock.configmgr.site import ImagePackage, Site, SiteImage
from wimdock.reparse.hosts import SERVER_2019
from wimdock.servicing.preflight.check import Result
from wimdock.servicing.preflight.registered import registered_as
from wimdock.servicing.preflight.report import PreflightReport, Registered
from wimdock.servicing.preflight.run import PreflightOptions, preflight
from wimdock.servicing.preflight.volume import Volume

GOLDEN = ImagePackage("CAS00123", "Golden", r"\\CM01\Src$\os\Golden.wim")
OTHER = ImagePackage("CAS00124", "Old", r"\\cm01\src$\old\golden.wim")
SHARE = Volume(Path("/mnt"), Path("/mnt"), "cifs", frozenset(), 1, 0, 0, "//cm01/src$")
LOCAL = replace(SHARE, file_system="ext4", source="/dev/sda1")


def test_the_same_path_on_a_share_is_sure() -> None:
    found = registered_as(Path("/mnt/os/golden.wim"), SHARE, (OTHER, GOLDEN))
    assert found == (Registered("CAS00123", "Golden", GOLDEN.source_path, sure=True),)


def test_elsewhere_only_the_name_can_be_compared() -> None:
    found = registered_as(Path("/mnt/os/golden.wim"), LOCAL, (OTHER, GOLDEN))
    assert [(each.package_id, each.sure) for each in found] == [
        ("CAS00124", False),
        ("CAS00123", False),
    ]
    assert registered_as(Path("/mnt/os/kiosk.wim"), SHARE, (OTHER, GOLDEN)) == ()


def asked(image: Path, *images: SiteImage) -> PreflightReport:
    package = ImagePackage("CAS00123", "Golden", rf"\\cm01\src\{image.name}")
    host = Provider("CM01", SERVER_2019, "CAS")
    site = Site("https://cm01/AdminService", (host,), (package,), images)
    return preflight(image, PreflightOptions(hosts=(host,), site=site), quick())


def record(version: str, index: int = 1) -> SiteImage:
    return SiteImage("CAS00123", index, "Windows 10", version, "x64")


def test_a_record_that_is_current(lab: Lab) -> None:
    report = asked(lab.image("xpress"), record("10.0.19041.388"))
    assert check(report, "site-record").result is Result.PASSED
    assert [each.package_id for each in report.packages] == ["CAS00123"]


def test_a_record_of_an_older_file(lab: Lab) -> None:
    found = check(asked(lab.image("xpress"), record("10.0.19041.264")), "site-record")
    assert found.result is Result.WARNING
    assert found.details == ("image 1: the site says 10.0.19041.264, it is 10.0.19041.388",)


def test_a_record_with_other_images(lab: Lab) -> None:
    images = record("10.0.19041.388"), record("10.0.19041.388", 2)
    found = check(asked(lab.image("xpress"), *images), "site-record")
    assert found.details == ("the site says 2 images, there are 1",)


def test_a_site_that_does_not_know_the_file(lab: Lab) -> None:
    site = Site("https://cm01/AdminService", (), (OTHER,), ())
    options = PreflightOptions(hosts=(Provider("CM01", SERVER_2019),), site=site)
    report = preflight(lab.image("xpress"), options, quick())
    assert check(report, "site-record").result is Result.WARNING
    assert report.packages == ()
