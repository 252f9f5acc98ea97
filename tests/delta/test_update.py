"""Microsoft's delta packages, rebuilt by their own list of files, whose hashes bear witness."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from xml.etree import ElementTree as ET  # a known file of Microsoft's, no hostile one

import pytest

from tests.delta.test_manifest import unpacked
from wimdock.delta import apply_delta, read_header, unsupported_reason
from wimdock.errors import UnsupportedDelta

NAMESPACE = "{urn:ContainerIndex}"


def rebuild(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Make every file that the list names, those first that others are made from.

    Gives the files by their identifier, and the reasons why some could not be made.
    """
    root = ET.parse(folder / "_manifest_.cix.xml").getroot()  # noqa: S314 - see the import
    waiting = list(root.iter(f"{NAMESPACE}File"))
    made: dict[str, bytes] = {}
    lacking: list[str] = []
    while waiting:
        file = waiting.pop(0)
        basis = file.find(f"{NAMESPACE}Delta/{NAMESPACE}Basis")
        source = file.find(f"{NAMESPACE}Delta/{NAMESPACE}Source")
        if basis is not None and basis.attrib["file"] not in made:
            waiting.append(file)
            assert len(waiting) > 1 or not lacking
            continue
        stored = b"" if source is None else (folder / source.attrib["name"]).read_bytes()
        start = b"" if basis is None else made[basis.attrib["file"]]
        try:
            if source is None:
                data = start
            elif source.attrib["type"] == "RAW":
                data = stored
            else:
                data = apply_delta(stored, start, max_size=int(file.attrib["length"]))
        except UnsupportedDelta:
            lacking.append(unsupported_reason(stored))
            continue
        proof = file.find(f"{NAMESPACE}Hash")
        assert proof is not None
        assert hashlib.new(proof.attrib["alg"], data).hexdigest() == proof.attrib["value"]
        made[file.attrib["id"]] = data
    return made, lacking


@pytest.mark.parametrize(
    "name, files, reasons",
    [("x86", 15, []), ("x64", 16, ["a PE transform (AMD64)"])],
)
def test_kb4528069_is_rebuilt(
    shared_data: Path, tmp_path: Path, name: str, files: int, reasons: list[str]
) -> None:
    update = shared_data / "packages" / f"windows6.1-kb4528069-{name}.msu"
    outer = unpacked(update, tmp_path / "outer")
    (inner,) = outer.glob("Windows6.1-*.cab")
    folder = unpacked(inner, tmp_path / "inner")
    started = time.process_time()
    made, lacking = rebuild(folder)
    assert time.process_time() - started < 10
    assert len(made) == files
    assert lacking == reasons


def test_the_header_of_a_real_delta(shared_data: Path, tmp_path: Path) -> None:
    update = shared_data / "packages" / "windows6.1-kb4528069-x86.msu"
    (inner,) = unpacked(update, tmp_path / "outer").glob("Windows6.1-*.cab")
    header = read_header((unpacked(inner, tmp_path / "inner") / "0").read_bytes())
    assert header.file_type_name == "RAW"
    assert header.flags == 0x20001
    assert header.restores_calls
    assert header.hash_name == "md5"
    assert not header.unsupported
