"""What an update brings, read without wimdock's reader of packages: 7-Zip, lxml and the catalogs.

Only the decoding of compressed manifests is wimdock's; each decoded manifest must have its hash in
a catalog that Microsoft signed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from tests.lab.package import Files
from tests.lab.tool import run
from wimdock.delta import decode_manifest

_ASM3 = "{urn:schemas-microsoft-com:asm.v3}"
_DIGEST = "{http://www.w3.org/2000/09/xmldsig#}DigestValue"
_PLACES = {"system32": "Windows/System32", "windows": "Windows"}


@dataclass(frozen=True, slots=True)
class PromisedFile:
    """A file of a component: paths in the image, and the SHA-256 that its manifest promises."""

    store: str
    runtime: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class UpdateContents:
    """The files of an update's cabinet with its manifests decoded, and what these promise."""

    files: Files
    promised: tuple[PromisedFile, ...]
    services: tuple[dict[str, str], ...]


def read_update(cabinet: Path, folder: Path, dictionary: bytes) -> UpdateContents:
    """Extract a cabinet into a folder with 7-Zip and read its manifests."""
    run("7z", "x", "-y", f"-o{folder}", cabinet)
    files: Files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            files[path.relative_to(folder).as_posix().replace("/", "\\")] = path.read_bytes()
    catalogs = b"".join(content for name, content in files.items() if name.endswith(".cat"))
    promised: list[PromisedFile] = []
    services: list[dict[str, str]] = []
    for name in [name for name in files if name.endswith(".manifest")]:
        decoded = decode_manifest(files[name], dictionary)
        assert hashlib.sha256(decoded).digest() in catalogs, name
        files[name] = decoded
        root = etree.fromstring(decoded)
        promised += _promised(root, name.removesuffix(".manifest"))
        services += [
            {str(word): str(value) for word, value in found.attrib.items()}
            for found in root.iter(f"{_ASM3}serviceData")
        ]
    return UpdateContents(files, tuple(promised), tuple(services))


def _promised(root: etree._Element, key_form: str) -> Iterator[PromisedFile]:
    for element in root.iter(f"{_ASM3}file"):
        name = element.get("name") or ""
        digest = element.find(f".//{_DIGEST}")
        assert digest is not None, name
        sha256 = base64.b64decode(digest.text or "").hex()
        destination = element.get("destinationPath")
        runtime = None if destination is None else f"{_folder(destination)}/{name}"
        yield PromisedFile(f"Windows/WinSxS/{key_form}/{name}", runtime, sha256)


def _folder(destination: str) -> str:
    variable, _, rest = destination.removeprefix("$(runtime.").partition(")")
    return "/".join((_PLACES[variable.lower()], *rest.strip("\\").split("\\"))).rstrip("/")
