"""Staging folders as runs leave them, made for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import skip_or_fail
from wimdock.configmgr.staging import MOUNT_FOLDER, STAGING_FOLDER

GUID = "73676b06-20a9-48a6-89c7-7646d20ce44f"
PACKAGE = "CAS00123"


@dataclass(frozen=True, slots=True)
class Sample:
    """A folder that stands for a drive, with a staging folder in it and a sentinel beside it."""

    drive: Path

    @property
    def staging(self) -> Path:
        return self.drive / STAGING_FOLDER

    def package(self, name: str = PACKAGE) -> Path:
        return self.staging / name

    def mount_directory(self, name: str = PACKAGE) -> Path:
        return self.package(name) / MOUNT_FOLDER

    @property
    def sentinels(self) -> Path:
        return self.drive / "not ours"

    def add_package(self, name: str = PACKAGE) -> Path:
        """Add a package whose run ended after unmounting; give its folder."""
        self.mount_directory(name).mkdir(parents=True)
        (self.package(name) / "install.wim").write_bytes(b"MSWIM" + bytes(995))
        return self.package(name)

    def untouched(self) -> bool:
        """Tell whether everything beside the staging folder is as it was made."""
        found = {path.name: path.read_text() for path in self.sentinels.iterdir()}
        return found == {"first": "first", "second": "second"}


def make_staging(drive: Path) -> Sample:
    """Make a drive with a staging folder that holds one package and an update's content."""
    sample = Sample(drive)
    sample.sentinels.mkdir(parents=True)
    for name in ("first", "second"):
        (sample.sentinels / name).write_text(name)
    sample.add_package()
    (sample.staging / GUID).mkdir()
    (sample.staging / GUID / "windows10.0-kb5001330-x64.cab").write_bytes(b"MSCF" + bytes(96))
    return sample


@contextmanager
def mounted(*words: str | Path) -> Iterator[None]:
    """Mount something for a while."""
    if os.geteuid() != 0:
        skip_or_fail("mounting needs root")
    subprocess.run(("mount", *words), check=True)
    try:
        yield
    finally:
        subprocess.run(("umount", words[-1]), check=True)


@contextmanager
def tmpfs(point: Path) -> Iterator[None]:
    """Mount an empty file system on a folder, which is made where it is not there."""
    point.mkdir(parents=True, exist_ok=True)
    with mounted("-t", "tmpfs", "none", point):
        yield
