"""The layout agrees with the sizes and offsets of the specification."""

from __future__ import annotations

import pytest

from wimdock.wim import layout


def test_structures_have_the_sizes_of_the_specification() -> None:
    assert layout.HEADER.size == 208
    assert layout.RESOURCE.size == 24
    assert layout.BLOB.size == 50
    assert layout.DENTRY.size == 102
    assert layout.STREAM.size == 38
    assert layout.INTEGRITY.size == 12


def test_short_forms_read_the_fields_of_the_whole_ones() -> None:
    data = bytes(range(layout.DENTRY_SIZE))
    whole = layout.DENTRY.unpack(data)
    link = int.from_bytes(whole[-4], "little")
    assert layout.DENTRY_OUTLINE.unpack(data) == (*whole[:2], whole[3], link, whole[-3])
    assert (
        layout.DENTRY_SUBDIRECTORY.unpack_from(data, layout.DENTRY_SUBDIRECTORY_AT)[0] == whole[3]
    )
    assert data[layout.DENTRY_HASH_AT :][: layout.HASH_SIZE] == whole[8]
    assert data[layout.DENTRY_LINK_AT :][:8] == whole[10]
    blob = bytes(range(layout.BLOB_SIZE))
    references = layout.BLOB_REFERENCES.unpack_from(blob, layout.BLOB_REFERENCES_AT)[0]
    assert references == layout.BLOB.unpack(blob)[4]


@pytest.mark.parametrize("length, expected", [(0, 0), (1, 8), (8, 8), (9, 16), (102, 104)])
def test_lengths_are_rounded_up_to_8(length: int, expected: int) -> None:
    assert layout.aligned(length) == expected
