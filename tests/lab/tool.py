"""Other people's programs: run quietly, or fail with what they said."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

VOLUME_TOOLS = ("mkntfs", "ntfs-3g", "umount", "ntfsinfo", "ntfscat", "wimlib-imagex")
HIVE_TOOLS = ("hivexregedit",)


class LabError(Exception):
    """A tool of the lab failed."""

    def __init__(self, command: list[str], said: str) -> None:
        """Put the command and the tool's own words into the message."""
        super().__init__(f"{' '.join(command)} failed:\n{said}")


def missing(names: tuple[str, ...]) -> list[str]:
    """Give those of the programs that are not installed."""
    return [name for name in names if shutil.which(name) is None]


def run(
    *command: str | Path,
    stdin: bytes | None = None,
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
    timeout: float = 300,
) -> bytes:
    """Run a program and give its standard output; raise LabError where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        input=stdin,
        capture_output=True,
        check=False,
        cwd=folder,
        env=environment,
        timeout=timeout,
    )
    if done.returncode != 0:
        said = (done.stdout[-2000:] + done.stderr[-2000:]).decode("utf-8", "replace")
        raise LabError(words, said)
    return done.stdout
