r"""Reparse points of an installed Windows: every kind of link, alias, placeholder and mark."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from tests.lab import descriptor
from tests.lab import reparse_data as data
from tests.lab.entry import HIDDEN, NOT_INDEXED, SYSTEM, LabFile, LabFolder, LabSpecial, Times

_VOLUME = r"\??\Volume{11111111-2222-3333-4444-555555555555}" + "\\"
_LAYER = uuid.UUID("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")
_VENDOR = uuid.UUID("c0ffee00-1234-4abc-9def-0123456789ab")
_WHEN = Times(132_300_000_000_000_000, 132_300_000_000_000_001, 132_300_000_000_000_002)
_LEGACY = HIDDEN | SYSTEM | NOT_INDEXED
_LINUX = "Users/Default/AppData/Local/Packages/Distribution/LocalState/rootfs"
_OFFICE = r"C:\Program Files\Microsoft Office\root"


def reparse_points() -> Iterator[LabFile | LabFolder]:
    """Give all of them, in the places where an installation has them."""
    yield from _junctions()
    yield from _symbolic_links()
    yield from _office()
    yield from _aliases()
    yield from _subsystem_for_linux()
    yield from _placeholders()


def tags() -> frozenset[int]:
    """Give the tags that occur among them."""
    found = (entry.reparse for entry in reparse_points() if entry.reparse is not None)
    return frozenset(int.from_bytes(raw[:4], "little") for raw in found)


def _junctions() -> Iterator[LabFolder]:
    yield LabFolder(
        "Documents and Settings",
        reparse=data.junction(r"\??\C:\Users", r"C:\Users"),
        short_name="DOCUME~1",
        security=descriptor.DENIED_LISTING,
        attributes=_LEGACY,
        times=_WHEN,
    )
    yield LabFolder(
        "Users/All Users",
        reparse=data.symlink(r"\??\C:\ProgramData", r"C:\ProgramData", relative=False),
        security=descriptor.FOLDER,
        attributes=_LEGACY,
    )
    yield LabFolder(
        "ProgramData/Application Data",
        reparse=data.junction(r"\??\C:\ProgramData", r"C:\ProgramData"),
        security=descriptor.DENIED_LISTING,
        attributes=_LEGACY,
        streams=(("on a junction", b"a named stream behind a reparse point"),),
    )
    yield LabFolder("ProgramData/Lab/mounted", reparse=data.junction(_VOLUME, ""))
    yield LabFolder("ProgramData/Lab/relative junction", reparse=data.junction(r"..\..\Windows"))
    yield LabFolder("ProgramData/Lab/device junction", reparse=data.junction(r"\\?\C:\Windows"))


def _symbolic_links() -> Iterator[LabFile | LabFolder]:
    lab = "ProgramData/Lab/links"
    yield LabFile(f"{lab}/relative.txt", reparse=data.symlink(r"..\empty.txt", relative=True))
    yield LabFile(
        f"{lab}/absolute.txt",
        reparse=data.symlink(r"\??\C:\Windows\third.txt", r"C:\Windows\third.txt", relative=False),
        streams=(("on a link", b"kept as well"),),
        security=descriptor.PRIVATE,
        times=_WHEN,
    )
    yield LabFile(
        f"{lab}/verbatim.txt",
        reparse=data.symlink(r"\\?\C:\Windows\third.txt", relative=False),
        short_name="VERBAT~1.TXT",
    )
    yield LabFile(f"{lab}/volume.txt", reparse=data.symlink(_VOLUME + "file.txt", relative=False))
    yield LabFile(
        f"{lab}/share.txt",
        reparse=data.symlink(r"\??\UNC\server\share\x", r"\\server\share\x", relative=False),
    )
    yield LabFile(f"{lab}/dangling", reparse=data.symlink("nowhere\\at\\all", relative=True))
    yield LabFolder(f"{lab}/relative folder", reparse=data.symlink(r"..\compressed", relative=True))
    yield LabFolder(
        f"{lab}/absolute folder",
        reparse=data.symlink(r"\??\C:\Windows\System32", r"C:\Windows\System32", relative=False),
        attributes=NOT_INDEXED,
    )
    yield LabFolder(
        f"{lab}/verbatim folder", reparse=data.symlink(r"\\?\C:\Windows", relative=False)
    )


def _office() -> Iterator[LabFile | LabFolder]:
    root = "Program Files/Microsoft Office/root/vfs"
    yield LabFile(
        f"{root}/ProgramFilesCommonX86/Microsoft Shared/OFFICE16/MSO.DLL", content=b"MSO" * 500
    )
    target = rf"{_OFFICE}\vfs\ProgramFilesCommonX86\Microsoft Shared\OFFICE16"
    for name in ("C2R32.dll", "AppVIsvSubsystems32.dll", "MSO.DLL"):
        yield LabFile(
            f"{root}/ProgramFilesX86/Microsoft Office/Office16/{name}",
            reparse=data.symlink(rf"\\?\{target}\{name}", relative=False),
            security=descriptor.SYSTEM_FILE,
            times=_WHEN,
        )
    yield LabFolder(
        f"{root}/ProgramFilesX64/Microsoft Office/Office16",
        reparse=data.symlink(rf"\\?\{_OFFICE}\Office16", relative=False),
    )


def _aliases() -> Iterator[LabFile]:
    folder = "Users/Default/AppData/Local/Microsoft/WindowsApps"
    for name, package, entry in (
        ("winget.exe", "Microsoft.DesktopAppInstaller_8wekyb3d8bbwe", "winget"),
        ("python.exe", "Microsoft.DesktopAppInstaller_8wekyb3d8bbwe", "PythonRedirector"),
        ("mspaint.exe", "Microsoft.Paint_8wekyb3d8bbwe", "App"),
    ):
        program = rf"C:\Program Files\WindowsApps\{package}\{name}"
        yield LabFile(
            f"{folder}/{name}",
            reparse=data.app_exec_link(package, f"{package}!{entry}", program),
            security=descriptor.PRIVATE,
        )


def _subsystem_for_linux() -> Iterator[LabFile]:
    yield LabFile(f"{_LINUX}/bin", reparse=data.lx_symlink("usr/bin"))
    yield LabFile(f"{_LINUX}/etc/mtab", reparse=data.lx_symlink("../proc/self/mounts"))


def special_files() -> Iterator[LabSpecial]:
    """Give those whose reparse data is empty, as WSL writes pipes, devices and sockets.

    They are not among the rest: ntfs-3g refuses their data from any program but its own mknod, so
    an image that holds them can be captured by wimlib-imagex but not applied to NTFS.
    """
    yield LabSpecial(f"{_LINUX}/run/fifo", "fifo")
    yield LabSpecial(f"{_LINUX}/dev/null", "character device", 1, 3)
    yield LabSpecial(f"{_LINUX}/dev/sda", "block device", 8, 0)
    yield LabSpecial(f"{_LINUX}/run/socket", "socket")


def _placeholders() -> Iterator[LabFile | LabFolder]:
    cloud = "Users/Default/OneDrive"
    yield LabFolder(cloud, reparse=data.cloud(data.CLOUD_6, b"root" * 8), attributes=NOT_INDEXED)
    yield LabFile(
        "Users/Default/OneDrive - Lab/Report.docx",
        reparse=data.cloud(data.CLOUD, b"placeholder" * 40),
        streams=(("Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3\r\n"),),
        short_name="REPORT~1.DOC",
    )
    marks = "ProgramData/Lab/marks"
    yield LabFile(f"{marks}/wof.dll", reparse=data.wof_file())
    yield LabFile(f"{marks}/dedup.bin", reparse=data.dedup(bytes(range(112))), sparse_size=1 << 17)
    yield LabFile(f"{marks}/wci.txt", reparse=data.wci(_LAYER, r"Files\wci.txt"))
    yield LabFolder(f"{marks}/wci folder", reparse=data.wci(_LAYER, r"Files\folder"))
    yield LabFolder(f"{marks}/projected", reparse=data.microsoft(data.PROJFS, bytes(40)))
    yield LabFile(f"{marks}/gone.txt", reparse=data.microsoft(data.WCI_TOMBSTONE, bytes(4)))
    yield LabFile(f"{marks}/shared.txt", reparse=data.microsoft(data.NFS, b"LNK\0" + bytes(12)))
    yield LabFile(f"{marks}/archived.bin", reparse=data.microsoft(data.HSM2, bytes(range(64))))
    yield LabFile(
        f"{marks}/synchronised.bin", reparse=data.microsoft(data.STORAGE_SYNC, b"afs" * 9)
    )
    yield LabFile(
        f"{marks}/vendor.bin",
        reparse=data.third_party(data.THIRD_PARTY, _VENDOR, b"only the vendor knows"),
    )
    yield LabFolder(
        f"{marks}/vendor folder",
        reparse=data.third_party(data.THIRD_PARTY, _VENDOR, b"a folder of the vendor"),
    )
