"""A small image made with our own writer: what the demo services, where there is no Windows.

It is no Windows: it holds the hives, keys and folders that servicing needs, a few files, and
reparse points of the kinds that Configuration Manager's older hosts stumble over.
"""

from __future__ import annotations

from pathlib import Path

from wimdock.cbs.security import descriptor
from wimdock.clock import Clock
from wimdock.errors import ImageError, StorageError
from wimdock.image.change_set import (
    ChangeSet,
    FileEdit,
    HiveName,
    PutDirectory,
    PutFile,
    PutReparsePoint,
    PutStream,
)
from wimdock.image.packages import INSTALLED, PACKAGES_KEY
from wimdock.image.staging import StagedImage
from wimdock.image.windows import WindowsImage
from wimdock.paths import ImagePath
from wimdock.registry import Hive, ValueType, encode_dword, encode_string
from wimdock.reparse.data import AppExecLink, MountPoint, SymbolicLink
from wimdock.reparse.encode import encode, junction, symbolic_link
from wimdock.wim import Archive
from wimdock.wim.creation import NewImage, create_archive
from wimdock.wim.transaction import Transaction

PARENT = "Wimdock-Demo-Windows-Package~0123456789abcdef~amd64~~10.0.19041.1"
VERSION = "10.0.19041.1"

_NAME = "wimdock demo"
_PROPERTIES = {
    "DESCRIPTION": "An image for `wimdock demo`",
    "WINDOWS/ARCH": "9",
    "WINDOWS/PRODUCTNAME": "No Windows at all",
    "WINDOWS/EDITIONID": "Demo",
    "WINDOWS/INSTALLATIONTYPE": "Client",
    "WINDOWS/LANGUAGES/LANGUAGE": "en-US",
    "WINDOWS/LANGUAGES/DEFAULT": "en-US",
    "WINDOWS/VERSION/MAJOR": "10",
    "WINDOWS/VERSION/MINOR": "0",
    "WINDOWS/VERSION/BUILD": "19041",
    "WINDOWS/VERSION/SPBUILD": "1",
    "WINDOWS/SYSTEMROOT": "WINDOWS",
}
_ROOT_SDDL = "O:BAG:BAD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;GRGX;;;BU)"
_OFFICE = r"\Program Files\Microsoft Office\root"
_ALIASES = r"\Users\Default\AppData\Local\Microsoft\WindowsApps"
_LX_SYMLINK = b"\x02\x00\x00\x00" + b"usr/bin"
_CLOUD = bytes.fromhex("01000000") + bytes(36)


def is_demo_image(path: Path) -> bool:
    """Tell whether a file is an image that `make_demo_image` wrote."""
    try:
        with Archive.open(path) as archive:
            return [image.name for image in archive.images] == [_NAME]
    except (ImageError, StorageError):
        return False


def make_demo_image(path: Path, clock: Clock) -> None:
    """Write the image file; StorageError where it exists already."""
    security = descriptor(_ROOT_SDDL)
    create_archive(path, [NewImage(_NAME, _PROPERTIES, security)], clock.now())
    with Transaction.begin(path, clock=clock) as transaction:
        staged = StagedImage(WindowsImage(transaction.archive, 1), clock)
        staged.stage(ChangeSet((*_files(clock), *_reparse_points())))
        written = staged.write(transaction)
        transaction.commit("demo: an image of our own", written.check)


def _files(clock: Clock) -> list[FileEdit]:
    hives = {
        HiveName.SOFTWARE: _software(clock),
        HiveName.SYSTEM: _system(clock),
        HiveName.COMPONENTS: _components(clock),
        HiveName.DEFAULT: Hive.empty("DEFAULT", clock=clock),
    }
    text = b"A file with a second name, a stream and no secrets.\r\n" * 40
    return [
        PutDirectory(ImagePath(r"\Windows\WinSxS\Manifests")),
        PutDirectory(ImagePath(r"\Windows\servicing\Packages")),
        PutFile(
            ImagePath(r"\Windows\System32\demo.txt"),
            text,
            (ImagePath(r"\Windows\WinSxS\demo\demo.txt"),),
        ),
        PutStream(ImagePath(r"\Windows\System32\demo.txt"), "origin", b"demo"),
        PutFile(ImagePath(_OFFICE + r"\Office16\MSO.DLL"), b"MZ" + bytes(4000)),
        *(PutFile(name.path, hive.to_bytes()) for name, hive in hives.items()),
    ]


def _reparse_points() -> list[FileEdit]:
    office = r"\vfs\ProgramFilesX64\Microsoft Office\Office16"
    alias = AppExecLink(
        package="Demo.Terminal_0123456789abc",
        entry_point="Demo.Terminal_0123456789abc!App",
        executable=r"C:\Program Files\WindowsApps\Demo.Terminal\wt.exe",
        application_type="0",
    )
    links: list[tuple[str, SymbolicLink | MountPoint | AppExecLink, bool]] = [
        (
            _OFFICE + office + r"\MSO.DLL",
            symbolic_link(rf"\\?\C:{_OFFICE}\Office16\MSO.DLL"),
            False,
        ),
        (r"\Documents and Settings", junction(r"C:\Users"), True),
        (r"\Users\All Users", symbolic_link(r"C:\ProgramData"), True),
        (_ALIASES + r"\wt.exe", alias, False),
    ]
    points = [
        PutReparsePoint(ImagePath(path), *encode(link), directory=directory)
        for path, link, directory in links
    ]
    raw = [
        (r"\Users\Default\rootfs\bin", 0xA000001D, _LX_SYMLINK, False),
        (r"\Users\Default\OneDrive", 0x9000601A, _CLOUD, True),
    ]
    points += [
        PutReparsePoint(ImagePath(path), tag, data, directory) for path, tag, data, directory in raw
    ]
    return list(points)


def _software(clock: Clock) -> Hive:
    hive = Hive.empty("SOFTWARE", clock=clock)
    version = hive.create_key(r"Microsoft\Windows NT\CurrentVersion")
    texts = {
        "SystemRoot": r"C:\Windows",
        "CurrentBuild": "19041",
        "ProductName": "No Windows at all",
        "EditionID": "Demo",
    }
    for name, text in texts.items():
        version.set_value(name, ValueType.REG_SZ, encode_string(text))
    package = hive.create_key(f"{PACKAGES_KEY}\\{PARENT}")
    package.set_value("CurrentState", ValueType.REG_DWORD, encode_dword(INSTALLED))
    package.set_value("Visibility", ValueType.REG_DWORD, encode_dword(1))
    package.set_value("InstallClient", ValueType.REG_SZ, encode_string("wimdock demo"))
    hive.create_key(r"Microsoft\Windows\CurrentVersion\SideBySide\Winners")
    hive.create_key("Classes")
    return hive


def _system(clock: Clock) -> Hive:
    hive = Hive.empty("SYSTEM", clock=clock)
    hive.create_key("Select").set_value("Current", ValueType.REG_DWORD, encode_dword(1))
    hive.create_key(r"ControlSet001\Services")
    return hive


def _components(clock: Clock) -> Hive:
    hive = Hive.empty("COMPONENTS", clock=clock)
    for key in (r"DerivedData\Components", r"CanonicalData\Deployments", r"CanonicalData\Catalogs"):
        hive.create_key(key)
    return hive
