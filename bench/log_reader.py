"""Reads a log to its end and prints how many there were: python -m bench.log_reader WHAT FILE.

WHAT is `records` (every record), `fields` (every record with all that can be asked of it),
`notable` (only those that can matter to a diagnosis), `findings` (these with all that can be asked
of them) or `lines` (Python's own lines, the least that any reader in Python must do).
"""

from __future__ import annotations

import sys
from pathlib import Path

from wimdock.doctor.logs import Record, read_logs


def _asked(record: Record) -> bool:
    """Ask for what a diagnosis goes by."""
    _ = (record.component, record.thread, record.severity, record.local_time, record.time)
    return bool(record.codes or record.functions or record.log)


def main(what: str, path: Path) -> int:
    """Count; 2 for an unknown word."""
    if what == "lines":
        with path.open(encoding="utf-8") as file:
            count = sum(1 for _ in file)
    elif what in ("records", "fields", "notable", "findings"):
        notable_only = what in ("notable", "findings")
        found = read_logs([path], companions=False, notable_only=notable_only)
        asked = what in ("fields", "findings")
        count = sum(1 for record in found if not asked or _asked(record))
    else:
        return 2
    print(count)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
