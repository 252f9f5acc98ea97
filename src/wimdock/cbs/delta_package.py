"""Delta packages: `_manifest_.cix.xml` says how to make the package's files from deltas.

Each File has the hashes of what it must become and a Delta: its Source is RAW (stored as it is) or
PA30 (to be applied to the Basis, another file of the package, or to nothing); without a Source it
is a copy of its Basis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from wimdock.cbs.contents import ContentFile, Contents, safe_name
from wimdock.cbs.element import Element, parse_xml
from wimdock.cbs.spool import Spool
from wimdock.delta import apply_delta
from wimdock.errors import CorruptPackage, MalformedPackage, UnsupportedDelta

LIST_NAME = "_manifest_.cix.xml"
MAX_MADE = 512 << 20
"""The largest file that is made by a delta; it is held in memory while it is made."""
MAX_MADE_TOTAL = 16 << 30

_NAMESPACE = "urn:ContainerIndex"
_ALGORITHMS = frozenset(("sha1", "sha256"))


@dataclass(frozen=True, slots=True)
class DeltaFile:
    """A file to be made.

    `hashes` are pairs of algorithm and digest. `source_type` is "RAW", "PA30", another name, or ""
    for a copy of `basis`, the number of another file ("" for none). `surprise` is what this reader
    does not know of it.
    """

    number: str
    name: str
    size: int
    hashes: tuple[tuple[str, bytes], ...]
    source_type: str = ""
    source_name: str = ""
    source_hashes: tuple[tuple[str, bytes], ...] = ()
    basis: str = ""
    surprise: str = ""


def parse_delta_package(data: bytes) -> tuple[DeltaFile, ...]:
    """Read the list of files; MalformedPackage where it is broken."""
    root = parse_xml(data, LIST_NAME)
    files = root.first("Files")
    if root.name != "Container" or root.namespace != _NAMESPACE or files is None:
        message = f"{LIST_NAME} is no list of delta files"
        raise MalformedPackage(message)
    return tuple(_read_file(element) for element in files.all("File"))


def _read_file(element: Element) -> DeltaFile:
    name = safe_name(element.get("name"))
    size = element.get("length")
    hashes = tuple(_hashes(element, name))
    delta = element.first("Delta")
    if delta is None or not hashes or not (size.isascii() and size.isdigit()):
        message = f"{LIST_NAME} does not say how to make {name}"
        raise MalformedPackage(message)
    sources, bases = list(delta.all("Source")), list(delta.all("Basis"))
    source = sources[0] if sources else Element("Source")
    basis = bases[0] if bases else Element("Basis")
    surprise = ""
    if len(sources) > 1 or len(bases) > 1 or len(delta.children) > len(sources) + len(bases):
        surprise = "more than one source or basis"
    elif {key for key, _value in source.attributes} - {"type", "name"}:
        surprise = "a source inside another file"
    elif {key for key, _value in basis.attributes} - {"file"}:
        surprise = "a basis outside the package"
    return DeltaFile(
        number=element.get("id"),
        name=name,
        size=int(size[:18]),
        hashes=hashes,
        source_type=source.get("type"),
        source_name=source.get("name"),
        source_hashes=tuple(_hashes(source, name)),
        basis=basis.get("file"),
        surprise=surprise,
    )


def _hashes(element: Element, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in element.all("Hash"):
        algorithm = entry.get("alg").lower()
        if algorithm not in _ALGORITHMS:
            continue
        try:
            digest = bytes.fromhex(entry.get("value"))
        except ValueError as error:
            message = f"{LIST_NAME} holds a hash of {name} that is none"
            raise MalformedPackage(message) from error
        yield algorithm, digest


def rebuild(
    contents: Contents, files: tuple[DeltaFile, ...], spool: Spool
) -> tuple[Contents, dict[str, str]]:
    """Make the files of a delta package in `spool`, in the order that their bases ask for.

    Gives what was made and, by name, why others cannot be made. Raises CorruptPackage for a hash
    that does not match, MalformedPackage for a broken list, DeltaError for a broken delta.
    """
    builder = _Builder(contents, files, spool)
    for file in builder.ordered():
        builder.make(file)
    return builder.made_in_order(), builder.refused


class _Builder:
    """The files made so far, by number."""

    def __init__(self, contents: Contents, files: tuple[DeltaFile, ...], spool: Spool) -> None:
        self.contents = contents
        self.files = {file.number: file for file in files}
        self.spool = spool
        self.made: dict[str, ContentFile] = {}
        self.refused: dict[str, str] = {}
        if len(self.files) != len(files):
            message = f"{LIST_NAME} numbers two files the same"
            raise MalformedPackage(message)
        made = sum(f.size for f in files if f.source_type != "RAW")
        if made > MAX_MADE_TOTAL or max((f.size for f in files), default=0) > MAX_MADE:
            message = f"{LIST_NAME} promises files larger than any real one"
            raise MalformedPackage(message)

    def ordered(self) -> Iterator[DeltaFile]:
        """Give the files so that every basis comes before what is made of it."""
        done: set[str] = set()
        for file in self.files.values():
            chain: list[DeltaFile] = []
            current: DeltaFile | None = file
            while current is not None and current.number not in done:
                chain.append(current)
                done.add(current.number)
                current = self._basis_of(current)
            if current is not None and current in chain:
                message = f"{LIST_NAME} makes {current.name} from itself"
                raise MalformedPackage(message)
            yield from reversed(chain)

    def _basis_of(self, file: DeltaFile) -> DeltaFile | None:
        if not file.basis:
            return None
        if file.basis not in self.files:
            message = f"{LIST_NAME} makes {file.name} from a file that it does not list"
            raise MalformedPackage(message)
        return self.files[file.basis]

    def make(self, file: DeltaFile) -> None:
        basis = self._basis_of(file)
        if basis is not None and basis.number not in self.made:
            self.refused[file.name] = f"it is made from {basis.name}, which cannot be made"
        elif file.surprise:
            self.refused[file.name] = f"it is made from {file.surprise}"
        elif file.source_type == "RAW":
            self._keep(file, self._source(file))
        elif file.source_type == "PA30":
            self._apply(file)
        elif file.source_type:
            self.refused[file.name] = f"it has a source of the type {file.source_type[:40]!r}"
        elif basis is not None:
            self._keep(file, self.made[basis.number])
        else:
            message = f"{LIST_NAME} does not say how to make {file.name}"
            raise MalformedPackage(message)

    def _apply(self, file: DeltaFile) -> None:
        source = self._source(file)
        _verify(source, file.source_hashes, source.name)
        delta = source.read(MAX_MADE)
        basis = self.made[file.basis].read(MAX_MADE) if file.basis else b""
        try:
            made = apply_delta(delta, basis, max_size=file.size)
        except UnsupportedDelta as error:
            self.refused[file.name] = error.message.rstrip(".")
            return
        for algorithm, digest in file.hashes:
            if hashlib.new(algorithm, made, usedforsecurity=False).digest() != digest:
                raise _corrupt(file.name)
        self.made[file.number] = self.spool.put(file.name, file.size, (made,))

    def _keep(self, file: DeltaFile, source: ContentFile) -> None:
        _verify(source, file.hashes, file.name)
        if source.size != file.size:
            raise _corrupt(file.name)
        self.made[file.number] = ContentFile(file.name, source.content, source.size)

    def _source(self, file: DeltaFile) -> ContentFile:
        found = self.contents.get(file.source_name)
        if found is None:
            message = f"{file.name} is to be made from {file.source_name[:200]!r}, which is missing"
            raise MalformedPackage(message)
        return found

    def made_in_order(self) -> Contents:
        return Contents(self.made[number] for number in self.files if number in self.made)


def _verify(file: ContentFile, hashes: tuple[tuple[str, bytes], ...], name: str) -> None:
    digests = file.digests({algorithm for algorithm, _digest in hashes})
    for algorithm, digest in hashes:
        if digests[algorithm] != digest:
            raise _corrupt(name)


def _corrupt(name: str) -> CorruptPackage:
    return CorruptPackage(f"{name} does not have the hash that {LIST_NAME} lists")
