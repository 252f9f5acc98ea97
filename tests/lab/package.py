r"""Small update packages: the files as a mapping that a test may spoil, then the cabinet.

files = package_files(LabPackage(...))     # names with backslashes -> bytes, all hashes right
files["evil\\..\\..\\name"] = b""          # whatever the case needs
write_cabinet(path, files)
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import cabarchive

from tests.lab.catalog import catalog
from tests.lab.manifest import LabPackage, identity_element

FILE_HASHES = "$filehashes$.dat"
_WHEN = dt.datetime(2020, 1, 2, 3, 4, 6)  # noqa: DTZ001 - cabinets know no time zone

Files = dict[str, bytes]


def package_files(package: LabPackage, *, catalogs: bool = True, file_hashes: bool = True) -> Files:
    """Give everything that stands in the package's cabinet."""
    files = bare_files(package)
    if catalogs:
        add_catalogs(files, package)
    if file_hashes:
        files[FILE_HASHES] = file_hashes_of(files)
    return files


def bare_files(package: LabPackage) -> Files:
    """Give manifests and payload without catalogs and without the list of hashes."""
    files: Files = {"update.mum": package.manifest()}
    for one in _family(package):
        files |= _own_files(one)
    return files


def add_catalogs(files: Files, package: LabPackage) -> None:
    """Add a catalog for each package: self-signed, over the manifests as they stand in `files`."""
    for one in _family(package):
        mum = f"{one.identity.package_id}.mum"
        covered = [name for name in _own_files(one) if name in files and "\\" not in name]
        made = catalog({name: files[name] for name in covered})
        files[mum.removesuffix(".mum") + ".cat"] = made
        if one is package:
            files["update.cat"] = made


def file_hashes_of(files: Mapping[str, bytes]) -> bytes:
    """Give the list of hashes that a cabinet brings: UTF-16, a section for each algorithm."""
    lines: list[str] = []
    for algorithm in ("sha1", "sha256"):
        lines += [f"[{algorithm}]", ""]
        for name, content in files.items():
            digest = hashlib.new(algorithm, content).hexdigest().upper()
            lines.append(f"{name}={digest},{len(content):X}")
        lines.append("")
    return "\r\n".join(lines).encode("utf-16")


def write_cabinet(path: Path, files: Mapping[str, bytes], *, compress: bool = True) -> Path:
    """Write a cabinet with these files; give its path."""
    cabinet = cabarchive.CabArchive()
    for name, content in files.items():
        file = cabarchive.CabFile(content)
        file.date, file.time = _WHEN.date(), _WHEN.time()
        cabinet[name] = file
    path.write_bytes(cabinet.save(compress=compress))
    return path


def write_package(path: Path, package: LabPackage, *, catalogs: bool = True) -> Path:
    """Write a package's cabinet with all that belongs there; give its path."""
    return write_cabinet(path, package_files(package, catalogs=catalogs))


def write_standalone(path: Path, package: LabPackage, cabinet: Path) -> Path:
    """Write an .msu around a cabinet; give its path."""
    name = cabinet.stem
    location = quoteattr(f"%configsetroot%\\{name}.CAB")
    unattend = (
        '<?xml version="1.0" encoding="utf-8"?>\r\n'
        '<unattend xmlns="urn:schemas-microsoft-com:unattend"><servicing>'
        f'<package action="install">{identity_element(package.identity, scope=False)}'
        f"<source location={location} /></package>"
        "</servicing></unattend>"
    )
    properties = (
        f'ApplicableTo="Windows 10.0"\r\nKB Article Number="{package.identifier}"\r\n'
        'Language="ALL"\r\nPackage Type="Update"\r\nProcessor Architecture="amd64"\r\n'
    )
    write_cabinet(path.with_suffix(".scan"), {"index.xml": b"<OfflineSyncPackage />"})
    scan = path.with_suffix(".scan").read_bytes()
    path.with_suffix(".scan").unlink()
    return write_cabinet(
        path,
        {
            "WSUSSCAN.cab": scan,
            f"{name}.cab": cabinet.read_bytes(),
            f"{name}.xml": unattend.encode(),
            f"{name}-pkgProperties.txt": properties.encode(),
        },
        compress=False,
    )


def _family(package: LabPackage) -> Iterator[LabPackage]:
    yield package
    for child in package.children:
        yield from _family(child)


def _own_files(package: LabPackage) -> Files:
    files: Files = {f"{package.identity.package_id}.mum": package.manifest()}
    if package.components:
        files[f"{package.deployment.key_form}.manifest"] = package.deployment_manifest()
    for component in package.components:
        key = component.identity.key_form
        files[f"{key}.manifest"] = component.manifest()
        for payload in component.payloads:
            if not payload.absent:
                content = payload.content if payload.shipped is None else payload.shipped
                files[f"{key}\\{payload.source_name or payload.name}"] = content
    return files
