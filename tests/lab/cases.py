"""Packages for every case that Microsoft's real ones do not cover, each with what it is for.

    path = write_cabinet(folder / "update.cab", CASES["wrong payload hash"].files())

`result` says what servicing the standard Windows with it comes to: "installed", "already
installed", "superseded", or the name of the error in wimdock.errors that refuses it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.lab.identity import LabIdentity
from tests.lab.manifest import (
    DEFINITIONS,
    LabComponent,
    LabPackage,
    LabPayload,
    LabRegistryKey,
    LabService,
)
from tests.lab.package import Files, bare_files, package_files
from tests.lab.pe import library
from tests.lab.spoil import (
    Spoil,
    add,
    change_manifest,
    change_payload,
    drop_child,
    drop_manifest,
    drop_payload,
    drop_root,
    hash_again,
    ruin_catalog,
)
from tests.lab.tree import EDITOR, NEWER

_KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Lab"
_OTHER = "Some-Other-Windows-Package"


@dataclass(frozen=True, slots=True)
class Case:
    """A package, what is done to its files before they are wrapped, and how servicing ends."""

    package: LabPackage
    result: str = "installed"
    spoil: tuple[Spoil, ...] = field(default=())
    catalogs: bool = True
    file_hashes: bool = True

    def files(self) -> Files:
        """Give the files of the cabinet, spoiled."""
        files = package_files(self.package, catalogs=self.catalogs, file_hashes=self.file_hashes)
        for spoil in self.spoil:
            spoil(files)
        return files


def package(
    *components: LabComponent, name: str = "Lab-Update-Package", version: str = "10.0.19041.1"
) -> LabPackage:
    """Give a package with one child that deploys the components."""
    child = LabPackage(
        LabIdentity(name.replace("-Package", "-Child-Package"), version), components, parents=()
    )
    return LabPackage(LabIdentity(name, version), children=(child,))


def component(
    name: str = "Lab-Program", version: str = "10.0.19041.1", architecture: str = "amd64"
) -> LabComponent:
    """Give a component with a program, a file for the store alone, registry values, a service."""
    return LabComponent(
        LabIdentity(name, version, architecture),
        (
            LabPayload("program.exe", library({(16, 1, 0): version.encode()})),
            LabPayload("data.xml", b"<lab />", "$(runtime.programFiles)\\Lab\\"),
            LabPayload("store only.txt", b"no destination\r\n", None),
        ),
        every_registry_type(),
        (LabService("LabService"),),
    )


def every_registry_type() -> tuple[LabRegistryKey, ...]:
    """Give keys with a value of every type that manifests use."""
    values = (
        ("", "REG_SZ", "the default value"),
        ("text", "REG_SZ", "a text"),
        ("expanding", "REG_EXPAND_SZ", r"%SystemRoot%\lab"),
        ("many", "REG_MULTI_SZ", '"one","two"'),
        ("number", "REG_DWORD", "0x0000002a"),
        ("large number", "REG_QWORD", "0x0000010000000000"),
        ("bytes", "REG_BINARY", "00010203FEFF"),
        ("nothing", "REG_NONE", ""),
    )
    return (
        LabRegistryKey(_KEY, values, "WRP_REGKEY_DEFAULT_SDDL"),
        LabRegistryKey(r"HKEY_CLASSES_ROOT\.lab", (("", "REG_SZ", "labfile"),)),
        LabRegistryKey(
            r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lab", (("a", "REG_SZ", "b"),)
        ),
        LabRegistryKey(r"HKEY_LOCAL_MACHINE\SOFTWARE\Lab\Empty"),
    )


def large_package(files: int = 3000, megabytes: int = 50) -> LabPackage:
    """Give a package of many files, half of whose content compresses, for the benchmark."""
    size = (megabytes << 20) // files // 2
    per_component = 100
    components = tuple(
        LabComponent(
            LabIdentity(f"Lab-Large-{start:05}"),
            tuple(
                _noise(number, size) for number in range(start, min(files, start + per_component))
            ),
        )
        for start in range(0, files, per_component)
    )
    return package(*components, name="Lab-Large-Package")


def _noise(number: int, size: int) -> LabPayload:
    noise = hashlib.shake_128(number.to_bytes(4, "little")).digest(size)
    text = f"line {number}\r\n".encode() * (size // 8)
    return LabPayload(
        f"file{number:05}.bin", noise + text[:size], f"$(runtime.system32)\\Lab\\{number % 40}\\"
    )


def _with(extra: str) -> LabPackage:
    return package(replace(component(), extra=extra))


def _hostile_payload(name: str, destination: str = "$(runtime.system32)\\") -> LabPackage:
    payload = LabPayload(name, b"hostile", destination)
    return package(replace(component(), payloads=(payload,)))


def _good() -> Iterator[tuple[str, Case]]:
    yield "plain", Case(package(component()))
    yield "unsigned", Case(package(component()), "UnsignedPackage", catalogs=False)
    yield "without file hashes", Case(package(component()), file_hashes=False)
    yield "two architectures", Case(package(component(), component(architecture="wow64")))
    x86 = LabIdentity("Lab-Program-32", architecture="x86")
    yield "x86 component", Case(package(replace(component(), identity=x86)))
    newer = replace(EDITOR, identity=EDITOR.identity.at("10.0.19041.900"))
    changed = tuple(
        replace(payload, content=payload.content + b" 900") for payload in newer.payloads
    )
    yield "newer than installed", Case(package(replace(newer, payloads=changed)))
    older = replace(NEWER, identity=NEWER.identity.at("10.0.19041.400"))
    stale = (LabPayload("labview.exe", library({(16, 1, 1033): b"labview 400"})),)
    yield "older than installed", Case(package(replace(older, payloads=stale)))
    yield (
        "two versions of a component",
        Case(package(component(version="10.0.19041.5"), component(version="10.0.19041.40"))),
    )
    yield (
        "any of several parents",
        Case(replace(package(component()), parents=(LabIdentity(_OTHER), FEATURES))),
    )
    yield (
        "folders",
        Case(package(replace(component(), folders=(r"$(runtime.system32)\LabFolder",)))),
    )
    below = LabPayload("folder\\program.exe", b"in a folder of the store")
    yield "payload in a folder", Case(package(replace(component(), payloads=(below,))))
    strange = (add("update.mum\\below a file.txt"), hash_again)
    yield "file below a file", Case(package(component()), spoil=strange)
    yield "no components", Case(LabPackage(LabIdentity("Lab-Empty-Package")))


FEATURES = LabIdentity("Microsoft-Windows-Client-Features-Package")


def _corrupt() -> Iterator[tuple[str, Case]]:
    plain = package(component())
    yield "wrong list of hashes", Case(plain, "CorruptPackage", (change_payload,))
    yield "wrong payload hash", Case(plain, "CorruptPackage", (change_payload, hash_again))
    yield "wrong manifest hash", Case(plain, "CorruptPackage", (change_manifest, hash_again))
    yield "missing payload", Case(plain, "UnsupportedPackage", (drop_payload, hash_again))
    yield "missing manifest", Case(plain, "UnsupportedPackage", (drop_manifest, hash_again))
    yield "missing child", Case(plain, "UnsupportedPackage", (drop_child, hash_again))
    yield "no update.mum", Case(plain, "MalformedPackage", (drop_root, hash_again))
    yield "broken catalog", Case(plain, "UnsupportedPackage", (ruin_catalog, hash_again))


def _hostile() -> Iterator[tuple[str, Case]]:
    plain = package(component())
    for name in (
        "..\\..\\..\\tmp\\hostile.txt",
        "\\absolute.txt",
        "C:\\absolute.txt",
        "folder\\..\\..\\hostile.txt",
    ):
        yield f"cabinet name {name}", Case(plain, "MalformedPackage", (add(name), hash_again))
    for name in ("..\\evil.exe", "C:evil.exe", "evil.exe:stream", ".."):
        yield f"payload name {name}", Case(_hostile_payload(name), "MalformedPackage")
    outside = _hostile_payload("evil.exe", "$(runtime.system32)\\..\\..\\..\\")
    yield "payload leaves its folder", Case(outside, "UnsupportedPackage")
    bomb = b'<!DOCTYPE lab [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'

    def entities(files: Files) -> None:
        files["update.mum"] = files["update.mum"].replace(b"<assembly", bomb + b"<assembly")

    yield "entities in XML", Case(plain, "MalformedPackage", (entities, hash_again))


def _unsupported() -> Iterator[tuple[str, Case]]:
    yield "unknown element", Case(_with("<somethingNew importance='high' />"), "UnsupportedPackage")
    yield (
        "advanced installer",
        Case(
            _with(
                '<genericCommands><genericCommand installerVersion="1.0" executableName="x.exe"'
                ' arguments="/i" passes="1" /></genericCommands>'
            ),
            "UnsupportedPackage",
        ),
    )
    yield (
        "unknown folder",
        Case(_hostile_payload("file.bin", "$(runtime.lab)\\"), "UnsupportedPackage"),
    )
    bad = (("WRP_FILE_DEFAULT_SDDL", "D:(A;;nonsense;;;XX)"), DEFINITIONS[1])
    yield (
        "unreadable security",
        Case(package(replace(component(), definitions=bad)), "UnsupportedPackage"),
    )


def _not_applicable() -> Iterator[tuple[str, Case]]:
    plain = package(component())
    yield (
        "missing parent",
        Case(replace(plain, parents=(LabIdentity(_OTHER),)), "NotApplicable"),
    )
    yield (
        "parent too old",
        Case(replace(plain, parents=(FEATURES.at("10.0.22621.1"),)), "NotApplicable"),
    )
    x86 = LabIdentity("Lab-Update-Package", architecture="x86")
    parent = replace(FEATURES, architecture="x86")
    yield (
        "other architecture",
        Case(replace(plain, identity=x86, parents=(parent,)), "NotApplicable"),
    )
    rollup = LabIdentity("Package_for_RollupFix", version="19041.100.1.1")
    yield "superseded", Case(replace(plain, identity=rollup), "superseded")
    installed = LabIdentity("Package_for_RollupFix", version="19041.388.1.7")
    yield "installed already", Case(replace(plain, identity=installed), "already installed")


CASES: dict[str, Case] = dict(
    (*_good(), *_corrupt(), *_hostile(), *_unsupported(), *_not_applicable())
)


def bare(case: Case) -> Files:
    """Give the manifests and payload of a case, without catalogs and hashes, unspoiled."""
    return bare_files(case.package)
