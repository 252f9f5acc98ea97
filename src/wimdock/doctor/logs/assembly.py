"""From lines to records: which lines belong together.

- DISM.log and CBS.log: a line of no form continues the record before it.
- Client form: up to `]LOG]!>`.
- Server form: lines with `~` at their end, up to one with the form's end.

Whatever turns out not to belong together is taken line by line. All that waits is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter

from wimdock.doctor.logs.client_lines import is_client_end, is_client_start, split_client
from wimdock.doctor.logs.forms import form_of, is_end_marker, is_escaped
from wimdock.doctor.logs.lines import LONGEST, cut, split
from wimdock.doctor.logs.parts import Form
from wimdock.doctor.logs.pasted_lines import shared, unquoted
from wimdock.doctor.logs.record import Record
from wimdock.doctor.logs.server_lines import MARK, TILDE, is_server
from wimdock.doctor.logs.servicing_lines import begins_servicing
from wimdock.doctor.logs.skimming import Skimmed, skim

_MOST_LINES = 1000
_SPECIAL_ENDS = "~>"
_DENSE = 3
_DENSE_TEXTS = 16
_IS_NOTABLE = attrgetter("is_notable")


def records(file: str, texts: Iterable[str], *, notable_only: bool = False) -> Iterator[Record]:
    """Give the records of texts of whole lines, in order, with the file under the given name.

    With `notable_only` those of DISM.log and CBS.log that are not notable are left out.
    """
    assembly = Assembly(file)
    if notable_only:
        yield from _notable_records(assembly, texts)
        return
    number = 0
    for text in texts:
        lines = split(text)
        yield from _of_lines(assembly, number, lines)
        number += len(lines)
    yield from assembly.end()


def _of_lines(assembly: Assembly, number: int, lines: list[str]) -> Iterator[Record]:
    """Give the records that are complete with these lines, of which the first follows `number`."""
    file = assembly.file
    plain = assembly.plain_sailing
    for line in lines:
        number += 1
        # The way of nearly every line of a long log: nothing waits but a whole record.
        if plain and begins_servicing(line) and line[-1] not in _SPECIAL_ENDS:
            pending = assembly.pending
            assembly.began(Record(file, number, Form.SERVICING, line))
            if pending is not None:
                yield pending
        else:
            yield from assembly.take(number, line)
            plain = assembly.plain_sailing


def _notable_records(assembly: Assembly, texts: Iterable[str]) -> Iterator[Record]:
    number = 0
    dense = 0
    for text in texts:
        skimmed = skim(text) if assembly.plain_sailing and not dense else None
        if skimmed is None:
            dense = max(0, dense - 1)
            lines = split(text)
            yield from filter(_IS_NOTABLE, _of_lines(assembly, number, lines))
            number += len(lines)
            continue
        count = text.count("\n") + (not text.endswith("\n"))
        # Where many lines matter, looking for them costs more than it saves.
        dense = _DENSE_TEXTS if len(skimmed.spans) * _DENSE > count else 0
        yield from _of_spans(assembly, number, text, skimmed)
        number += count
    yield from filter(_IS_NOTABLE, assembly.end())


def _of_spans(assembly: Assembly, number: int, text: str, skimmed: Skimmed) -> Iterator[Record]:
    """Give the notable records of a text between whose lines others were left out."""
    behind = 0
    known: Record | None = None
    for start, end in skimmed.spans:
        if start != behind:
            # The line left out begins a record: nothing that waits can go on.
            for record in assembly.end():
                if record is known or record.is_notable:
                    yield record
            number += text.count("\n", behind, start)
        number += 1
        behind = end + 1
        line = cut(text[start:end].removesuffix("\r"))
        for record in assembly.take(number, line):
            if record is known or record.is_notable:
                yield record
        pending = assembly.pending
        sure = start in skimmed.notable and end - start <= LONGEST
        known = pending if sure and pending is not None and pending.line == number else None


class Assembly:
    """What was read and is not yet known to be complete."""

    def __init__(self, file: str) -> None:
        """Begin a file."""
        self.file = file
        self.pending: Record | None = None
        """A record of DISM.log or CBS.log that may go on."""
        self._more: list[str] = []
        self._room = LONGEST
        self._waiting: list[tuple[int, str]] = []
        self._client = False
        self._last = Form.PLAIN

    def began(self, record: Record) -> None:
        """Take a record of DISM.log or CBS.log that may go on, the one before being complete."""
        self.pending = record
        self._last = Form.SERVICING

    @property
    def plain_sailing(self) -> bool:
        """Tell whether the next line can begin a record without further thought."""
        return not self._waiting and not self._more

    def take(self, number: int, line: str) -> Iterator[Record]:
        """Take the next line, give the records that are complete with it."""
        if self._waiting and self._client:
            yield from self._take_client(number, line)
        elif self._waiting:
            yield from self._take_tilde(number, line)
        elif line.endswith(TILDE):
            self._waiting.append((number, line))
        else:
            yield from self._single(number, line)

    def end(self) -> Iterator[Record]:
        """Give what is left at the file's end."""
        yield from self._disband()
        yield from self._finished()

    def _take_client(self, number: int, line: str) -> Iterator[Record]:
        first = self._waiting[0][0]
        if is_client_end(line) and not is_client_start(line):
            text = "\n".join([*(each for _, each in self._waiting), line])
            self._waiting.clear()
            yield from self._client_records(first, text)
            return
        if is_client_start(line) or not self._may_wait(line):
            yield from self._disband()
            yield from self.take(number, line)
            return
        self._waiting.append((number, line))

    def _take_tilde(self, number: int, line: str) -> Iterator[Record]:
        if self._in_dism() and (is_escaped(line) or begins_servicing(line)):
            yield from self._disband()
            yield from self.take(number, line)
        elif MARK in line and is_server(line):
            first = self._waiting[0][0]
            text = "\n".join([*(each for _, each in self._waiting), line])
            self._waiting.clear()
            yield from self._finished()
            yield self._made(first, Form.SERVER, text)
        elif line.endswith(TILDE) and self._may_wait(line):
            self._waiting.append((number, line))
        else:
            yield from self._disband()
            yield from self.take(number, line)

    def _may_wait(self, line: str) -> bool:
        held = sum(len(each) + 1 for _, each in self._waiting)
        return len(self._waiting) < _MOST_LINES and held + len(line) <= LONGEST

    def _in_dism(self) -> bool:
        if self.pending is not None:
            return True
        begins = bool(self._waiting) and begins_servicing(self._waiting[0][1]) is not None
        return begins and self._last is not Form.SERVER

    def _disband(self) -> Iterator[Record]:
        """Take line by line what waited for an end that did not come."""
        waiting, self._waiting = self._waiting, []
        if waiting and self._client:
            number, line = waiting.pop(0)
            yield from self._finished()
            yield self._made(number, Form.CLIENT, line)
        self._client = False
        for number, line in waiting:
            yield from self._single(number, line)

    def _single(self, number: int, line: str) -> Iterator[Record]:
        """Take a line that waits for no other."""
        if self.pending is not None and is_escaped(line):
            yield from self._continue(number, line)
            return
        form = form_of(line)
        if form is Form.SERVER and self._last is Form.SERVICING and begins_servicing(line):
            form = Form.SERVICING
        if form is Form.PLAIN:
            yield from self._continue(number, line)
            return
        yield from self._finished()
        if form is Form.SERVICING and not line.startswith((">", " ", "\t")):
            self.pending = self._made(number, form, line)
        elif form is Form.CLIENT:
            if is_client_end(line):
                yield from self._client_records(number, line)
            else:
                self._client = True
                self._waiting.append((number, line))
        elif form is Form.PASTED:
            parts = shared(unquoted(line))
            for part in parts if len(parts) > 1 else [line]:
                yield self._made(number, form, part)
        else:
            yield self._made(number, form, line)

    def _continue(self, number: int, line: str) -> Iterator[Record]:
        """Add a line of no form to the record before it, or let it stand for itself."""
        if is_end_marker(line) and not is_escaped(line):
            yield from self._finished()
            return
        if self.pending is not None and self._room > len(line) and len(self._more) < _MOST_LINES:
            self._more.append(line)
            self._room -= len(line) + 1
            return
        yield from self._finished()
        if unquoted(line).strip():
            yield self._made(number, Form.PLAIN, line)

    def _finished(self) -> Iterator[Record]:
        """Give the record that could have gone on; blank lines behind it are none of its."""
        pending, self.pending = self.pending, None
        if pending is None:
            return
        if self._more:
            while self._more and not self._more[-1]:
                self._more.pop()
            pending.text = "\n".join([pending.text, *self._more])
            self._more.clear()
            self._room = LONGEST
        yield pending

    def _client_records(self, number: int, text: str) -> Iterator[Record]:
        self._client = False
        yield from self._finished()
        for part in split_client(text):
            yield self._made(number, Form.CLIENT, part)

    def _made(self, number: int, form: Form, text: str) -> Record:
        self._last = form
        return Record(self.file, number, form, text)
