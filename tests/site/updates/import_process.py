"""Imports a file into a site's library in a process of its own, which may be killed on the way.

    python -m tests.site.updates.import_process SITE FILE [OPERATION]

It says "ready" and waits for a line on stdin, so that several begin at once. With OPERATION it
kills itself (SIGKILL) right before the operation on the disk with that number.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.faults.disk import CountingDisk
from wimdock.site.opening import Place, open_site
from wimdock.site.updates.importing import ImportOptions, import_updates


class KillingDisk(CountingDisk):
    """Kills the process at one operation."""

    def __init__(self, at: int) -> None:
        """Kill at the operation with this number, counted from 0; at none for -1."""
        super().__init__(quick=True)
        self.at = at

    def _next(self, what: str) -> None:
        super()._next(what)
        if len(self.operations) == self.at + 1:
            os.kill(os.getpid(), signal.SIGKILL)


def start(site: Path, file: Path, at: int = -1) -> subprocess.Popen[str]:
    """Start an import that waits for a line."""
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.site.updates.import_process", site, file, str(at)),
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": f"{REPOSITORY / 'src'}:{REPOSITORY}"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _import(folder: Path, file: Path, at: int) -> None:
    site = open_site(Place(folder))
    try:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for done in import_updates(site, file, ImportOptions(disk=KillingDisk(at))):
            sys.stdout.write(f"{done.state.value}\n")
    finally:
        site.close()


if __name__ == "__main__":
    _import(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
