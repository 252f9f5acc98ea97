"""The ground floor's files: what an error about one of them says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wimdock.cli.main import run
from wimdock.errors import MalformedImage, MalformedPackage, NotAnImage, StorageError, WimdockError
from wimdock.files import naming, read_at


@pytest.mark.parametrize(
    "error, told",
    [
        (MalformedImage("the header ends early"), "a/golden.wim: the header ends early"),
        (MalformedImage("/b/golden.wim has no end"), "/b/golden.wim has no end"),
        (MalformedPackage("the cabinet ends early"), "the cabinet ends early"),
    ],
)
def test_an_error_about_an_image_names_its_file(error: WimdockError, told: str) -> None:
    with pytest.raises(WimdockError) as caught, naming(Path("a/golden.wim")):
        raise error
    assert caught.value is error
    assert caught.value.message == told


def test_a_read_that_fails_names_the_file(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(StorageError, match=f"^{tmp_path}: Is a directory"):
            read_at(fd, 1, 0)
    finally:
        os.close(fd)


@pytest.mark.parametrize("command", ["inspect", "verify", "generations", "rollback"])
def test_every_command_names_the_file_that_is_no_image(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "text.wim"
    path.write_text("words")
    assert run([command, str(path)]) == NotAnImage.exit_code
    told = capsys.readouterr().err.splitlines()[0]
    assert told == (
        f"wimdock: {path}: this is no WIM file: it does not begin with MSWIM (0x8007000B)"
    )


@pytest.mark.parametrize("command", ["inspect", "verify", "generations", "rollback"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_every_command_refuses_what_is_no_plain_file(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("/dev/zero") if kind == "device" else tmp_path / "odd.wim"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    assert run([command, str(path)]) == StorageError.exit_code
    assert capsys.readouterr().err.startswith(f"wimdock: {path} is ")
