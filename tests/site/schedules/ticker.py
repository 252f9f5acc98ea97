"""A process that ticks at given times: `ticker.py FOLDER GO TIME…`; GO is a file it waits for."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from tests.site.conftest import SetClock
from wimdock.site.opening import Place, open_site
from wimdock.site.schedules.tick import tick


def main(folder: str, go: str, *times: str) -> None:
    """Tick at each time and print the IDs of all runs that were made."""
    clock = SetClock(datetime.fromisoformat(times[0]))
    site = open_site(Place(Path(folder)), clock)
    print("ready", flush=True)  # noqa: T201 - what the test waits for
    while not Path(go).exists():
        time.sleep(0.005)
    made: list[int] = []
    for at in times:
        clock.at = datetime.fromisoformat(at)
        made += tick(site).started
    site.close()
    print(json.dumps(made))  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
