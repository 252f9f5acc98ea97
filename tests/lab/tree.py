"""The lab's standard Windows: everything that a captured installation can hold, in miniature."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from tests.lab import descriptor
from tests.lab.entry import (
    ARCHIVE,
    HIDDEN,
    NOT_INDEXED,
    READ_ONLY,
    SYSTEM,
    LabFile,
    LabFolder,
    LabVolume,
    Times,
)
from tests.lab.hive import LabKey, make_hive
from tests.lab.identity import LabIdentity
from tests.lab.links import reparse_points, special_files
from tests.lab.manifest import LabComponent, LabPayload, assembly, identity_element
from tests.lab.pe import library, servicing_stack_library
from tests.lab.product import PACKAGES, LabProduct

MADE_UP_DICTIONARY = (
    b'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n'
    b'<assembly xmlns="urn:schemas-microsoft-com:asm.v3" manifestVersion="1.0">\r\n'
    b'  <assemblyIdentity name="" version="" processorArchitecture="amd64" language="neutral" '
    b'buildType="release" publicKeyToken="31bf3856ad364e35" versionScope="nonSxS" />\r\n'
)
_BORN = Times(132_000_000_000_000_000, 132_100_000_010_000_000, 132_200_000_020_000_000)
_CONFIG = "Windows/System32/config"

SERVICING_STACK = LabIdentity("Microsoft-Windows-ServicingStack")
EDITOR = LabComponent(
    LabIdentity("Microsoft-Windows-Lab-Editor"),
    (
        LabPayload("labedit.exe", library({(16, 1, 1033): b"labedit 1"}), "$(runtime.windows)\\"),
        LabPayload("labedit.dll", library({(16, 1, 1033): b"labedit dll 1"})),
        LabPayload("labedit.txt", b"Only in the store.\r\n", None),
    ),
)
NEWER = LabComponent(
    LabIdentity("Microsoft-Windows-Lab-Viewer", "10.0.19041.500"),
    (LabPayload("labview.exe", library({(16, 1, 1033): b"labview 500"})),),
)
PRODUCT = LabProduct(components=(EDITOR, NEWER))


def standard_volume(
    workspace: Path,
    dictionary: bytes | None = None,
    product: LabProduct = PRODUCT,
    *,
    specials: bool = False,
) -> LabVolume:
    """Describe the standard Windows; its hives are made in `workspace` first.

    `dictionary` is the manifest dictionary that the servicing stack brings. With `specials` the
    pipes, devices and sockets of WSL are there too.
    """
    entries = (
        *_folders(),
        *_hives(workspace, product),
        *_servicing(dictionary or MADE_UP_DICTIONARY, product),
        *_components(product),
        *_oddities(),
        *_people(),
        *reparse_points(),
    )
    return LabVolume(entries, tuple(special_files()) if specials else ())


def _folders() -> Iterator[LabFolder]:
    for path in (
        "Windows",
        "Windows/System32",
        "Windows/SysWOW64",
        "Windows/WinSxS",
        "Windows/WinSxS/Manifests",
        "Windows/WinSxS/Catalogs",
        "Windows/servicing",
        "Windows/servicing/Packages",
    ):
        yield LabFolder(path, security=descriptor.SYSTEM_FOLDER, times=_BORN)
    yield LabFolder(
        "Program Files", short_name="PROGRA~1", security=descriptor.FOLDER, attributes=READ_ONLY
    )
    yield LabFolder(
        "Program Files (x86)", short_name="PROGRA~2", security=descriptor.FOLDER, times=_BORN
    )
    yield LabFolder("ProgramData", security=descriptor.FOLDER, attributes=HIDDEN | NOT_INDEXED)
    yield LabFolder("Users", security=descriptor.FOLDER, attributes=READ_ONLY)


def _hives(workspace: Path, product: LabProduct) -> Iterator[LabFile]:
    workspace.mkdir(parents=True, exist_ok=True)
    contents: tuple[tuple[str, Iterator[LabKey]], ...] = (
        ("SOFTWARE", product.software()),
        ("SYSTEM", product.system()),
        ("COMPONENTS", product.components_hive()),
        ("DEFAULT", product.default()),
    )
    for name, keys in contents:
        hive = make_hive(workspace / name, *keys).read_bytes()
        yield LabFile(f"{_CONFIG}/{name}", content=hive, security=descriptor.PRIVATE, times=_BORN)
        for log in ("LOG1", "LOG2"):
            yield LabFile(f"{_CONFIG}/{name}.{log}", attributes=HIDDEN | SYSTEM)


def _servicing(dictionary: bytes, product: LabProduct) -> Iterator[LabFile]:
    folder = f"Windows/WinSxS/{SERVICING_STACK.key_form}"
    yield LabFile(
        f"{folder}/wcp.dll",
        content=servicing_stack_library(dictionary),
        security=descriptor.SYSTEM_FILE,
        times=_BORN,
    )
    yield LabFile(f"{folder}/CbsCore.dll", content=library({(16, 1, 1033): b"CbsCore"}))
    for identity, _ in product.packages:
        manifest = assembly(
            identity_element(identity, scope=False),
            '<package identifier="KB4000000" releaseType="Feature Pack" />',
        )
        yield LabFile(
            f"Windows/servicing/Packages/{identity.package_id}.mum",
            content=manifest,
            security=descriptor.SYSTEM_FILE,
        )


def _components(product: LabProduct) -> Iterator[LabFile]:
    places = {"$(runtime.windows)\\": "Windows/", "$(runtime.system32)\\": "Windows/System32/"}
    for component in product.components:
        key = component.identity.key_form
        yield LabFile(
            f"Windows/WinSxS/Manifests/{key}.manifest",
            content=component.manifest(),
            security=descriptor.SYSTEM_FILE,
        )
        for payload in component.payloads:
            place = places.get(payload.destination or "")
            yield LabFile(
                f"Windows/WinSxS/{key}/{payload.name}",
                content=payload.content,
                links=() if place is None else (place + payload.name,),
                security=descriptor.SYSTEM_FILE,
                times=_BORN,
            )
    yield LabFile(
        "Windows/System32/kernel32.dll",
        content=library({(16, 1, 1033): b"kernel32"}),
        security=descriptor.SYSTEM_FILE,
        times=_BORN,
    )


def _oddities() -> Iterator[LabFile | LabFolder]:
    """Give sparse, compressed, empty, many-named, oddly named files, and every kind of stream."""
    odd = "ProgramData/Lab"
    noise = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(250)) * 20
    yield LabFolder(odd, security=descriptor.FOLDER)
    yield LabFile(f"{odd}/empty.txt", times=_BORN)
    yield LabFile(f"{odd}/empty with streams.txt", streams=(("one", b"1"), ("two", b"")))
    yield LabFile(f"{odd}/sparse.bin", sparse_size=3 << 20, content=b"the end")
    yield LabFolder(f"{odd}/compressed", compressed=True, attributes=NOT_INDEXED)
    yield LabFile(f"{odd}/compressed/text.log", content=b"All work and no play. " * 9000)
    yield LabFile(f"{odd}/noise.bin", content=noise, attributes=NOT_INDEXED)
    yield LabFile(
        f"{odd}/Many Names.txt",
        content=b"one file, four names\r\n",
        short_name="MANYNA~1.TXT",
        links=(f"{odd}/second.txt", "Windows/third.txt", "Users/Public/Documents/fourth.txt"),
        streams=(
            ("Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3\r\n"),
            ("large", noise[:100_000]),
        ),
        attributes=READ_ONLY | HIDDEN,
        security=descriptor.PRIVATE,
        times=_BORN,
        object_id=bytes(range(16)),
    )
    yield LabFolder(
        f"{odd}/Folder With Streams",
        short_name="FOLDER~1",
        streams=(("favicon", b"\x89PNG" * 50), ("note", b"a stream on a folder")),
        security=descriptor.PRIVATE,
        attributes=SYSTEM,
        times=_BORN,
    )
    yield LabFile(f"{odd}/Folder With Streams/inside.txt", content=b"inside")
    yield LabFile(
        f"{odd}/ünïcödé 日本語 😀.txt", content="名前".encode(), short_name="UNICOD~1.TXT"
    )
    yield LabFile(f"{odd}/trailing dots and spaces. . .txt", content=b"dots", attributes=ARCHIVE)
    deep = "/".join(f"a folder with a rather long name, number {number:02}" for number in range(8))
    yield LabFile(f"{odd}/{deep}/{'n' * 200}.txt", content=b"a path of more than 500 characters")
    yield LabFile("Windows/System32/duplicate.dll", content=noise, security=descriptor.SYSTEM_FILE)


def _people() -> Iterator[LabFile | LabFolder]:
    yield LabFolder("Users/Default", security=descriptor.FOLDER, attributes=HIDDEN)
    yield LabFile("Users/Default/NTUSER.DAT.LOG1", attributes=HIDDEN | SYSTEM)
    yield LabFile(
        "Users/Public/desktop.ini",
        content="[.ShellClassInfo]\r\n".encode("utf-16"),
        attributes=HIDDEN | SYSTEM,
    )


def package_ids() -> tuple[str, ...]:
    """Give the IDs of the packages that the standard Windows has registered."""
    return tuple(identity.package_id for identity, _ in PACKAGES)
