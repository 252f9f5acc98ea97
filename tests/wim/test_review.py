"""Faults that a review found: what must not be lost, and what must be refused in good order."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.wim.crafted import REPARSE, Crafted, Node, content, folder, metadata, plain, sha1
from wimdock.clock import FixedClock
from wimdock.errors import CorruptImage, UsageError
from wimdock.events import Reporter
from wimdock.paths import ImagePath
from wimdock.wim import Archive, layout
from wimdock.wim.dentry import Stream
from wimdock.wim.editor import FileFacts, MetadataEditor
from wimdock.wim.metadata import Metadata
from wimdock.wim.rollback import rollback
from wimdock.wim.transaction import Transaction
from wimdock.wim.verification import verify
from wimdock.wim.xml import ImageCatalog

CLOCK = FixedClock(datetime(2026, 1, 2, tzinfo=UTC))
FACTS = FileFacts(0x20, 1, 2, 3)
GROUP = struct.pack("<Q", 5)


def put(path: Path, name: str, data: bytes) -> None:
    """Put one file into the first image."""
    with Transaction.begin(path, clock=CLOCK, threads=1) as transaction:
        with transaction.edit(1) as editor:
            (reference,) = transaction.add([data])
            editor.put_file(ImagePath(name), FACTS, reference.sha1)
        transaction.commit("test")


def editor_of(root: Node) -> MetadataEditor:
    """Give an editor for a tree, with content of no size."""
    return MetadataEditor(Metadata(metadata(root)), lambda _: 0)


def test_one_can_go_back_where_the_xml_said_nothing_of_an_image(tmp_path: Path) -> None:
    path = plain(Node("a", b"1"), contents=[b"1"], xml="<WIM/>").write(tmp_path / "a.wim")
    before = path.read_bytes()[: layout.HEADER_SIZE]
    put(path, "b", b"2")
    rollback(path)
    assert path.read_bytes()[: layout.HEADER_SIZE] == before


def test_damaged_content_is_not_referred_to_as_if_it_were_sound(tmp_path: Path) -> None:
    data = b"content" * 100
    path = plain(Node("a", data), contents=[data]).write(tmp_path / "a.wim")
    spoilt = bytearray(path.read_bytes())
    spoilt[layout.HEADER_SIZE + 50] ^= 1
    path.write_bytes(spoilt)
    with pytest.raises(CorruptImage, match="damaged"):
        put(path, "b", data)
    assert path.read_bytes() == spoilt


def test_content_may_be_the_same_as_the_metadata_of_an_image(tmp_path: Path) -> None:
    inner = metadata(folder("", Node("f", b"1")))
    images = [metadata(folder("", Node("m", inner))), inner]
    path = Crafted(images, [content(inner), content(b"1")]).write(tmp_path / "a.wim")
    put(path, "again", inner)
    with Archive.open(path) as archive:
        assert archive.read_blob(sha1(inner)) == inner
        assert verify(archive, Reporter()).sound


def test_content_that_is_still_used_counts_at_least_once(tmp_path: Path) -> None:
    path = plain(Node("a", b"1"), Node("b", b"1"), contents=[b"1"]).write(tmp_path / "a.wim")
    with Transaction.begin(path, clock=CLOCK, threads=1) as transaction:
        with transaction.edit(1) as editor:
            editor.remove(ImagePath("a"))
        transaction.commit("test")
    with Archive.open(path) as archive:
        assert archive.blobs.get(sha1(b"1")).references == 1


def test_folders_that_differ_by_case_only_are_two_folders() -> None:
    editor = editor_of(folder("", folder("A", Node("x", b"1")), folder("a", Node("x", b"2"))))
    for name, data in (("a", b"2"), ("A", b"1")):
        entry = editor.lookup(ImagePath((name, "x")))
        assert entry is not None
        assert entry.hash == sha1(data)


def test_a_stream_reaches_all_names_of_a_file_in_folders_that_differ_by_case_only() -> None:
    upper, lower = (folder(name, Node("x", b"1", link=GROUP)) for name in "Aa")
    editor = editor_of(folder("", upper, lower))
    editor.put_stream(ImagePath(("a", "x")), "stream", sha1(b"2"))
    for name in "Aa":
        entry = editor.lookup(ImagePath((name, "x")))
        assert entry is not None
        assert [stream.name for stream in entry.named_streams] == ["stream"]


@pytest.mark.parametrize("depth", [500, 2000])
def test_deep_folders_are_made(depth: int) -> None:
    editor = editor_of(folder(""))
    path = ImagePath(tuple(f"folder {number}" for number in range(depth)))
    editor.put_file(path, FACTS, sha1(b"1"))
    built = Metadata(editor.build().data)
    assert sum(len(found.entries) for found in built.folder_lists()) == depth


@pytest.mark.parametrize(
    "path", [ImagePath(("x",) * 3000), ImagePath("x" * 256), ImagePath("x" * 40_000)]
)
def test_what_windows_could_not_open_is_refused(path: ImagePath) -> None:
    editor = editor_of(folder(""))
    with pytest.raises(UsageError):
        editor.put_file(path, FACTS, None)


def test_a_stream_name_that_does_not_fit_is_refused() -> None:
    editor = editor_of(folder("", Node("a", b"1")))
    with pytest.raises(UsageError):
        editor.put_stream(ImagePath("a"), "x" * 40_000, None)


def test_a_file_that_stands_out_of_order_is_removed_too() -> None:
    editor = editor_of(folder("", *(Node(name, b"1") for name in "cadb")))
    for name in "abcd":
        editor.remove(ImagePath(name))
    assert editor.names(ImagePath()) == []


@pytest.mark.parametrize(
    "attributes",
    [layout.ATTRIBUTE_ENCRYPTED | kind for kind in (0x20, 0x10, REPARSE, REPARSE | 0x10)],
)
def test_encrypted_data_survives_a_stream(attributes: int) -> None:
    editor = editor_of(folder("", Node("a", attributes=attributes, sha1=sha1(b"raw"))))
    editor.put_stream(ImagePath("a"), "stream", sha1(b"1"))
    entry = editor.lookup(ImagePath("a"))
    assert entry is not None
    assert entry.data_sha1 == sha1(b"raw")
    assert entry.streams == (Stream("", sha1(b"raw")), Stream("stream", sha1(b"1")))


def test_everything_around_and_in_the_xml_stays() -> None:
    text = (
        '<?xml version="1.0" encoding="UTF-16"?>\n<!-- <WIM> --><?before it?>'
        '<WIM><!-- in --><TOTALBYTES>1</TOTALBYTES><IMAGE INDEX="1">'
        "<NAME><![CDATA[a & <b>]]></NAME>"
        '<?in it?><o:THER xmlns:o="urn:o" o:a="1"> t </o:THER></IMAGE>\n</WIM><!-- </WIM> -->'
    )
    catalog = ImageCatalog(b"\xff\xfe" + text.encode("utf-16-le"))
    assert catalog.record(1).name == "a & <b>"
    catalog.set_total_bytes(2)
    packed = catalog.pack()[2:].decode("utf-16-le")
    assert packed == text.replace("<TOTALBYTES>1", "<TOTALBYTES>2")


def test_new_data_leaves_everything_else_of_a_file() -> None:
    stream = Stream("stream", sha1(b"s"))
    data = (Stream("", sha1(b"old")), stream)
    first, second = (
        Node(name, streams=data, link=GROUP, extra=bytes(range(16)), attributes=0x26)
        for name in ("first", "second")
    )
    editor = editor_of(folder("", first, second))
    old = editor.lookup(ImagePath("first"))
    editor.put_data(ImagePath("second"), sha1(b"new"), 7)
    for name in ("first", "second"):
        entry = editor.lookup(ImagePath(name))
        assert entry is not None
        assert old is not None
        assert entry.streams == (Stream("", sha1(b"new")), stream)
        assert entry.written == 7
        assert (entry.attributes, entry.created, entry.link, entry.extra) == (
            *(old.attributes, old.created, old.link, old.extra),
        )


@pytest.mark.parametrize("node", [folder("a"), Node("a", attributes=REPARSE | 0x20)])
def test_data_is_put_into_plain_files_only(node: Node) -> None:
    with pytest.raises(UsageError):
        editor_of(folder("", node)).put_data(ImagePath("a"), None, 7)
