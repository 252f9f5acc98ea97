"""The recording of a failed commit: preflight, rehearsal, doctor, clean-up. It needs FUSE."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.recording import Commands, record, write

COMMANDS: Commands = (
    (
        ("preflight", "demo.wim", "--provider", "CM01=6.3.9600", "--provider", "CM02=Server 2019"),
        58,
    ),
    (("rehearse", "demo.wim", "--provider", "CM01=6.3.9600", "--staging", "d"), 54),
    (("doctor", "d/Logs", "--image", "demo.wim"), 0),
    (("cleanup", "d", "--yes"), 0),
    (("rehearse", "demo.wim", "--provider", "CM02=Server 2019", "--staging", "d"), 0),
)


def main() -> None:
    """Make the demo's image and record what is done with it."""
    with tempfile.TemporaryDirectory() as folder:
        demo = (sys.executable, "-m", "wimdock", "demo", ".")
        subprocess.run(demo, cwd=folder, check=True, capture_output=True)
        Path(folder, "d").mkdir()
        events, shown = record(folder, COMMANDS)
    write("failed-commit", "wimdock: a failed commit", events, shown)


if __name__ == "__main__":
    main()
