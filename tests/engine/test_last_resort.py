"""A worker that was taken for dead and hangs: its process ends all the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wimdock.errors import LeaseLost

_PROGRAM = """
import sys, time
from wimdock.engine.last_resort import LastResort

resort = LastResort(lambda: print("children are killed", flush=True), float(sys.argv[1]))
resort.begin()
resort.begin()
if sys.argv[2] == "hangs":
    time.sleep(60)
resort.cancel()
time.sleep(0.5)
"""


@pytest.mark.parametrize("what,status", [("hangs", LeaseLost.exit_code), ("ends", 0)])
def test_what_does_not_end_by_itself_is_ended(what: str, status: int) -> None:
    seconds = "0.2" if what == "hangs" else "0.3"
    done = subprocess.run(
        (sys.executable, "-c", _PROGRAM, seconds, what),
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == status
    assert ("children are killed" in done.stdout) is (what == "hangs")
    assert ("it did not end by itself" in done.stderr) is (what == "hangs")
    assert ("time.sleep" in done.stderr or "Thread" in done.stderr) is (what == "hangs")
