"""wimdock run by a user with no rights, and a folder that such a user can reach."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import REPOSITORY, skip_or_fail

NOBODY = 65534

# Nobody may not even be able to read Python's library: the first run, as root, loads all of it.
_PROGRAM = """
import io, os, sys
from contextlib import redirect_stderr, redirect_stdout
sys.path.insert(0, sys.argv[1])
from wimdock.cli.main import run
words = sys.argv[2:]
with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
    run([word.replace("@", "as-root") for word in words])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(run([word.replace("@", "as-nobody") for word in words]))
"""


def run_as_nobody(*words: str | Path, temporary: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as root and then as nobody; what is given is how nobody's ended.

    An @ in a word becomes "as-root" in the first and "as-nobody" in the second.
    """
    if os.geteuid() != 0:
        skip_or_fail("only root can become nobody")
    return subprocess.run(
        (sys.executable, "-c", _PROGRAM, REPOSITORY / "src", *words),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(temporary)},
        cwd="/",
    )


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """Make a folder that everybody can enter, and take it away."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        if not all(parent.stat().st_mode & 0o1 for parent in folder.parents):
            skip_or_fail("nobody can reach the folder for temporary files")
        yield folder
