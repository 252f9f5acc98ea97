"""A process that holds a workspace until it is killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from wimdock.servicing.workspace import open_workspace

if __name__ == "__main__":
    with open_workspace(Path(sys.argv[1])) as held:
        sys.stdout.write(f"{held}\n")
        sys.stdout.flush()
        time.sleep(600)
