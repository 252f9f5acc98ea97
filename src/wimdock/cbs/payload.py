"""From an update file to the files of its package: extraction, a .msu's cabinet, deltas."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wimdock.cbs.cabinet import extract_cabinet
from wimdock.cbs.container import check_container
from wimdock.cbs.contents import ContentFile, Contents, fold_name
from wimdock.cbs.delta_package import LIST_NAME as DELTA_LIST
from wimdock.cbs.delta_package import parse_delta_package, rebuild
from wimdock.cbs.element import MAX_XML
from wimdock.cbs.filehashes import LIST_NAME as HASH_LIST
from wimdock.cbs.filehashes import MAX_LIST, parse_filehashes, verify_filehashes
from wimdock.cbs.spool import Spool, on_disk
from wimdock.errors import MalformedPackage, UnsupportedPackage
from wimdock.files import storage_error

ROOT_MANIFEST = "update.mum"

# A cabinet with what Windows Update's scan needs; no package.
_SCAN_CABINET = "wsusscan.cab"
_EXPRESS_ENDINGS = (".psf", ".psf.cix.xml")


@dataclass(frozen=True, slots=True)
class Payload:
    """The files of a package. `refused` says by name why a file is not among them.

    `verified` counts the files that a list of hashes in the package covers, `listed` names them.
    """

    contents: Contents
    refused: dict[str, str]
    listed: frozenset[str]
    verified: int


def read_payload(path: Path, workspace: Path) -> Payload:
    """Extract an update file into `workspace` and make the files of its package.

    Raises as extract_cabinet does; UnsupportedPackage for kinds of file, .msu and payload that are
    not supported; CorruptPackage where a hash does not match; DeltaError for a broken delta.
    """
    check_container(path)
    spool = Spool(workspace)
    contents = extract_cabinet(path, spool, _is_package_file)
    _refuse_express(path.name, contents)
    if ROOT_MANIFEST not in contents and DELTA_LIST not in contents:
        inner = _inner_cabinet(path, contents)
        check_container(inner)
        contents = extract_cabinet(inner, spool, _is_package_file)
        _refuse_express(path.name, contents)
        try:
            inner.unlink()
        except OSError as error:
            raise storage_error(error, inner) from error
    listed, verified = _verify_list(contents)
    refused: dict[str, str] = {}
    delta_list = contents.get(DELTA_LIST)
    if delta_list is not None:
        files = parse_delta_package(delta_list.read(MAX_XML))
        contents, refused = rebuild(contents, files, spool)
        listed |= {fold_name(file.name) for file in contents}
        verified += len(contents)
    if ROOT_MANIFEST not in contents:
        message = f"{path.name} is no update package: it has no {ROOT_MANIFEST}"
        raise MalformedPackage(message, hint="Give a .cab or .msu file with a CBS package.")
    return Payload(contents, refused, frozenset(listed), verified)


def _is_package_file(name: str) -> bool:
    return fold_name(name) != _SCAN_CABINET


def _verify_list(contents: Contents) -> tuple[set[str], int]:
    found = contents.get(HASH_LIST)
    if found is None:
        return set(), 0
    hashes = parse_filehashes(found.read(MAX_LIST))
    return {fold_name(entry.name) for entry in hashes}, verify_filehashes(contents, hashes)


def _refuse_express(name: str, contents: Contents) -> None:
    for ending in _EXPRESS_ENDINGS:
        for file in contents.ending(ending):
            message = f"{name} keeps its payload in a .psf file ({file.name})"
            raise UnsupportedPackage(message, reasons=(message,))


def _inner_cabinet(path: Path, contents: Contents) -> Path:
    """Find the package of a .msu: its only cabinet, besides the one that is for scans."""
    cabinets: dict[str, ContentFile] = {
        fold_name(file.name): file for file in contents.ending(".cab")
    }
    if not cabinets:
        message = f"{path.name} is no update package: it has neither {ROOT_MANIFEST} nor a cabinet"
        raise MalformedPackage(message, hint="Give a .cab or .msu file with a CBS package.")
    if len(cabinets) > 1:
        names = ", ".join(file.name for file in cabinets.values())
        message = f"{path.name} holds several packages: {names}"
        hint = "Extract the cabinets and give them one by one."
        raise UnsupportedPackage(message, reasons=(message,), hint=hint)
    return on_disk(next(iter(cabinets.values())))
