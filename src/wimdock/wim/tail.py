"""The tail that a stopped writer left behind the end of an image file, cut off.

No reader sees such a tail, and the next writer cuts it off; this is for those who want the file to
be byte for byte what it was at once. What a generation that can be gone to refers to is kept.
"""

from __future__ import annotations

import os
from pathlib import Path

from wimdock.files import Disk, naming
from wimdock.wim.generations import read_generations
from wimdock.wim.write_access import locked_archive


def cut_tail(path: Path | str, disk: Disk | None = None) -> int:
    """Cut off what lies behind every recorded state, and give how many bytes that were.

    One truncation is all that is written. ImageBusy where another program has the file.
    """
    with naming(path), locked_archive(path) as archive:
        states = [g.length for g in read_generations(archive.path) if g.committed]
        end = max([archive.committed_end, *states])
        tail = os.fstat(archive.fd).st_size - end
        if tail <= 0:
            return 0
        (disk or Disk()).truncate(archive.fd, end)
        return tail
