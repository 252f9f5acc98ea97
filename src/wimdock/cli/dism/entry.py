"""The program `wimdock-dism`: `wimdock dism` under a name of its own, for scripts."""

from __future__ import annotations

import sys
from typing import NoReturn

from wimdock.cli.main import main as wimdock


def main() -> NoReturn:
    """Run the command line of this process as `wimdock dism`."""
    sys.argv[1:1] = ["dism"]
    wimdock()
