"""Upper case as Windows does it, after the table of a real NTFS volume."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

from tests.conftest import skip_or_fail
from wimdock.upcase import fold


def test_upper_case_is_that_of_an_ntfs_volume(tmp_path: Path) -> None:
    if not (shutil.which("mkntfs") and shutil.which("ntfscat")):
        skip_or_fail("no mkntfs and ntfscat: install ntfs-3g")
    volume = tmp_path / "volume"
    with volume.open("wb") as file:
        file.truncate(8 << 20)
    subprocess.run(["mkntfs", "-Fqs", "512", volume], check=True, capture_output=True)
    table = subprocess.run(["ntfscat", volume, "$UpCase"], check=True, capture_output=True).stdout
    wanted = struct.unpack("<65536H", table)
    differing = [code for code in range(65536) if ord(fold(chr(code))) != wanted[code]]
    assert not differing


def test_order_is_that_of_code_units() -> None:
    beyond, private = "\N{GOTHIC LETTER FAIHU}", "\ue000"
    assert beyond > private
    assert fold(beyond) < fold(private)
