"""A program that writes the log of a site: FOLDER SIZE WRITER LINES."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from wimdock.site.messages import SiteLog
from wimdock.site.opening import Place, open_site
from wimdock.site.settings import LogSettings


def main() -> None:
    """Write so many lines, every third through a log that is opened for it alone."""
    folder, size, writer, count = sys.argv[1:]
    site = open_site(Place(Path(folder)))
    settings = replace(site.settings, log=LogSettings(size=int(size), json=True))
    site = replace(site, settings=settings)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    with SiteLog(site, thread=int(writer)) as log:
        for number in range(int(count)):
            text = f"writer {writer} line {number} " + "x" * (number % 200)
            if number % 3:
                log.own(text)
            else:
                with SiteLog(site, thread=int(writer)) as another:
                    another.line(text)
    site.close()


if __name__ == "__main__":
    main()
