"""The tree of an image: walked, looked up, and refused where it cannot be one."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.tool import run
from tests.wim.captured import FILES, LINKS, SYMLINKS
from tests.wim.crafted import DIRECTORY, JUNCTION, REPARSE, Node, folder, metadata
from wimdock.errors import MalformedImage
from wimdock.paths import ImagePath
from wimdock.wim import Archive
from wimdock.wim.dentry import Stream, write_entry
from wimdock.wim.metadata import DEEPEST, Metadata

SAMPLE = folder(
    "",
    Node("b.txt", b"b"),
    folder(
        "Folder",
        Node("a.txt", b"a", streams=(Stream("named", b"\x07" * 20),)),
        Node("A.TXT", b"A"),
        folder("empty"),
        folder("deep", Node("deeper", b"x", short_name="DEEPER~1")),
    ),
    Node("link", attributes=DIRECTORY | REPARSE, link=JUNCTION.to_bytes(8, "little")),
)
PATHS = [
    "\\",
    r"\b.txt",
    r"\Folder",
    r"\link",
    r"\Folder\a.txt",
    r"\Folder\A.TXT",
    r"\Folder\empty",
    r"\Folder\deep",
    r"\Folder\deep\deeper",
]
HOSTILE = ["..", ".", "", "a/b", "a\\b", "\\", "/etc", "a\0b", "..\\..\\x"]


def _walk(data: bytes) -> list[str]:
    return [str(path) for path, _ in Metadata(data).walk()]


def test_a_walk_gives_everything_once_folders_first() -> None:
    assert _walk(metadata(SAMPLE)) == PATHS


def test_a_walk_gives_what_wimlib_lists(captured: Callable[[str], Path]) -> None:
    path = captured("lzx")
    listed = run("wimlib-imagex", "dir", path, "1").decode().splitlines()
    with Archive.open(path) as archive:
        image = archive.image(1)
        walked = {str(place).replace("\\", "/"): entry for place, entry in image.walk()}
        assert sorted(walked) == sorted(listed)
        for name in FILES:
            assert not walked[f"/{name}"].is_directory
        for link, target in LINKS.items():
            group = walked[f"/{link}"].hard_link_group
            assert group == walked[f"/{target}"].hard_link_group != 0
        points = {str(place).replace("\\", "/") for place, _ in image.reparse_points()}
        assert points == {f"/{name}" for name in SYMLINKS}
        for place, entry in image.reparse_points():
            assert image.lookup(place) == entry
            assert image.reparse_data(entry)


def test_names_are_found_without_regard_to_case_an_exact_one_first() -> None:
    tree = Metadata(metadata(SAMPLE))
    for name in PATHS:
        entry = tree.lookup(ImagePath(name))
        assert entry is not None
        assert entry.name == ImagePath(name).name
    other = tree.lookup(ImagePath(r"\FOLDER\Deep\DEEPER"))
    assert other is not None
    assert (other.name, other.short_name) == ("deeper", "DEEPER~1")
    first = tree.lookup(ImagePath(r"\folder\a.TxT"))
    assert first is not None
    assert first.name == "a.txt"
    assert tree.lookup(ImagePath(r"\folder\none")) is None
    assert tree.lookup(ImagePath(r"\b.txt\below a file")) is None


def test_reparse_points_are_found_with_their_paths() -> None:
    found = list(Metadata(metadata(SAMPLE)).reparse_points())
    assert [(str(path), entry.reparse_tag) for path, entry in found] == [(r"\link", JUNCTION)]


def test_the_path_of_a_folder_is_known_on_a_walk() -> None:
    tree = Metadata(metadata(SAMPLE))
    paths = [str(tree.path_of(outline.folder)) for outline in tree.folder_lists()]
    assert paths == ["\\", r"\Folder", r"\Folder\empty", r"\Folder\deep"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leaves_its_folder(name: str) -> None:
    for tree in (
        folder("", Node(name, b"x")),
        folder("", folder(name, Node("x"))),
        folder("", Node(name, attributes=REPARSE, link=JUNCTION.to_bytes(8, "little"))),
    ):
        data = metadata(tree)
        with pytest.raises(MalformedImage, match="is no name"):
            _walk(data)
        with pytest.raises(MalformedImage, match="is no name"):
            Metadata(data).children(Metadata(data).root)
    point = Node("point", attributes=REPARSE, link=JUNCTION.to_bytes(8, "little"))
    below = metadata(folder("", folder(name, point)))
    with pytest.raises(MalformedImage, match="is no name"):
        list(Metadata(below).reparse_points())


def test_the_same_name_twice_is_refused() -> None:
    with pytest.raises(MalformedImage, match="twice"):
        _walk(metadata(folder("", Node("a"), Node("a"))))


def test_a_folder_that_contains_itself_is_refused() -> None:
    root = folder("", folder("loop"))
    offset = len(metadata(folder(""))) - 8
    root.children[0].subdirectory = offset  # type: ignore[index]
    data = metadata(root)
    assert int.from_bytes(data[24:32], "little") == offset
    with pytest.raises(MalformedImage, match="contains itself"):
        _walk(data)
    with pytest.raises(MalformedImage, match="contains itself"):
        list(Metadata(data).reparse_points())


def test_the_shared_cyclic_image_is_refused(shared_data: Path) -> None:
    with Archive.open(shared_data / "wims" / "cyclic.wim") as archive:
        image = archive.image(1)
        with pytest.raises(MalformedImage, match="contains itself"):
            list(image.walk())
        with pytest.raises(MalformedImage, match="contains itself"):
            list(image.reparse_points())


def test_the_shared_valid_images_are_walked(shared_data: Path) -> None:
    with Archive.open(shared_data / "wims" / "longpaths.wim") as archive:
        longest = max(len(str(path)) for path, _ in archive.image(1).walk())
        assert longest > 260
    with Archive.open(shared_data / "wims" / "empty_dacl.wim") as archive:
        image = archive.image(1)
        assert any(image.security(entry) for _, entry in image.walk())


def _chain(depth: int) -> bytes:
    """Give metadata with a folder in a folder in a folder, two in each: a comb."""
    size = len(write_entry(folder("d").entry(0)))
    start = len(metadata(folder(""))) - 8
    found = bytearray(metadata(folder(""))[:-8])
    for level in range(depth):
        following = start + (level + 1) * (2 * size + 8)
        for name in ("a", "d"):
            node = folder(name)
            node.subdirectory = following if name == "d" and level + 1 < depth else 0
            found += write_entry(node.entry(0))
        found += bytes(8)
    return bytes(found)


def test_a_tree_is_at_most_so_deep() -> None:
    assert len(_walk(_chain(200))) == 401
    list(Metadata(_chain(DEEPEST)).folder_lists())
    with pytest.raises(MalformedImage, match="deeper than"):
        list(Metadata(_chain(DEEPEST + 2)).folder_lists())


def test_the_deepest_tree_is_walked_in_bounded_time_and_memory() -> None:
    data = _chain(DEEPEST)
    began = time.perf_counter()
    tracemalloc.start()
    try:
        count = sum(1 for _ in Metadata(data).walk())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 2 * DEEPEST + 1
    assert peak < 100 << 20
    assert time.perf_counter() - began < 20


def test_lists_that_overlap_are_refused_in_time() -> None:
    """Each folder's list is the rest of the root's: the walk would take exponential time."""
    nodes = [folder(f"{number:02}") for number in range(40)]
    size = len(write_entry(nodes[0].entry(0)))
    start = len(metadata(folder(""))) - 8
    for number, node in enumerate(nodes):
        node.subdirectory = start + (number + 1) * size
    found = metadata(folder(""))[:-8]
    found += b"".join(write_entry(node.entry(0)) for node in nodes) + bytes(8)
    with pytest.raises(MalformedImage):
        _walk(found)
    with pytest.raises(MalformedImage):
        list(Metadata(found).folder_lists())


def test_a_root_that_is_no_folder_is_refused() -> None:
    for root in (Node("", b"file"), None):
        body = write_entry(root.entry(0)) if root else b""
        with pytest.raises(MalformedImage, match="no root folder"):
            Metadata(bytes(8) + body + bytes(8))


def test_a_list_without_an_end_is_refused() -> None:
    data = metadata(folder("", Node("a", b"a")))
    with pytest.raises(MalformedImage, match="does not end"):
        _walk(data[:-8])


def test_descriptors_and_unknown_parts_of_entries_are_kept() -> None:
    item = b"\x38\x69\x2d\x0d" + b"\x08\0\0\0" + b"12345678"
    node = Node("a", b"a", security_id=1, extra=item, short_name="A~1")
    tree = Metadata(metadata(folder("", node), [b"first", b"second"]))
    assert tree.descriptors == (b"first", b"second")
    (entry,) = tree.children(tree.root)
    assert entry.extra == item
    assert tree.descriptors[entry.security_id] == b"second"


_CHANGES = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=6)
_SAMPLE_BYTES = metadata(SAMPLE, [b"descriptor" * 4])


def _read_all(data: bytes) -> None:
    with suppress(MalformedImage):
        tree = Metadata(data)
        for path, entry in tree.walk():
            assert tree.lookup(path) is not None
            tree.children(entry)
    with suppress(MalformedImage):
        for path, _ in Metadata(data).reparse_points():
            assert ".." not in path.parts


@given(_CHANGES, st.integers(0, 2000))
@settings(max_examples=400)
def test_changed_or_cut_bytes_are_refused_or_walked(
    changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(_SAMPLE_BYTES)
    for offset, value in changes:
        data[offset % len(data)] = value
    _read_all(bytes(data))
    _read_all(bytes(data[: cut % len(data)]))


@given(st.binary(max_size=600))
def test_any_bytes_are_metadata_or_refused(data: bytes) -> None:
    _read_all(data)
