"""The image file itself: kinds that cannot be serviced, other programs that use it."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.tool import run
from tests.servicing.preflight.made import check, checks, looked
from wimdock.errors import NoSuchImage, NotAnImage, StorageError
from wimdock.servicing.preflight.check import Result
from wimdock.wim import layout

Copies = Callable[[str], Path]
HOST = "CM01=Server 2019"


@contextmanager
def opened_by_another(image: Path, mode: str, lock: int = 0) -> Iterator[None]:
    """Let another process hold the file open, and a lock on it where one is given."""
    program = (
        "import fcntl, sys\n"
        f"file = open(sys.argv[1], {mode!r})\n"
        f"fcntl.flock(file, {lock}) if {lock} else None\n"
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(image)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.communicate()


@pytest.mark.parametrize(
    "mode, lock, result, words",
    [
        ("rb", 0, Result.WARNING, "reads it"),
        ("r+b", 0, Result.FAILED, "writes it"),
        ("rb", fcntl.LOCK_EX, Result.FAILED, "holds a lock on it"),
    ],
)
def test_other_programs(
    lab_image: Copies, mode: str, lock: int, result: Result, words: str
) -> None:
    image = lab_image("xpress")
    with opened_by_another(image, mode, lock):
        found = check(looked(image, HOST), "image-in-use")
    assert (found.result, found.failure) == (result, 10)
    assert words in found.details[0]
    assert check(looked(image, HOST), "image-in-use").result is Result.PASSED


@pytest.mark.parametrize("flag", [layout.FLAG_READONLY, layout.FLAG_WRITE_IN_PROGRESS])
def test_what_its_header_forbids(lab_image: Copies, flag: int) -> None:
    image = lab_image("xpress")
    data = bytearray(image.read_bytes())
    flags = int.from_bytes(data[16:20], "little") | flag
    data[16:20] = flags.to_bytes(4, "little")
    image.write_bytes(data)
    assert check(looked(image, HOST), "image-file").result is Result.FAILED


def test_a_solid_file_is_failure_18(lab_image: Copies, tmp_path: Path) -> None:
    solid = tmp_path / "install.esd"
    run("wimlib-imagex", "export", lab_image("xpress"), "1", solid, "--solid")
    report = looked(solid, HOST)
    found = check(report, "image-file")
    assert (found.result, found.failure) == (Result.FAILED, 18)
    assert report.images == ()
    assert report.verdict(0).ability.value == "unknown"
    assert check(report, "image-in-use").result is Result.PASSED


def test_several_images(lab_image: Copies) -> None:
    assert check(looked(lab_image("multi"), HOST), "image-count").result is Result.WARNING
    assert check(looked(lab_image("xpress"), HOST), "image-count").result is Result.PASSED


def test_what_ends_a_preflight(lab_image: Copies, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        looked(tmp_path / "absent.wim")
    text = tmp_path / "text.wim"
    text.write_text("no image")
    with pytest.raises(NotAnImage, match=r"text\.wim"):
        looked(text)
    with pytest.raises(NoSuchImage):
        looked(lab_image("multi"), indexes=(4,))


def test_metadata_that_is_damaged(lab_image: Copies) -> None:
    """One image cannot be read: it is said, the others are judged, and hosts are not known."""
    from wimdock.wim import Archive

    image = lab_image("multi")
    with Archive.open(image) as archive:
        resource = archive.metadata_blobs[1].resource
    data = bytearray(image.read_bytes())
    middle = resource.offset + resource.stored_size // 2
    data[middle : middle + 16] = bytes(16)
    image.write_bytes(data)
    report = looked(image, HOST, "wimdock", indexes=())
    (broken,) = checks(report, "image-contents", 2)
    assert broken.result is Result.NOT_CHECKED
    assert [bool(each.verdicts) for each in report.images] == [True, False, True]
    assert [verdict.ability.value for verdict in report.verdicts] == ["unknown", "can commit"]
