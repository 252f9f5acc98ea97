"""Whose reparse points are, by path and data."""

from __future__ import annotations

import pytest

from wimdock.paths import ImagePath
from wimdock.reparse import AppExecLink, Opaque, Owner, ReparseValue, ThirdParty, owner_of, tags
from wimdock.reparse.encode import junction, symbolic_link

HIDDEN_SYSTEM = 0x2416
NOTHING = Opaque(0)

CASES: list[tuple[str, int, ReparseValue, int, Owner]] = [
    (
        r"\Users\u\AppData\Local\Microsoft\WindowsApps\python.exe",
        tags.APPEXECLINK,
        AppExecLink("p", "e", "x", "0"),
        0,
        Owner.STORE,
    ),
    (
        (
            r"\Program Files\Microsoft Office\root\vfs\ProgramFilesX86\Microsoft Office"
            r"\Office16\C2R32.dll"
        ),
        tags.SYMLINK,
        symbolic_link("\\\\?\\C:\\Program Files\\Common Files\\x.dll"),
        0,
        Owner.OFFICE,
    ),
    (
        r"\Windows\System32\AppVIsvSubsystems64.dll",
        tags.SYMLINK,
        symbolic_link("C:\\Program Files\\Microsoft Office 15\\root\\client\\x.dll"),
        0,
        Owner.OFFICE,
    ),
    (
        r"\Program Files\Common Files\Microsoft Shared\ClickToRun\x.dll",
        tags.SYMLINK,
        symbolic_link("y.dll"),
        0,
        Owner.OFFICE,
    ),
    (r"\Users\u\OneDrive - Firm\a.txt", 0x9000601A, NOTHING, 0, Owner.ONEDRIVE),
    (r"\Users\u\iCloudDrive\a.txt", 0x9000701A, NOTHING, 0, Owner.CLOUD),
    (r"\Users\u\x\rootfs\bin\sh", tags.LX_SYMLINK, NOTHING, 0, Owner.WSL),
    (r"\ProgramData\x", tags.AF_UNIX, NOTHING, 0, Owner.SOCKET),
    (r"\x", tags.WCI_1, NOTHING, 0, Owner.CONTAINERS),
    (r"\x", 0xA0000028, NOTHING, 0, Owner.CONTAINERS),
    (r"\x", tags.WOF, NOTHING, 0, Owner.COMPACT),
    (r"\x", tags.DEDUP, NOTHING, 0, Owner.DEDUPLICATION),
    (r"\x", tags.PROJFS, NOTHING, 0, Owner.PROJECTION),
    (r"\x", tags.STORAGE_SYNC_FOLDER, NOTHING, 0, Owner.FILE_SYNC),
    (r"\x", tags.NFS, NOTHING, 0, Owner.NFS),
    (r"\x", tags.WIM, NOTHING, 0, Owner.WIM_MOUNT),
    (r"\x", 0xC0000004, NOTHING, 0, Owner.STORAGE),
    (r"\x", 0x44, ThirdParty("{0}", 1), 0, Owner.THIRD_PARTY),
    (r"\x", 0x9000BEEF, NOTHING, 0, Owner.UNKNOWN),
    (r"\Documents and Settings", tags.MOUNT_POINT, junction("C:\\Users"), 0, Owner.WINDOWS),
    (r"\Users\All Users", tags.SYMLINK, symbolic_link("C:\\ProgramData"), 0, Owner.WINDOWS),
    (r"\USERS\default user", tags.MOUNT_POINT, junction("C:\\Users\\Default"), 0, Owner.WINDOWS),
    (
        r"\ProgramData\Application Data",
        tags.MOUNT_POINT,
        junction("C:\\ProgramData"),
        0,
        Owner.WINDOWS,
    ),
    (
        r"\Users\anybody\Documents\My Music",
        tags.MOUNT_POINT,
        junction("C:\\Users\\anybody\\Music"),
        0,
        Owner.WINDOWS,
    ),
    (
        r"\Windows\System32\config\systemprofile\AppData\Local\History",
        tags.MOUNT_POINT,
        NOTHING,
        0,
        Owner.WINDOWS,
    ),
    # German names, known by hidden, system and target.
    (r"\Programme", tags.MOUNT_POINT, junction("C:\\Program Files"), HIDDEN_SYSTEM, Owner.WINDOWS),
    (
        r"\Users\u\Anwendungsdaten",
        tags.MOUNT_POINT,
        junction("C:\\Users\\u\\AppData\\Roaming"),
        HIDDEN_SYSTEM,
        Owner.WINDOWS,
    ),
    (r"\Programme", tags.MOUNT_POINT, junction("C:\\Program Files"), 0, Owner.PLAIN),
    (r"\Programme", tags.MOUNT_POINT, junction("D:\\Data"), HIDDEN_SYSTEM, Owner.PLAIN),
    (r"\Users\u\link", tags.MOUNT_POINT, junction("C:\\Data"), 0, Owner.PLAIN),
    (r"\Data\link.txt", tags.SYMLINK, symbolic_link("..\\x"), 0, Owner.PLAIN),
    (r"\broken", tags.SYMLINK, Opaque(2, "short"), HIDDEN_SYSTEM, Owner.PLAIN),
    ("", tags.SYMLINK, Opaque(2, "short"), HIDDEN_SYSTEM, Owner.PLAIN),
]


@pytest.mark.parametrize("path,tag,value,attributes,owner", CASES)
def test_owner(path: str, tag: int, value: ReparseValue, attributes: int, owner: Owner) -> None:
    assert owner_of(ImagePath(path), tag, value, attributes) is owner


def test_every_tag_has_an_owner_but_for_those_of_drivers_long_gone() -> None:
    unowned = {
        tag.name
        for tag in tags.TAGS.values()
        if owner_of(ImagePath("x"), tag.value, NOTHING) is Owner.UNKNOWN
    }
    assert unowned == {
        "APPXSTRM",
        "CSV",
        "DFM",
        "DFS",
        "DFSR",
        "DRIVE_EXTENDER",
        "FILTER_MANAGER",
        "IIS_CACHE",
        "SIS",
    }
