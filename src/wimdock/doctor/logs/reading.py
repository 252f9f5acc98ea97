"""Logs, read: from files to records as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from wimdock.doctor.logs.assembly import records
from wimdock.doctor.logs.decoding import Decoder
from wimdock.doctor.logs.families import LogFiles, find_logs
from wimdock.doctor.logs.lines import whole_lines
from wimdock.doctor.logs.record import Record
from wimdock.doctor.logs.source import blocks

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many were read."""

Trouble = Callable[[Path, str], None]
"""Is told of a file that was not read, or not to its end, and why."""


def read_logs(
    paths: Sequence[Path],
    *,
    companions: bool = True,
    encoding: str | None = None,
    notable_only: bool = False,
    on_progress: Progress | None = None,
    on_trouble: Trouble | None = None,
) -> Iterator[Record]:
    """Give the records of logs, file by file, the oldest file of each log first.

    Each of `paths` is a log, compressed with gzip or xz or not, or a folder: `find_logs` says which
    files are taken, and with `companions` which older ones. `encoding` is the code page of lines
    that are no UTF-8 (cp1252 where it is not given), or UTF-16 or UTF-32 for all of it. Memory is
    bounded whatever the size: longer lines lose their middle.

    With `notable_only` the records of DISM.log and CBS.log of which `Record.is_notable` is false
    are left out, which is faster on long logs: those without a code, one of the words
    error, fail, warn, code and HRESULT, a begin, end, host or command line of a session, and a path
    below a staging folder. Records of all other forms are given, and every
    record is the same, with the same number of its line, as without it.

    Raises UsageError for an unknown encoding, StorageError for a file that cannot be read, LogError
    for a folder without logs; whatever a file holds raises nothing.
    """
    Decoder(encoding)
    found = find_logs(paths, companions=companions)
    return _read(found, encoding, notable_only, on_progress, on_trouble or _ignore)


def _ignore(path: Path, why: str) -> None:
    """Tell nobody."""


def _read(
    found: LogFiles,
    encoding: str | None,
    notable_only: bool,  # noqa: FBT001 - as the caller was asked
    on_progress: Progress | None,
    on_trouble: Trouble,
) -> Iterator[Record]:
    for path, why in found.unread:
        on_trouble(path, why)
    total = sum(file.size for file in found.files)
    done = 0

    def on_read(count: int) -> None:
        nonlocal done
        done += count
        if on_progress is not None and count:
            on_progress(done, max(total, done))

    for file in found.files:
        pieces = _text(blocks(file.path, on_read, on_trouble), Decoder(encoding))
        yield from records(str(file.path), whole_lines(pieces), notable_only=notable_only)


def _text(content: Iterator[bytes], decoder: Decoder) -> Iterator[str]:
    for block in content:
        yield decoder.feed(block)
    yield decoder.feed(b"", final=True)
