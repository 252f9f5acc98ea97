"""The blob table: entries, the index by hash, metadata in image order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wim.crafted import sha1
from wimdock.errors import MalformedImage, NoSuchImage, UnsupportedImage
from wimdock.wim import layout
from wimdock.wim.blobs import BlobTable


def _entry(data: bytes, flags: int = 0, part: int = 1, references: int = 1) -> bytes:
    return layout.BLOB.pack(len(data) | flags << 56, 208, len(data), part, references, sha1(data))


_META = layout.RESOURCE_METADATA


def test_entries_are_found_by_hash_and_by_position() -> None:
    table = BlobTable(_entry(b"one", references=3) + _entry(b"three"))
    assert len(table) == 2
    assert [blob.position for blob in table] == [0, 1]
    found = table.get(sha1(b"three"))
    assert found == table[1]
    assert found.resource.size == 5
    assert table[0].references == 3
    assert table.find(sha1(b"two")) is None
    with pytest.raises(NoSuchImage, match=sha1(b"two").hex()):
        table.get(sha1(b"two"))


def test_metadata_is_kept_apart_in_image_order() -> None:
    table = BlobTable(_entry(b"b", _META) + _entry(b"content") + _entry(b"a", _META))
    assert [blob.sha1 for blob in table.metadata()] == [sha1(b"b"), sha1(b"a")]
    assert set(table.index) == {sha1(b"content")}
    assert all(blob.is_metadata for blob in table.metadata())


def test_the_first_of_two_equal_hashes_counts() -> None:
    table = BlobTable(_entry(b"same", references=1) + _entry(b"same", references=2))
    assert table.get(sha1(b"same")).position == 0
    assert table.sizes() == {sha1(b"same"): 4}


def test_solid_tables_are_told_apart() -> None:
    assert not BlobTable(_entry(b"a")).solid
    assert BlobTable(_entry(b"a") + _entry(b"b", layout.RESOURCE_SOLID)).solid


def test_parts_of_split_files_are_refused() -> None:
    table = BlobTable(_entry(b"a") + _entry(b"b", part=2))
    assert table[0].sha1 == sha1(b"a")
    with pytest.raises(UnsupportedImage, match="part 2"):
        list(table)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    if len(data) % layout.BLOB_SIZE:
        with pytest.raises(MalformedImage):
            BlobTable(data)
        return
    table = BlobTable(data)
    assert len(table.sizes()) <= len(table)
    assert len(table) * layout.BLOB_SIZE == len(data)
