"""Verification: sound files have no findings, and every fault has one with its code."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.tool import run
from tests.wim.captured import FORMS, capture
from tests.wim.crafted import (
    DIRECTORY,
    JUNCTION,
    REPARSE,
    Crafted,
    Node,
    Stored,
    add_integrity,
    change_header,
    content,
    folder,
    metadata,
    plain,
    sha1,
)
from wimdock.events import Event, Kind, Reporter
from wimdock.wim import Archive, layout
from wimdock.wim.dentry import Stream
from wimdock.wim.findings import CODES, LISTED
from wimdock.wim.header import ResourceHeader
from wimdock.wim.verification import Verification, verify

TAG = JUNCTION.to_bytes(8, "little")
OLD_WIMLIB = {"reparse-in-stream-entry"}  # what wimlib before 1.14.2 makes of a link to a folder


def check(path: Path, *, threads: int | None = None) -> Verification:
    """Verify a file."""
    with Archive.open(path) as archive:
        return verify(archive, Reporter(), threads=threads)


def codes(path: Path) -> list[str]:
    """Verify a file and give the codes of what is found, the gravest first."""
    return [finding.code for finding in check(path).findings]


@pytest.mark.parametrize("form", FORMS)
def test_what_wimlib_captures_is_sound(form: str, captured: Callable[[str], Path]) -> None:
    result = check(captured(form))
    assert {finding.code for finding in result.findings} <= OLD_WIMLIB
    assert result.sound
    assert result.images == 1
    assert result.resources == 8  # five contents, two targets of links, one metadata
    assert result.size > 100_000


def test_all_images_of_a_file_are_verified(tree: Path, tmp_path: Path) -> None:
    path = capture(tree, tmp_path / "three.wim", "--check", images=3)
    result = check(path)
    assert result.images == 3
    assert result.sound


def test_7_zip_makes_sound_files(tree: Path, tmp_path: Path) -> None:
    path = tmp_path / "seven.wim"
    run("7z", "a", "-twim", path, tree)
    assert codes(path) == []


@pytest.mark.parametrize("name", ["empty_dacl", "longpaths"])
def test_the_shared_valid_files_are_sound(name: str, shared_data: Path) -> None:
    assert codes(shared_data / "wims" / f"{name}.wim") == []


def test_the_shared_corrupt_file_is_found_out(shared_data: Path) -> None:
    result = check(shared_data / "wims" / "corrupted_file_1.wim")
    assert not result.sound
    assert [(finding.code, finding.where) for finding in result.findings] == [
        ("content-hash", "offset 208"),
        ("damaged-content", r"image 1: \file"),
    ]


def test_the_shared_cyclic_file_is_found_out(shared_data: Path) -> None:
    assert codes(shared_data / "wims" / "cyclic.wim") == ["image-unreadable"]


def _in_root(*nodes: Node, contents: tuple[bytes, ...] = (), xml: str | None = None) -> Crafted:
    return plain(*nodes, contents=contents, xml=xml)


# One fault each, in an image that has nothing else wrong with it.
IN_AN_IMAGE = {
    "hostile-name": _in_root(Node("..")),
    "duplicate-name": _in_root(Node("a"), Node("a")),
    "name-differs-by-case": _in_root(Node("Name"), Node("nAME")),
    "security-id": _in_root(Node("a", security_id=0)),
    "missing-content": _in_root(Node("a", b"lost")),
    "folder-with-data": _in_root(
        Node("f", attributes=DIRECTORY, sha1=sha1(b"data")), contents=(b"data",)
    ),
    "folder-with-empty-stream": _in_root(
        Node(
            "f",
            attributes=DIRECTORY,
            streams=(Stream("", layout.ZERO_HASH), Stream("n", sha1(b"data"))),
        ),
        contents=(b"data",),
    ),
    "reparse-in-stream-entry": _in_root(
        Node(
            "f",
            attributes=DIRECTORY | REPARSE,
            link=TAG,
            streams=(Stream("", sha1(b"data")), Stream("", layout.ZERO_HASH)),
        ),
        contents=(b"data",),
    ),
    "reparse-data-too-long": _in_root(
        Node("a", bytes(16_377), attributes=REPARSE, link=TAG), contents=(bytes(16_377),)
    ),
    "reparse-without-tag": _in_root(Node("a", b"data", attributes=REPARSE), contents=(b"data",)),
    "duplicate-stream": _in_root(
        Node(
            "a",
            streams=(
                Stream("", layout.ZERO_HASH),
                Stream("n", sha1(b"x")),
                Stream("N", sha1(b"y")),
            ),
        ),
        contents=(b"x", b"y"),
    ),
    "file-with-children": _in_root(Node("a", subdirectory=8)),
    "hard-links-differ": _in_root(
        Node("a", b"x", link=b"\1" + bytes(7)),
        Node("b", b"y", link=b"\1" + bytes(7)),
        contents=(b"x", b"y"),
    ),
    "reference-count": _in_root(Node("a", b"x"), Node("b", b"x"), contents=(b"x",)),
    "unreferenced-content": _in_root(contents=(b"nobody's",)),
    "duplicate-content": _in_root(Node("a", b"x"), contents=(b"x", b"x")),
    "xml-names": _in_root(xml='<WIM><IMAGE INDEX="1"><FILECOUNT>9</FILECOUNT></IMAGE></WIM>'),
    "xml-bytes": _in_root(xml='<WIM><IMAGE INDEX="1"><TOTALBYTES>9</TOTALBYTES></IMAGE></WIM>'),
    "xml-image-count": _in_root(xml="<WIM/>"),
    "xml-unreadable": _in_root(xml="<WIM>"),
}


@pytest.mark.parametrize("code", IN_AN_IMAGE)
def test_a_fault_in_an_image_is_found(code: str, tmp_path: Path) -> None:
    assert codes(IN_AN_IMAGE[code].write(tmp_path / "one.wim")) == [code]


def test_streams_as_dism_writes_them_are_sound(tmp_path: Path) -> None:
    x, y, empty = sha1(b"x"), sha1(b"y"), layout.ZERO_HASH
    crafted = plain(
        Node("a", streams=(Stream("", x), Stream("n", y))),
        Node("b", attributes=REPARSE, link=TAG, streams=(Stream("", x), Stream("", empty))),
        Node("c", attributes=DIRECTORY, streams=(Stream("n", y),)),
        Node("d", attributes=DIRECTORY | REPARSE, link=TAG, sha1=x),
        Node(
            "e", attributes=DIRECTORY | REPARSE, link=TAG, streams=(Stream("", x), Stream("n", y))
        ),
        Node("f", attributes=REPARSE, link=TAG),
        Node("g", bytes(16_376), attributes=REPARSE, link=TAG),
    )
    crafted.contents = [content(b"x", 4), content(b"y", 3), content(bytes(16_376))]
    assert codes(crafted.write(tmp_path / "one.wim")) == []


def test_a_folder_with_named_streams_as_old_wimlib_wrote_it(tmp_path: Path) -> None:
    """DISM refuses the entry for its unnamed stream, also on a reparse point."""
    empty = layout.ZERO_HASH
    streams = (Stream("", sha1(b"x")), Stream("", empty), Stream("n", sha1(b"y")))
    crafted = _in_root(
        Node("f", attributes=DIRECTORY | REPARSE, link=TAG, streams=streams), contents=(b"x", b"y")
    )
    result = check(crafted.write(tmp_path / "one.wim"))
    assert [finding.code for finding in result.findings] == ["folder-with-empty-stream"]
    assert "DISM" in result.findings[0].text
    assert result.findings[0].where == r"image 1: \f"
    assert result.sound


def test_one_unreadable_image_does_not_hide_the_others(tmp_path: Path) -> None:
    good = metadata(folder("", Node("a", b"lost"), folder("f", Node("b", b"lost too"))))
    path = Crafted([good, b"\xff" * 200, good]).write(tmp_path / "three.wim")
    places = [(finding.code, finding.where) for finding in check(path).findings]
    assert ("image-unreadable", "image 2") in places
    for image in (1, 3):
        assert ("missing-content", rf"image {image}: \a") in places
        assert ("missing-content", rf"image {image}: \f\b") in places


def test_hashes_of_content_and_metadata_are_checked(tmp_path: Path) -> None:
    crafted = plain(Node("a", b"content"), contents=[b"content"])
    data = bytearray(crafted.pack())
    data[layout.HEADER_SIZE] ^= 1
    data[layout.HEADER_SIZE + len(b"content") + 60] ^= 1  # a time of the root
    path = tmp_path / "one.wim"
    path.write_bytes(data)
    assert codes(path) == ["content-hash", "metadata-hash", "damaged-content"]


def test_chunks_that_cannot_be_read_are_found(tmp_path: Path) -> None:
    stored = Stored(b"\xff" * 9, sha1(b"x"), size=4096, flags=layout.RESOURCE_COMPRESSED)
    crafted = Crafted([metadata(folder("", Node("a", b"x")))], [stored])
    crafted.flags, crafted.chunk_size = layout.FLAG_COMPRESSION | layout.FLAG_LZX, 1 << 15
    assert codes(crafted.write(tmp_path / "one.wim")) == ["resource-unreadable", "damaged-content"]


def test_a_resource_that_claims_bytes_from_none_is_found(tmp_path: Path) -> None:
    stored = Stored(b"", sha1(b"x"), size=4096, flags=layout.RESOURCE_COMPRESSED)
    crafted = Crafted([metadata(folder("", Node("a", b"x")))], [stored])
    assert codes(crafted.write(tmp_path / "one.wim")) == ["resource-unreadable", "damaged-content"]


def _blob(offset: int, size: int, name: bytes, part: int = 1) -> bytes:
    return layout.BLOB.pack(size, offset, size, part, 1, sha1(name))


def test_resources_outside_the_file_are_found(tmp_path: Path) -> None:
    image = metadata(folder("", Node("a", b"x")))
    for row in (_blob(1 << 40, 5, b"x"), _blob((1 << 64) - 2, 5, b"x"), _blob(208, 1 << 50, b"x")):
        crafted = Crafted([image], blobs=row)
        found = codes(crafted.write(tmp_path / "one.wim"))
        assert found == ["resource-outside-file", "damaged-content"]
    split = Crafted([image], blobs=_blob(208, 5, b"x", part=2))
    assert "resource-outside-file" in codes(split.write(tmp_path / "two.wim"))


def test_resources_over_each_other_are_found(tmp_path: Path) -> None:
    image = metadata(folder("", Node("a", b"content"), Node("b", b"ont")))
    crafted = Crafted([image], [content(b"content")], blobs=_blob(209, 3, b"ont"))
    result = check(crafted.write(tmp_path / "one.wim"))
    found = [(finding.code, finding.where) for finding in result.findings]
    assert found == [("resource-overlap", "offset 209"), ("damaged-content", r"image 1: \b")]
    header = Crafted([image], [content(b"content")], blobs=_blob(100, 3, b"ont"))
    assert "resource-overlap" in codes(header.write(tmp_path / "two.wim"))


def test_overlapping_resources_are_not_all_read(tmp_path: Path) -> None:
    """Else a small file could take any amount of time."""
    image = metadata(folder(""))
    rows = b"".join(_blob(208, 100_000, str(number).encode()) for number in range(2000))
    result = check(
        Crafted([image], [content(bytes(100_000))], blobs=rows).write(tmp_path / "one.wim")
    )
    assert result.size == 100_000 + len(image)


def test_the_same_resource_listed_twice_is_no_overlap(tmp_path: Path) -> None:
    image = metadata(folder("", Node("a", b"x")))
    crafted = Crafted([image], [content(b"x")], blobs=_blob(208, 1, b"x"))
    assert codes(crafted.write(tmp_path / "one.wim")) == ["duplicate-content"]


def test_space_that_belongs_to_nothing_is_noted(tmp_path: Path) -> None:
    crafted = Crafted([metadata(folder("", Node("a", b"x")))], [Stored(b"x", sha1(b"x"))])
    path = crafted.write(tmp_path / "one.wim")
    data = path.read_bytes()
    with Archive.open(path) as archive:
        xml = archive.header.xml
    moved = ResourceHeader(xml.stored_size, 0, len(data) + 40, xml.size)
    path.write_bytes(data + bytes(40) + data[xml.offset : xml.end] + b"tail")
    change_header(path, xml=moved)
    result = check(path)
    assert [finding.code for finding in result.findings] == ["unused-space", "leftover-tail"]
    assert result.findings[0].text.startswith(f"{xml.size + 40} bytes before offset {moved.end}")
    assert result.findings[1].text.startswith("4 bytes")
    assert result.sound


def test_without_the_blob_table_nothing_is_called_a_leftover(tmp_path: Path) -> None:
    path = plain(Node("a", b"x"), contents=[b"x"]).write(tmp_path / "one.wim")
    with Archive.open(path) as archive:
        end = archive.header.blob_table.offset
    path.write_bytes(path.read_bytes()[: end + 1])
    found = codes(path)
    assert "blob-table-unreadable" in found
    assert "resource-outside-file" in found
    assert not {"unused-space", "leftover-tail"} & set(found)


def test_the_header_is_checked_against_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "one.wim"

    def changed(**fields: object) -> list[str]:
        return codes(change_header(plain().write(path), **fields))

    with Archive.open(plain().write(path)) as archive:
        own = archive.metadata_blobs[0].resource
    assert changed(flags=layout.FLAG_WRITE_IN_PROGRESS) == ["write-in-progress"]
    assert changed(image_count=3) == ["image-count", "xml-image-count"]
    assert changed(boot_index=2) == ["boot-index"]
    assert changed(boot_index=1) == ["boot-index"]
    assert changed(boot_metadata=own) == ["boot-index"]
    assert changed(boot_index=1, boot_metadata=own) == []
    assert changed(blob_table=replace(own, offset=1 << 60, flags=0))[0] == "blob-table-unreadable"
    outside = changed(xml=replace(own, offset=1 << 60, flags=0))
    assert outside[:2] == ["xml-unreadable", "resource-outside-file"]


def test_the_integrity_table_is_checked(tmp_path: Path) -> None:
    path = add_integrity(plain(Node("a", b"x"), contents=[b"x"]).write(tmp_path / "one.wim"))
    assert codes(path) == []
    data = bytearray(path.read_bytes())
    data[layout.HEADER_SIZE] ^= 1
    path.write_bytes(data)
    assert codes(path) == ["content-hash", "integrity-chunk", "damaged-content"]
    with Archive.open(path) as archive:
        at = archive.header.integrity.offset
    data[at : at + 12] = struct.pack("<III", 1, 2, 3)
    path.write_bytes(data)
    assert "integrity-table-unreadable" in codes(path)


@pytest.mark.parametrize("sizes", ["<DIRCOUNT>2</DIRCOUNT>", "<DIRCOUNT>1</DIRCOUNT>"])
def test_both_ways_of_counting_folders_are_accepted(sizes: str, tmp_path: Path) -> None:
    """Windows leaves the root out, wimlib does not."""
    xml = f'<WIM><IMAGE INDEX="1">{sizes}<FILECOUNT>0</FILECOUNT></IMAGE></WIM>'
    assert codes(plain(folder("f"), xml=xml).write(tmp_path / "one.wim")) == []


@pytest.mark.parametrize("offset, value", [(98, 0xFFFF), (100, 0xFFFE), (100, 3), (98, 8)])
def test_names_that_do_not_fit_make_an_image_unreadable(
    offset: int, value: int, tmp_path: Path
) -> None:
    """Whatever the walk leaves unchecked, the audit does not."""
    image = bytearray(metadata(folder("", Node("abcdefgh"))))
    at = len(metadata(folder(""))) - 8 + offset
    image[at : at + 2] = value.to_bytes(2, "little")
    path = Crafted([bytes(image)]).write(tmp_path / "one.wim")
    assert codes(path) == ["image-unreadable"]


def test_a_flood_of_findings_is_counted(tmp_path: Path) -> None:
    nodes = [Node(f"{number:05}", security_id=9) for number in range(LISTED + 50)]
    findings = check(plain(*nodes).write(tmp_path / "one.wim")).findings
    assert len(findings) == LISTED + 1
    assert findings[-1].text.endswith("50 more of these")
    assert findings[-1].where == "image 1"


def test_paths_in_findings_are_shortened(tmp_path: Path) -> None:
    tree = Node("end", security_id=9)
    for _ in range(100):
        tree = folder("x" * 200, tree)
    (finding,) = check(plain(tree).write(tmp_path / "one.wim")).findings
    assert len(finding.where) < 3000
    assert finding.where.endswith("\\end")


def test_findings_do_not_depend_on_the_number_of_threads(a_copy: Callable[[str], Path]) -> None:
    path = a_copy("xpress-4k")
    data = bytearray(path.read_bytes())
    for offset in range(1000, len(data) - 3000, 7919):
        data[offset] ^= 0x41
    path.write_bytes(data)
    first = check(path, threads=1)
    assert not first.sound
    assert check(path, threads=8) == first


def test_progress_reaches_its_end(captured: Callable[[str], Path]) -> None:
    events: list[Event] = []
    with Archive.open(captured("check")) as archive:
        result = verify(archive, Reporter(events.append))
        end = archive.header.blob_table.end
    progress = [event for event in events if event.kind is Kind.PROGRESS]
    assert progress[-1].done == progress[-1].total == result.size
    assert result.size > end
    assert [event.done for event in progress] == sorted(event.done for event in progress)
    titles = [event.step[-1] for event in events if event.kind is Kind.STEP_ENDED]
    assert titles == ["Verifying the structure", "Verifying the content", "Verifying image 1"]


def test_every_code_is_documented() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "verify.md"
    listed = re.findall(
        r"^\| `([a-z-]+)` \| (error|warning|note) \|", page.read_text("utf-8"), re.MULTILINE
    )
    assert listed == [(code, severity) for code, (severity, _) in CODES.items()]


def test_every_code_is_shown_by_a_test() -> None:
    here = Path(__file__).read_text("utf-8")
    assert [code for code in CODES if f'"{code}"' not in here] == []
