"""Headers: read, written, refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import skip_or_fail
from tests.lab.tool import missing, run
from tests.wim.captured import FORMS
from tests.wim.crafted import change_header, plain
from wimdock.errors import ImageError, MalformedImage, NotAnImage, UnsupportedImage
from wimdock.wim import Archive, layout
from wimdock.wim.header import Header, ResourceHeader

_RESOURCES = st.builds(
    ResourceHeader,
    st.integers(0, (1 << 56) - 1),
    st.integers(0, 255),
    st.integers(0, (1 << 64) - 1),
    st.integers(0, (1 << 64) - 1),
)
_SAMPLE = Header.parse(plain().pack())


@given(_RESOURCES)
def test_resource_headers_survive(resource: ResourceHeader) -> None:
    assert ResourceHeader.parse(resource.pack()) == resource


@given(_RESOURCES, _RESOURCES, st.integers(0, (1 << 32) - 1), st.binary(min_size=60, max_size=60))
def test_headers_survive(
    one: ResourceHeader, other: ResourceHeader, number: int, reserved: bytes
) -> None:
    header = replace(
        _SAMPLE,
        boot_index=number,
        image_count=number,
        reserved=reserved,
        blob_table=one,
        xml=other,
        integrity=one,
        boot_metadata=other,
    )
    assert Header.parse(header.pack()) == header


@pytest.mark.parametrize("form", FORMS)
def test_headers_of_wimlib_are_written_back_as_they_are(
    form: str, captured: Callable[[str], Path]
) -> None:
    data = captured(form).read_bytes()[: layout.HEADER_SIZE]
    header = Header.parse(data)
    assert header.pack() == data
    assert header.compression == form.partition("-")[0].replace("check", "xpress")


def test_all_shared_files_have_a_header(shared_data: Path) -> None:
    files = sorted((shared_data / "wims").glob("*.wim"))
    assert len(files) == 4
    for file in files:
        data = file.read_bytes()[: layout.HEADER_SIZE]
        assert Header.parse(data).pack() == data


@given(st.lists(st.tuples(st.integers(0, 207), st.integers(0, 255)), max_size=12))
@settings(max_examples=300)
def test_changed_bytes_are_refused_or_kept(changes: list[tuple[int, int]]) -> None:
    data = bytearray(_SAMPLE.pack())
    for offset, value in changes:
        data[offset] = value
    with suppress(ImageError):
        assert Header.parse(bytes(data)).pack() == bytes(data)


@given(st.integers(0, 207))
def test_a_file_that_ends_in_its_header_is_refused(length: int) -> None:
    with pytest.raises((NotAnImage, MalformedImage)):
        Header.parse(_SAMPLE.pack()[:length])


@pytest.mark.parametrize("compression", ["XPRESS", "LZX", "LZMS"])
def test_chunk_sizes_that_no_codec_has_are_refused(compression: str) -> None:
    flag = layout.FLAG_COMPRESSION | getattr(layout, f"FLAG_{compression}")
    most = layout.LARGEST_CHUNKS[compression.lower()]
    for size in (1 << 12, most):
        assert Header.parse(replace(_SAMPLE, flags=flag, chunk_size=size).pack()).chunk_size == size
    for size in (0, 1, 1 << 11, 5000, most * 2):
        with pytest.raises(MalformedImage, match="chunk size"):
            Header.parse(replace(_SAMPLE, flags=flag, chunk_size=size).pack())


def test_unknown_kinds_are_refused() -> None:
    both = layout.FLAG_COMPRESSION | layout.FLAG_XPRESS | layout.FLAG_LZX
    with pytest.raises(UnsupportedImage, match="compression flags"):
        Header.parse(replace(_SAMPLE, flags=both, chunk_size=1 << 15).pack())
    with pytest.raises(NotAnImage, match="version"):
        Header.parse(replace(_SAMPLE, version=0x10C00).pack())
    with pytest.raises(MalformedImage, match="200 bytes long"):
        Header.parse(_SAMPLE.pack()[:8] + b"\xc8\0\0\0" + _SAMPLE.pack()[12:])
    with pytest.raises(NotAnImage, match="MSWIM"):
        Header.parse(b"MZ" + bytes(300))


def test_solid_split_and_pipable_files_are_refused_by_name(tree: Path, tmp_path: Path) -> None:
    if missing(("wimlib-imagex",)):
        skip_or_fail("wimlib-imagex is not installed")
    solid, pipable = tmp_path / "solid.esd", tmp_path / "pipable.wim"
    run("wimlib-imagex", "capture", tree, solid, "--solid", "--threads=1")
    run("wimlib-imagex", "capture", tree, pipable, "--pipable", "--threads=1")
    whole, part = tmp_path / "whole.wim", tmp_path / "part.swm"
    run("wimlib-imagex", "capture", tree, whole, "--compress=none", "--threads=1")
    run("wimlib-imagex", "split", whole, part, "0.05")
    for path, words in (
        (solid, r"solid WIM file \(\.esd\)"),
        (pipable, "pipable"),
        (part, r"part 1 of \d+ of a split WIM file \(\.swm\)"),
        (tmp_path / "part2.swm", r"part 2 of \d+ of a split WIM file \(\.swm\)"),
    ):
        with pytest.raises(UnsupportedImage, match=words) as caught:
            Archive.open(path)
        assert "wimlib-imagex" in caught.value.hint


def test_a_file_with_the_version_of_solid_ones_and_no_solid_resource_is_read(
    captured: Callable[[str], Path],
) -> None:
    with Archive.open(captured("lzms")) as archive:
        assert archive.header.version == layout.VERSION_SOLID
        assert archive.images[0].name == "first"


def test_the_next_header_keeps_what_is_not_replaced(tmp_path: Path) -> None:
    path = change_header(plain().write(tmp_path / "one.wim"), reserved=b"\x5a" * 60, boot_index=1)
    with Archive.open(path) as archive:
        header = archive.header
    here = ResourceHeader(1, 2, 3, 4)
    following = header.with_(blob_table=here, xml=here, boot_metadata=here, integrity=here)
    assert following.reserved == b"\x5a" * 60
    assert following.guid == header.guid
    assert following.boot_index == 1
    assert following.blob_table == here
