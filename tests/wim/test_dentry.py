"""Directory entries: written and read, and which of their streams is which."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wim.crafted import DIRECTORY, REPARSE, Node
from wimdock.errors import MalformedImage
from wimdock.wim import layout
from wimdock.wim.dentry import Entry, Stream, arrange_streams, read_entry, write_entry

A, B, C, ZERO = b"\x0a" * 20, b"\x0b" * 20, b"\x0c" * 20, layout.ZERO_HASH
ENCRYPTED = layout.ATTRIBUTE_ENCRYPTED

# Any UTF-16 code units: lone surrogates occur in real images.
_NAMES = st.text(st.characters(min_codepoint=1, max_codepoint=0xFFFF), max_size=40)
_HASHES = st.sampled_from([A, B, C, ZERO])
_U64 = st.integers(0, (1 << 64) - 1)
_ENTRIES = st.builds(
    Entry,
    name=_NAMES,
    short_name=_NAMES,
    attributes=st.integers(0, (1 << 32) - 1),
    security_id=st.integers(-(1 << 31), (1 << 31) - 1),
    children=_U64,
    unused=st.binary(min_size=16, max_size=16),
    created=_U64,
    accessed=_U64,
    written=_U64,
    hash=_HASHES,
    unknown=st.binary(min_size=4, max_size=4),
    link=st.binary(min_size=8, max_size=8),
    streams=st.lists(st.builds(Stream, _NAMES, _HASHES), max_size=4).map(tuple),
    extra=st.integers(0, 4).flatmap(lambda n: st.binary(min_size=n * 8, max_size=n * 8)),
    position=st.just(0),
    end=st.just(0),
)


@given(_ENTRIES, st.integers(0, 3))
def test_entries_survive(entry: Entry, before: int) -> None:
    written = write_entry(entry)
    assert len(written) % 8 == 0
    position = before * 8
    found = read_entry(bytes(position) + written + bytes(8), position)
    assert found is not None
    assert found._replace(position=0, end=0) == entry
    assert found.end == position + len(written)


@given(_ENTRIES, st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=5))
def test_changed_bytes_are_refused_or_read(entry: Entry, changes: list[tuple[int, int]]) -> None:
    data = bytearray(write_entry(entry) + bytes(8))
    for offset, value in changes:
        data[offset % len(data)] = value
    with suppress(MalformedImage):
        found = read_entry(data, 0)
        assert found is None or found.end <= len(data)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_are_an_entry_or_refused(data: bytes, position: int) -> None:
    with suppress(MalformedImage):
        read_entry(data, position)


@pytest.mark.parametrize("length", [0, 1, 8])
def test_a_short_length_ends_a_list(length: int) -> None:
    assert read_entry(length.to_bytes(8, "little") + bytes(200), 0) is None


def test_huge_lengths_and_counts_are_refused() -> None:
    good = write_entry(Node("name", b"x").entry(0))
    for offset, width in ((0, 8), (96, 2), (98, 2), (100, 2)):
        bad = bytearray(good)
        bad[offset : offset + width] = b"\xff" * width
        with pytest.raises(MalformedImage, match="directory entry at"):
            read_entry(bad, 0)


def _entry(attributes: int, main: bytes, *streams: Stream) -> Entry:
    return Node("x", attributes=attributes, sha1=main, streams=streams).entry(0)


# As DISM writes them, and as other programs do: data and reparse data are told apart all the same.
@pytest.mark.parametrize(
    "entry, data, reparse",
    [
        (_entry(0x20, A), A, None),
        (_entry(0x20, ZERO), None, None),
        (_entry(0x20, ZERO, Stream("", A), Stream("n", B)), A, None),
        (_entry(0x20, A, Stream("n", B)), A, None),
        (_entry(0x20, ZERO, Stream("n", B)), None, None),
        (_entry(DIRECTORY, ZERO, Stream("n", B)), None, None),
        (_entry(REPARSE, A), None, A),
        (_entry(REPARSE, ZERO, Stream("", A), Stream("", B)), B, A),
        (_entry(REPARSE, ZERO, Stream("", A), Stream("", ZERO)), None, A),
        (_entry(REPARSE, A, Stream("", B)), B, A),
        (_entry(DIRECTORY | REPARSE, A), None, A),
        (_entry(DIRECTORY | REPARSE, ZERO, Stream("", A), Stream("", ZERO)), None, A),
        (_entry(DIRECTORY | REPARSE, ZERO, Stream("", A), Stream("n", B)), None, A),
        (_entry(ENCRYPTED, A), A, None),
        (_entry(ENCRYPTED | REPARSE, A), A, None),
    ],
)
def test_streams_are_told_apart(entry: Entry, data: bytes | None, reparse: bytes | None) -> None:
    assert entry.data_sha1 == data
    assert entry.reparse_sha1 == reparse


def test_links_and_tags_share_their_place() -> None:
    group = Node("x", link=(77).to_bytes(8, "little")).entry(0)
    assert (group.hard_link_group, group.reparse_tag) == (77, 0)
    tag = Node("x", attributes=REPARSE, link=b"\x0c\0\0\xa0\1\0\2\0").entry(0)
    assert (tag.hard_link_group, tag.reparse_tag) == (0, 0xA000000C)


def test_every_hash_counts_as_a_reference() -> None:
    entry = _entry(0x20, ZERO, Stream("", A), Stream("n", B), Stream("empty", ZERO))
    assert entry.hashes == [A, B]
    assert entry.named_streams == (Stream("n", B), Stream("empty", ZERO))


# decisions/0003: what DISM 10.0.20348.681 was seen to write.
@pytest.mark.parametrize(
    "attributes, data, reparse, named, main, streams",
    [
        (0x20, A, None, (), A, ()),
        (0x20, None, None, (), ZERO, ()),
        (0x20, A, None, (Stream("n", B),), ZERO, (Stream("", A), Stream("n", B))),
        (0x20, None, None, (Stream("n", B),), ZERO, (Stream("", ZERO), Stream("n", B))),
        (DIRECTORY, None, None, (), ZERO, ()),
        (DIRECTORY, None, None, (Stream("n", B),), ZERO, (Stream("n", B),)),
        (REPARSE, None, A, (), ZERO, (Stream("", A), Stream("", ZERO))),
        (REPARSE, C, A, (), ZERO, (Stream("", A), Stream("", C))),
        (DIRECTORY | REPARSE, None, A, (), A, ()),
        (
            DIRECTORY | REPARSE,
            None,
            A,
            (Stream("n", B),),
            ZERO,
            (Stream("", A), Stream("n", B)),
        ),
    ],
)
def test_streams_are_arranged_as_dism_does(
    attributes: int,
    data: bytes | None,
    reparse: bytes | None,
    named: tuple[Stream, ...],
    main: bytes,
    streams: tuple[Stream, ...],
) -> None:
    arranged = arrange_streams(attributes=attributes, data=data, reparse=reparse, named=named)
    assert arranged == (main, streams)
    entry = _entry(attributes, arranged[0], *arranged[1])
    assert entry.data_sha1 == data
    assert entry.reparse_sha1 == reparse
    assert entry.named_streams == named
