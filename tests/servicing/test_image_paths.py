"""The ways in which an image file can be named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.servicing.surroundings import (
    OTHER_PACKAGE,
    PACKAGE,
    cabinet_of,
    everything_in,
    other_cabinet,
    packages_in,
    put_in,
    sha256,
)
from wimdock.errors import GenerationError, StorageError, WimdockError
from wimdock.servicing.service import ServiceOptions
from wimdock.wim.rollback import list_generations, rollback

ON_COPY = ServiceOptions(on_copy=True)


@pytest.mark.parametrize("on_copy", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "with spaces and 'quotes'.wim",
        "Größe 画像 🪟.wim",
        "no extension",
        "-x.wim",
        "new\nline.wim",
        b"not \xff utf-8.wim".decode("utf-8", "surrogateescape"),
    ],
)
def test_strange_names(name: str, lab: Lab, tmp_path: Path, *, on_copy: bool) -> None:
    folder = tmp_path / "ä folder"
    folder.mkdir()
    image = lab.image("xpress")
    target = folder / name
    target.write_bytes(image.read_bytes())
    cabinet = cabinet_of("plain", tmp_path).rename(folder / f"update of {name}.cab")
    put_in(target, [cabinet], ServiceOptions(on_copy=on_copy))
    assert PACKAGE in packages_in(target)
    verify(target)
    rollback(target)
    assert PACKAGE not in packages_in(target)
    expected = {cabinet.name, name, f"{name}.generations"}
    assert set(everything_in(folder)) == expected | ({f"{name}.backup"} if on_copy else set())


def test_a_relative_path(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.copy("xpress", tmp_path)
    cabinet_of("plain", tmp_path)
    monkeypatch.chdir(tmp_path)
    report = put_in(Path("xpress.wim"), [Path("plain.cab")])
    assert report.image == tmp_path / "xpress.wim"
    assert report.results[0].update == Path("plain.cab")
    assert (tmp_path / "xpress.wim.generations").exists()


@pytest.mark.parametrize("on_copy", [False, True])
def test_a_symbolic_link_leads_to_the_file(lab: Lab, tmp_path: Path, *, on_copy: bool) -> None:
    places = tmp_path / "places"
    places.mkdir()
    image = lab.copy("xpress", tmp_path)
    (places / "link.wim").symlink_to(tmp_path / "second.wim")
    (tmp_path / "second.wim").symlink_to("xpress.wim")
    link = places / "link.wim"
    report = put_in(link, [cabinet_of("plain", tmp_path)], ServiceOptions(on_copy=on_copy))
    assert report.image == image
    assert link.is_symlink()
    assert not image.is_symlink()
    assert PACKAGE in packages_in(link)
    assert list(places.iterdir()) == [link]
    assert [g.number for g in list_generations(link)[0]] == [1, 2]
    rollback(link)
    assert PACKAGE not in packages_in(image)


def test_hard_links_in_place_show_the_new_state(lab: Lab, tmp_path: Path) -> None:
    """The record of generations belongs to the name; no name can be led astray by another."""
    image = lab.copy("xpress", tmp_path)
    twin = tmp_path / "twin.wim"
    os.link(image, twin)
    put_in(image, [cabinet_of("plain", tmp_path)])
    assert PACKAGE in packages_in(twin)
    put_in(twin, [other_cabinet(tmp_path)])
    assert {PACKAGE, OTHER_PACKAGE} <= packages_in(image).keys()
    assert image.samefile(twin)
    assert list_generations(image)[1] is None
    with pytest.raises(GenerationError):
        rollback(image)
    rollback(twin)
    verify(image)
    assert PACKAGE in packages_in(image)
    assert OTHER_PACKAGE not in packages_in(image)


def test_hard_links_stay_names_of_the_old_file_when_serviced_on_a_copy(
    lab: Lab, tmp_path: Path
) -> None:
    image = lab.copy("xpress", tmp_path)
    twin = tmp_path / "twin.wim"
    os.link(image, twin)
    old = sha256(image)
    put_in(image, [cabinet_of("plain", tmp_path)], ON_COPY)
    assert sha256(twin) == old
    assert PACKAGE in packages_in(image)


@pytest.mark.parametrize("on_copy", [False, True])
@pytest.mark.parametrize(
    "kind", ["nothing", "folder", "text", "empty", "loop", "dangling", "fifo", "below a file"]
)
def test_what_is_no_image(kind: str, tmp_path: Path, *, on_copy: bool) -> None:
    image = tmp_path / "image.wim"
    update = tmp_path / "update.cab"
    update.write_bytes(b"")
    match kind:
        case "folder":
            image.mkdir()
        case "text":
            image.write_text("This is no image.\n" * 100)
        case "empty":
            image.write_bytes(b"")
        case "loop":
            image.symlink_to(image)
        case "dangling":
            image.symlink_to(tmp_path / "gone")
        case "fifo":
            os.mkfifo(image)
        case "below a file":
            image = update / "image.wim"
    before = set(tmp_path.iterdir())
    for dry_run in (False, True):
        with pytest.raises(WimdockError) as caught:
            put_in(image, [update], ServiceOptions(dry_run=dry_run, on_copy=on_copy))
        assert isinstance(caught.value, StorageError) == (kind not in {"text", "empty"})
        assert set(tmp_path.iterdir()) == before
