"""What the library keeps of an update file: read once, at its import, with every hash verified.

A file that wimdock cannot put into an image is kept too, where its manifests can be read at least:
it is then told by name why, and no rule chooses it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from wimdock.cbs.cabinet_directory import read_directory
from wimdock.cbs.catalog_signer import signer_name
from wimdock.cbs.opening import open_update
from wimdock.cbs.support import unsupported
from wimdock.cbs.update import Update, UpdatePackage
from wimdock.errors import MalformedPackage, UnsupportedPackage
from wimdock.files import storage_error
from wimdock.servicing.preflight.update_file import is_stack, read_update_file
from wimdock.site.stored_text import storable, storable_text
from wimdock.site.updates.stored import Document, package_document, targets_of

_KB = re.compile(r"(?<![A-Z0-9])KB([0-9]{5,8})(?![0-9])", re.IGNORECASE | re.ASCII)
_KB_ADDRESS = re.compile(r"(?:kbid=|/kb/|/help/)([0-9]{5,8})(?![0-9])", re.IGNORECASE | re.ASCII)
_LONGEST_TITLE = 200
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class UpdateFacts:
    """What is known of an update file; the members are the columns of the same names."""

    sha256: str
    size: int
    title: str
    identity: str
    family: str
    kb: str
    architecture: str
    version: str
    language: str
    classification: str
    stack: bool
    targets: list[str]
    roots: list[Document]
    packages: list[Document]
    catalogued: bool
    verified: int
    signer: str
    unsupported: list[str]
    released_at: datetime | None


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file in hexadecimal; StorageError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise storage_error(error, path) from error
    return digest.hexdigest()


def read_facts(
    path: Path, workspace: Path, dictionary: Callable[[], bytes | None], now: datetime
) -> UpdateFacts:
    """Read an update file; `workspace` is a folder for this call only.

    Raises as `cbs.opening.open_update` does, but for a kind of file that wimdock knows and cannot
    put in: its manifests are read, and `unsupported` says why.
    """
    try:
        update = open_update(path, workspace / "whole", dictionary=dictionary)
    except UnsupportedPackage as error:
        return _unsupported_facts(path, workspace, error, now)
    return _facts((update,), update, unsupported(update), now)


def _unsupported_facts(
    path: Path, workspace: Path, error: UnsupportedPackage, now: datetime
) -> UpdateFacts:
    try:
        updates = read_update_file(path, workspace / "manifests").updates
    except (UnsupportedPackage, MalformedPackage):
        raise error from None
    size = path.stat().st_size
    whole = Update(path, size, digest_of(path), (), (), catalogued=False)
    return _facts(updates, whole, error.reasons or (error.message,), now)


def _facts(
    updates: tuple[Update, ...], whole: Update, reasons: tuple[str, ...], now: datetime
) -> UpdateFacts:
    """Put the facts together: `updates` are the packages of the file, `whole` is its content.

    Of several packages in one file that which is no servicing stack gives its name to all.
    """
    main = next((update for update in updates if not is_stack(update)), updates[0]).root
    documents = storable(
        [
            package_document(package, is_root=package is update.root)
            for update in updates
            for package in update.packages
        ]
    )
    roots = [document for document in documents if document["root"]]
    identity = main.identity.check()
    return UpdateFacts(
        sha256=whole.sha256,
        size=whole.size,
        title=_title(main),
        identity=_bounded(identity.package_id, 1000, "identity"),
        family=identity.package_family.lower(),
        kb=_kb(main, whole.path.name),
        architecture=_bounded(identity.arch, 16, "architecture"),
        version=str(identity.version),
        language=_bounded("" if identity.is_neutral else identity.language, 32, "language"),
        classification=_bounded(storable_text(main.manifest.release_type), 64, "release type"),
        stack=all(is_stack(update) for update in updates),
        targets=targets_of(roots),
        roots=roots,
        packages=documents,
        catalogued=whole.catalogued,
        verified=whole.verified,
        signer=_signer(whole.packages),
        unsupported=[storable_text(reason) for reason in reasons],
        released_at=_newest_date(whole.path, now),
    )


def _bounded(text: str, limit: int, what: str) -> str:
    if len(text) > limit:
        message = f"its {what} is longer than any real one ({len(text)} characters)"
        raise MalformedPackage(message)
    return text


def _title(main: UpdatePackage) -> str:
    manifest = main.manifest
    for text in (manifest.display_name, manifest.description):
        plain = " ".join(text.split())
        if plain and plain.lower() != "default" and not plain.startswith("$("):
            return storable_text(plain)[:_LONGEST_TITLE]
    return main.identity.name[:_LONGEST_TITLE]


def _kb(main: UpdatePackage, name: str) -> str:
    """Give the KB number as the package states it, or else the name of its file; "" for none."""
    manifest = main.manifest
    for text in (manifest.identifier, manifest.description, main.identity.name.replace("_", " ")):
        if found := _KB.search(text):
            return f"KB{int(found[1])}"
    if found := _KB_ADDRESS.search(manifest.support):
        return f"KB{int(found[1])}"
    found = _KB.search(name)
    return f"KB{int(found[1])}" if found else ""


def _signer(packages: Iterable[UpdatePackage]) -> str:
    """Give the signer that the root's catalog names, or that of another package."""
    for package in packages:
        if package.catalog is not None:
            try:
                name = signer_name(package.catalog.read_bytes())
            except OSError as error:
                raise storage_error(error, package.catalog) from error
            if name:
                return storable_text(name)
    return ""


def _newest_date(path: Path, now: datetime) -> datetime | None:
    """Give the newest date of a file in the cabinet that is not still to come."""
    try:
        with path.open("rb") as file:
            entries = read_directory(file, path.stat().st_size).entries
    except OSError as error:
        raise storage_error(error, path) from error
    dates = [each.modified for each in entries if each.modified and each.modified <= now]
    return max(dates, default=None)


def columns(facts: UpdateFacts) -> dict[str, Any]:
    """Give the values of the columns of the same names."""
    return {name: getattr(facts, name) for name in UpdateFacts.__slots__}
