"""Compressed manifests: the dictionary of the image, a file, or a refusal before all else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.servicing.surroundings import (
    QuickDisk,
    edit_image,
    everything_in,
    packages_in,
    put_in,
)
from wimdock.cli.main import run
from wimdock.errors import MissingDictionary, PackageError, StorageError, UsageError, WimdockError
from wimdock.image.change_set import Delete
from wimdock.image.windows import WINSXS, WindowsImage
from wimdock.servicing.service import ServiceOptions, read_dictionary
from wimdock.wim import Archive

VARIABLE = "WIMDOCK_MANIFEST_DICTIONARY"


@pytest.fixture
def cabinet(shared_data: Path) -> Path:
    """Give a package whose manifests are compressed."""
    return shared_data / "packages" / "OpenSSH-Client-19041.cab"


@pytest.fixture
def dictionary(shared_data: Path) -> Path:
    """Give the file with the dictionary."""
    return shared_data / "packages" / "manifest-dictionary.bin"


@pytest.fixture
def stripped(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an image without a servicing stack."""
    monkeypatch.delenv(VARIABLE, raising=False)
    image = lab.copy("multi-check", tmp_path)
    remove_stack(image)
    return image


def remove_stack(image: Path, index: int = 1) -> None:
    """Take the servicing stacks out of an image."""
    with Archive.open(image) as archive:
        windows = WindowsImage(archive, index)
        store = windows.lookup(WINSXS)
        assert store is not None
        stacks = [e.name for e in windows.files.children(store) if "servicingstack" in e.name]
        if windows.lookup(WINSXS.parent / "System32" / "wcp.dll") is not None:
            stacks.append("..")
    assert stacks
    assert ".." not in stacks
    edit_image(image, *(Delete(WINSXS / name) for name in stacks), index=index)
    with Archive.open(image) as archive:
        assert WindowsImage(archive, index).manifest_dictionary() is None


@pytest.mark.parametrize("options", [ServiceOptions((1,)), ServiceOptions((1,), dry_run=True)])
def test_without_one_it_is_refused_before_anything(
    stripped: Path, cabinet: Path, options: ServiceOptions
) -> None:
    before = everything_in(stripped.parent)
    with pytest.raises(MissingDictionary) as caught:
        put_in(stripped, [cabinet], options)
    assert "--manifest-dictionary" in caught.value.hint
    assert VARIABLE in caught.value.hint
    assert everything_in(stripped.parent) == before


def test_another_image_of_the_file_may_have_it(stripped: Path, cabinet: Path) -> None:
    report = put_in(stripped, [cabinet], ServiceOptions())
    assert report.commit is not None
    assert len(packages_in(stripped, 1)) == len(packages_in(stripped, 2))
    verify(stripped)


def test_the_option(
    stripped: Path, cabinet: Path, dictionary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["service", str(stripped), "--update", str(cabinet), "--json", "--dry-run"]
    assert run(words) == MissingDictionary.exit_code
    capsys.readouterr()
    assert run([*words, "--manifest-dictionary", str(dictionary)]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["result"] == "planned"


def test_the_setting(
    stripped: Path,
    cabinet: Path,
    dictionary: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("wimdock.servicing.options.Disk", QuickDisk)
    monkeypatch.setenv(VARIABLE, str(dictionary))
    assert run(["service", str(stripped), "--update", str(cabinet), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"][0]["result"] == "installed"
    verify(stripped)


def test_the_option_comes_before_the_setting(
    dictionary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    assert read_dictionary(dictionary) == dictionary.read_bytes()
    with pytest.raises(StorageError):
        read_dictionary(None)
    monkeypatch.setenv(VARIABLE, "")
    assert read_dictionary(None) is None


@pytest.mark.parametrize("size", [0, (16 << 20) + 1])
def test_a_file_that_can_be_none_is_refused(size: int, tmp_path: Path) -> None:
    """Nothing is cut off: half a dictionary would decode to something else."""
    path = tmp_path / "dictionary"
    with path.open("wb") as file:
        file.truncate(size)
    with pytest.raises(UsageError, match="is no manifest dictionary"):
        read_dictionary(path)
    with pytest.raises(StorageError, match="is no plain file"):
        read_dictionary(tmp_path)


@pytest.mark.parametrize("damage", ["empty", "other", "half", "one byte"])
def test_a_wrong_one_is_refused_before_anything(
    stripped: Path, cabinet: Path, dictionary: Path, damage: str
) -> None:
    right = dictionary.read_bytes()
    wrong = {
        "empty": b"",
        "other": bytes(range(256)) * 40,
        "half": right[: len(right) // 2],
        "one byte": b"\0" + right[1:],
    }[damage]
    before = everything_in(stripped.parent)
    with pytest.raises(WimdockError) as caught:
        put_in(stripped, [cabinet], ServiceOptions((1,), dictionary=wrong))
    assert caught.value.message.startswith(cabinet.name)
    assert caught.value.hint.startswith("Check the manifest dictionary that was given.")
    assert caught.value.exit_code in {30, 32, *range(PackageError.exit_code, 46)}
    assert everything_in(stripped.parent) == before
