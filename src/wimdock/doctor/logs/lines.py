"""From text in pieces to whole lines, each of bounded length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

LONGEST = 64 << 10
"""Characters of a line that are kept; a longer one loses its middle."""

_TAIL = 4 << 10
_HEAD = LONGEST - _TAIL
_GAP = " … "


def cut(line: str) -> str:
    """Bound a line: its begin and its end stay, where a record's head and tail stand."""
    if len(line) <= LONGEST:
        return line
    return line[: _HEAD - len(_GAP)] + _GAP + line[-_TAIL:]


def whole_lines(pieces: Iterable[str]) -> Iterator[str]:
    """Give texts that begin and end where lines do; only the last may lack its line's end.

    Not more than a piece of text and one bounded line is held at a time.
    """
    rest = ""
    for piece in pieces:
        end = piece.rfind("\n") + 1
        if end:
            yield rest + piece[:end] if rest else piece[:end]
            rest = _bounded(piece[end:])
        elif piece:
            rest = _bounded(rest + piece)
    if rest:
        yield rest


def split(text: str) -> list[str]:
    r"""Give the lines of a text of whole lines, bounded, without their ends, `\n` and `\r\n`."""
    found = (text.replace("\r\n", "\n") if "\r" in text else text).split("\n")
    last = found.pop()
    if last:
        found.append(last.removesuffix("\r"))
    if max(map(len, found), default=0) > LONGEST:
        return [cut(line) for line in found]
    return found


def _bounded(rest: str) -> str:
    """Bound what waits for its line's end, so that no line without one fills the memory.

    What is dropped is the middle of a line that `cut` will shorten: more than it keeps is kept.
    """
    if len(rest) <= LONGEST + 1:
        return rest
    return rest[:_HEAD] + rest[_HEAD:][-(2 * _TAIL) :]
