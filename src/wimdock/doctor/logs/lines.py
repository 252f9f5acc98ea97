"""From text in pieces to whole lines, each of bounded length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LONGEST = 64 << 10
"""Characters of a line that are kept; a longer one loses its middle."""

_TAIL = 4 << 10
_GAP = " … "


def cut(line: str) -> str:
    """Bound a line: its begin and its end stay, where a record's head and tail stand."""
    if len(line) <= LONGEST:
        return line
    return line[: LONGEST - _TAIL - len(_GAP)] + _GAP + line[-_TAIL:]


def lines(pieces: Iterable[str]) -> Iterator[list[str]]:
    r"""Give lists of lines without their ends; `\n` and `\r\n` end a line.

    Not more than a piece of text and one bounded line is held at a time.
    """
    rest = ""
    for piece in pieces:
        head, end, tail = piece.rpartition("\n")
        if not end:
            rest = _bounded(rest + tail)
            continue
        text = rest + head + "\n"
        found = (text.replace("\r\n", "\n") if "\r" in text else text).split("\n")
        found.pop()
        if max(map(len, found)) > LONGEST:
            found = [cut(line) for line in found]
        yield found
        rest = _bounded(tail)
    if rest:
        yield [cut(rest.removesuffix("\r"))]


def _bounded(rest: str) -> str:
    """Bound what waits for its line's end, so that no line without one fills the memory."""
    if len(rest) <= LONGEST + 1:
        return rest
    head = LONGEST - _TAIL
    return rest[:head] + rest[head:][-(2 * _TAIL + 1) :]
