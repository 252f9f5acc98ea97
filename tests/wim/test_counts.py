"""The figures of an image, against those that wimlib wrote into the XML and the blob table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.wim.captured import FORMS
from tests.wim.crafted import DIRECTORY, REPARSE, Node, folder, metadata, sha1
from wimdock.wim import Archive
from wimdock.wim.counts import count_image, references
from wimdock.wim.dentry import Stream
from wimdock.wim.metadata import Metadata
from wimdock.wim.xml import ImageCounts


@pytest.mark.parametrize("form", FORMS)
def test_figures_are_those_of_wimlib(form: str, captured: Callable[[str], Path]) -> None:
    with Archive.open(captured(form)) as archive:
        tree = archive.image(1).metadata
        assert count_image(tree, archive.blobs.sizes()) == archive.xml.counts(1)
        recorded = {blob.sha1: blob.references for blob in archive.blobs if not blob.is_metadata}
        assert references(tree) == recorded


def test_every_name_counts() -> None:
    a, b, c = sha1(b"a" * 10), sha1(b"b" * 100), sha1(b"c" * 1000)
    sizes = {a: 10, b: 100, c: 1000}
    group = (5).to_bytes(8, "little")
    named = (Stream("", a), Stream("n", b), Stream("empty", bytes(20)))
    tree = Metadata(
        metadata(
            folder(
                "",
                Node("one", b"a" * 10, link=group),
                Node("two", b"a" * 10, link=group),
                folder("f", Node("three", b"a" * 10, link=group)),
                Node("streams", streams=named),
                Node("with stream", attributes=DIRECTORY, streams=(Stream("n", c),)),
                Node("link", attributes=REPARSE | DIRECTORY, sha1=b, link=b"\3\0\0\xa0\0\0\0\0"),
                Node("same tag", attributes=REPARSE, sha1=b, link=b"\3\0\0\xa0\0\0\0\0"),
                Node("lost", sha1=b"\x99" * 20),
            )
        )
    )
    total = 3 * 10 + 110 + 1000 + 2 * 100
    assert count_image(tree, sizes) == ImageCounts(3, 7, total, 2 * 10)
    assert references(tree) == {a: 4, b: 3, c: 1, b"\x99" * 20: 1}


def test_an_empty_image_has_its_root() -> None:
    tree = Metadata(metadata(folder("")))
    assert count_image(tree, {}) == ImageCounts(1, 0, 0, 0)
    assert references(tree) == {}
