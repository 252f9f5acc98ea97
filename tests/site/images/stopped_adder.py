"""Adds an image package and kills its own process on the way: FOLDER URL FILE WHERE.

WHERE is a function that the room of adding calls: the process dies right before or after it, as
`before:NAME` or `after:NAME`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from wimdock.site.images import adding
from wimdock.site.opening import Place, open_site


def die() -> NoReturn:
    """End at once, as a machine that loses its power does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def main() -> None:
    """Do it."""
    folder, url, file, where = sys.argv[1:]
    moment, name = where.split(":")
    real = getattr(adding, name)

    def stopping(*given: Any, **named: Any) -> Any:
        if moment == "before":
            die()
        real(*given, **named)
        die()

    setattr(adding, name, stopping)
    with_url = url or None
    site = open_site(Place(Path(folder), with_url))
    adding.add_package(site, Path(file))


if __name__ == "__main__":
    main()
