"""`wimdock rollback`: back, forward again, and every reason not to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.demo_files import DEMO_PACKAGE, copy_demo
from tests.servicing.surroundings import QuickDisk, everything_in, packages_in, put_in
from wimdock.cli.main import run
from wimdock.errors import GenerationError, ImageBusy, UnsupportedImage, UsageError
from wimdock.events import Reporter
from wimdock.servicing.service import ServiceOptions
from wimdock.wim import Archive
from wimdock.wim.transaction import Transaction
from wimdock.wim.verification import verify

UNSIGNED = ServiceOptions(allow_unsigned=True)


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the demo's image, serviced: in its third generation."""
    monkeypatch.setattr("wimdock.wim.rollback.Disk", QuickDisk)
    copy_demo(tmp_path)
    image = tmp_path / "demo.wim"
    put_in(image, [tmp_path / "demo-update.cab"], UNSIGNED)
    return image


def done(capsys: pytest.CaptureFixture[str], image: Path, *words: str) -> str:
    """Run the command, which must end well; give what it printed."""
    status = run(["rollback", str(image), *words])
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    return printed.out


def refused(capsys: pytest.CaptureFixture[str], image: Path, *words: str) -> dict[str, Any]:
    """Run the command, which must be refused and change nothing; give the error."""
    before = everything_in(image.parent)
    status = run(["rollback", str(image), "--json", *words])
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert status == error["exit_code"]
    assert everything_in(image.parent) == before
    found: dict[str, Any] = error
    return found


def test_back_and_forward(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    states = {3: image.read_bytes()}
    out = done(capsys, image)
    assert out == (
        "demo.wim is in generation 2 again (demo: an image of our own); "
        "until the next write, --to 3 undoes this.\n"
    )
    assert DEMO_PACKAGE not in packages_in(image)
    assert image.read_bytes()[208:] == states[3][208:], "nothing is cut off"
    found = json.loads(done(capsys, image, "--json", "--to", "3"))
    assert found == {
        "wimdock": {"document": "rollback", "version": 1},
        "image": str(image),
        "from": 2,
        "to": 3,
    }
    assert image.read_bytes() == states[3]
    assert DEMO_PACKAGE in packages_in(image)
    done(capsys, image, "--to", "1")
    assert packages_in_an_empty_image(image) == 0


def packages_in_an_empty_image(image: Path) -> int:
    """Count the packages of an image without a registry."""
    return len(packages_in(image))


def test_there_is_nothing_before_the_first(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done(capsys, image, "--to", "1")
    error = refused(capsys, image)
    assert error["type"] == GenerationError.__name__
    assert "is the oldest one" in error["message"]


@pytest.mark.parametrize(
    "words, message", [(("--to", "3"), "already"), (("--to", "4"), "no generation 4")]
)
def test_a_generation_that_cannot_be_gone_to(
    words: tuple[str, ...], message: str, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, image, *words)
    assert message in error["message"]
    assert error["hresult"] == "0x80070490"


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "1.0"])
def test_what_is_no_generation(
    number: str, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, image, f"--to={number}")
    assert error["type"] == UsageError.__name__
    assert error["message"] == f"Invalid value for '--to': {number!r} is no number from 1 on"


def test_a_number_beyond_all_generations(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(capsys, image, "--to=9999999999")
    assert error["message"] == "Invalid value for '--to': '9999999999' is too large a number"


def test_a_write_after_going_back_ends_the_way_forward(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done(capsys, image)
    put_in(image, [image.with_name("demo-update.cab")], UNSIGNED)
    assert "no generation 4" in refused(capsys, image, "--to", "4")["message"]
    done(capsys, image)
    assert DEMO_PACKAGE not in packages_in(image)


def test_a_file_that_is_locked(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Transaction.begin(image):
        assert refused(capsys, image)["type"] == ImageBusy.__name__


def test_a_file_that_must_not_be_written(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(image.read_bytes())
    data[16] |= 0x4
    image.write_bytes(data)
    assert refused(capsys, image)["type"] == UnsupportedImage.__name__


def test_a_file_that_is_cut_off(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The current state is not whole any more; the one before still is, and can be gone to."""
    data = image.read_bytes()
    image.write_bytes(data[:-10])
    done(capsys, image)
    with Archive.open(image) as archive:
        assert verify(archive, Reporter()).sound
    error = refused(capsys, image, "--to", "3")
    assert "not whole any more" in error["message"]
    image.write_bytes(data[:208] + data[208:1000])
    assert refused(capsys, image)["exit_code"] == 16


def test_a_file_without_a_record(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (image.parent / "demo.wim.generations").unlink()
    error = refused(capsys, image)
    assert "no older state" in error["message"]
    assert error["what_to_do"]


def test_the_record_of_another_file(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Someone put another image file, or an older copy, in the place of the one recorded."""
    image.write_bytes(
        image.read_bytes()[:8] + image.read_bytes()[8:24] + bytes(16) + image.read_bytes()[40:]
    )
    error = refused(capsys, image)
    assert "another program changed" in error["message"]
