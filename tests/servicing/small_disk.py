"""Small file systems in memory, which only root can mount."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import skip_or_fail


def mount(folder: Path, options: str) -> None:
    """Mount a file system in memory at a folder, or mount it anew with other options."""
    words = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    try:
        ended = subprocess.run(words, capture_output=True, check=False)
    except FileNotFoundError:
        skip_or_fail("there is no mount")
    if ended.returncode:
        skip_or_fail("a small file system can only be mounted by root")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Make a folder with a file system of a size such as "4m" at it, and take that away."""
    folder.mkdir()
    mount(folder, f"size={size}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
