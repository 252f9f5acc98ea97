"""What the tests of DISM's syntax share: a state folder of their own, and a way to run a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.demo_files import copy_demo
from tests.servicing.mounts_at_hand import end_all, need_mounting
from wimdock.cli.main import run


class Ended(NamedTuple):
    """How a command line ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Give the lines of stdout behind the header."""
        lines = self.out.splitlines()
        assert lines[1] == "Deployment Image Servicing and Management tool"
        assert lines[2].startswith("Version: ")
        assert lines[2].endswith(" (wimdock)")
        assert (lines[0], lines[3]) == ("", "")
        return lines[4:]

    @property
    def error(self) -> str:
        """Give the number in the error block, which must be whole."""
        lines = self.out.splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith("Error: "))
        assert lines[at - 1] == lines[at + 1] == lines[-2] == ""
        assert lines[at + 2]
        assert lines[-1].startswith("The DISM log file can be found at ")
        assert "The operation completed successfully." not in lines
        return lines[at].removeprefix("Error: ")


Dism = Callable[..., Ended]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep wimdock's state in the test's folder, and leave nothing mounted below it."""
    folder = tmp_path / "state"
    monkeypatch.setenv("WIMDOCK_STATE", str(folder))
    monkeypatch.delenv("WIMDOCK_DRIVES", raising=False)
    yield folder
    end_all(tmp_path)


@pytest.fixture
def dism(state: Path, capfd: pytest.CaptureFixture[str]) -> Dism:
    """Give a function that runs one command line."""
    del state

    def ended(*tokens: str | Path) -> Ended:
        capfd.readouterr()
        status = run(["dism", *(str(token) for token in tokens)])
        return Ended(status, *capfd.readouterr())

    return ended


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Give the demo's image with its update beside it."""
    copy_demo(tmp_path)
    return tmp_path / "demo.wim"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give an empty folder to mount in, where images can be mounted."""
    need_mounting()
    folder = tmp_path / "Mount Dir"
    folder.mkdir()
    return folder
