"""Folders of an image as they are listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.sample import make_image
from tests.lab.lab import Lab
from wimdock.errors import MalformedImage, NoSuchImage
from wimdock.image.change_set import PutDirectory, PutFile, PutReparsePoint, PutStream
from wimdock.image.listing import Listed, ListedStream, attribute_letters, listing
from wimdock.paths import ImagePath
from wimdock.reparse.encode import encode, symbolic_link
from wimdock.wim import Archive


def listed(path: Path, folder: str, depth: int | None = 1) -> list[Listed]:
    """List a folder of the first image of a file."""
    with Archive.open(path) as archive:
        return list(listing(archive.image(1), ImagePath(folder), depth))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    tag, data = encode(symbolic_link("one.txt"))
    return make_image(
        tmp_path / "sample.wim",
        PutFile(ImagePath(r"\A\one.txt"), b"12345", (ImagePath(r"\A\B\two.txt"),)),
        PutStream(ImagePath(r"\A\one.txt"), "more", b"stream"),
        PutFile(ImagePath(r"\A\empty"), b"", attributes=0x27),
        PutDirectory(ImagePath(r"\A\B\C\D")),
        PutReparsePoint(ImagePath(r"\A\link"), tag, data),
    )


def test_a_folder(image: Path) -> None:
    found = {entry.path.name: entry for entry in listed(image, r"\a")}
    assert set(found) == {"B", "empty", "link", "one.txt"}
    one = found["one.txt"]
    assert (one.size, one.links, one.letters) == (5, 2, "-----a------")
    assert one.streams == (ListedStream("more", 6),)
    assert str(one.path) == r"\A\one.txt"
    assert found["empty"].size == 0
    assert found["empty"].letters == "--rhsa------"
    assert found["B"].size is None
    assert found["B"].is_directory
    assert found["link"].tag is not None
    assert found["link"].target == symbolic_link("one.txt")
    assert found["link"].letters[1] == "l"


def test_depth(image: Path) -> None:
    names = [(entry.path.name, entry.depth) for entry in listed(image, "\\", 2)]
    assert names == [("A", 0), ("B", 1), ("empty", 1), ("link", 1), ("one.txt", 1)]
    whole = {str(entry.path) for entry in listed(image, "\\", None)}
    assert r"\A\B\C\D" in whole
    assert len(whole) == 8


def test_a_single_file(image: Path) -> None:
    (found,) = listed(image, r"\a\B\TWO.TXT")
    assert str(found.path) == r"\A\B\two.txt"
    assert found.links == 2


def test_what_is_not_there(image: Path) -> None:
    with pytest.raises(NoSuchImage, match="does not exist in image 1"):
        listed(image, r"\a\nothing")
    with pytest.raises(NoSuchImage):
        listed(image, r"\a\one.txt\below")


def test_a_folder_that_holds_itself_is_refused(shared_data: Path) -> None:
    with pytest.raises(MalformedImage):
        listed(shared_data / "wims" / "cyclic.wim", "\\", None)


def test_letters_are_all_different() -> None:
    letters = attribute_letters()
    assert len(letters) == 12
    assert letters["l"] == 0x400


def test_the_whole_lab_is_what_stands_on_the_volume(lab: Lab) -> None:
    found = {entry.path: entry for entry in listed(lab.image("lzx"), "\\", None)}
    volume = {ImagePath(path): facts for path, facts in lab.snapshot().items()}
    assert set(volume) <= set(found)
    for path, facts in volume.items():
        entry = found[path]
        assert entry.short_name == facts.short_name
        assert entry.links == max(len(facts.names), 1)
        assert entry.attributes == facts.attributes
        if not entry.is_directory and facts.reparse is None:
            assert entry.size == facts.size
            assert {stream.name for stream in entry.streams} == {name for name, _ in facts.streams}
