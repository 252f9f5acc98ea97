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
from wimdock.doctor.logs.server_lines import END_MARKER, MARK, TILDE, is_server
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
    assembly.end()
    yield from assembly.done


def _of_lines(assembly: Assembly, number: int, lines: list[str]) -> Iterator[Record]:
    """Give the records that are complete with these lines, of which the first follows `number`."""
    file = assembly.file
    done = assembly.done
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
            assembly.take(number, line)
            plain = assembly.plain_sailing
            if done:
                yield from done
                done.clear()


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
    assembly.end()
    yield from filter(_IS_NOTABLE, assembly.done)


def _of_spans(assembly: Assembly, number: int, text: str, skimmed: Skimmed) -> Iterator[Record]:
    """Give the notable records of a text between whose lines others were left out."""
    done = assembly.done
    behind = 0
    known: Record | None = None
    for start, end in skimmed.spans:
        if start != behind:
            # The line left out begins a record: nothing that waits can go on.
            assembly.end()
            number += text.count("\n", behind, start)
        number += 1
        behind = end + 1
        line = text[start:end].removesuffix("\r")
        long = len(line) > LONGEST
        if begins_servicing(line) and assembly.plain_sailing and line[-1] not in _SPECIAL_ENDS:
            pending = assembly.pending
            if pending is not None:
                done.append(pending)
            assembly.began(Record(assembly.file, number, Form.SERVICING, cut(line)))
        else:
            assembly.take(number, cut(line))
        for record in done:
            if record is known or record.is_notable:
                yield record
        done.clear()
        begun = assembly.pending is not None and assembly.pending.line == number
        known = assembly.pending if begun and not long and start in skimmed.notable else None


class Assembly:
    """What was read and is not yet known to be complete, and what is complete: `done`."""

    def __init__(self, file: str) -> None:
        """Begin a file."""
        self.file = file
        self.done: list[Record] = []
        """Complete records, in order, for the caller to take out."""
        self.pending: Record | None = None
        """A record of DISM.log or CBS.log that may go on."""
        self._more: list[str] = []
        self._room = LONGEST
        self._waiting: list[tuple[int, str]] = []
        self._held = 0
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

    def take(self, number: int, line: str) -> None:
        """Take the next line; the records that are complete with it are done."""
        if self._waiting:
            if self._client:
                self._take_client(number, line)
            else:
                self._take_tilde(number, line)
        elif line.endswith(TILDE):
            self._wait(number, line)
        else:
            self._single(number, line)

    def end(self) -> None:
        """Complete what is left, at the file's end or before lines that are left out."""
        self._disband()
        self._finish()

    def _take_client(self, number: int, line: str) -> None:
        if is_client_start(line) or not self._may_wait(line):
            self._disband()
            self.take(number, line)
        elif is_client_end(line):
            self._client_records(*self._joined(line))
        else:
            self._wait(number, line)

    def _take_tilde(self, number: int, line: str) -> None:
        if self._in_dism() and (is_escaped(line) or begins_servicing(line)):
            self._disband()
            self.take(number, line)
        elif MARK in line and is_server(line):
            first, text = self._joined(line)
            self._finish()
            self._make(first, Form.SERVER, text)
        elif line.endswith(TILDE) and self._may_wait(line):
            self._wait(number, line)
        else:
            self._disband()
            self.take(number, line)

    def _wait(self, number: int, line: str) -> None:
        self._waiting.append((number, line))
        self._held += len(line) + 1

    def _may_wait(self, line: str) -> bool:
        return len(self._waiting) < _MOST_LINES and self._held + len(line) <= LONGEST

    def _joined(self, line: str) -> tuple[int, str]:
        """Give the first number and the text of what waited, with the line that ends it."""
        first = self._waiting[0][0]
        text = "\n".join([*(each for _, each in self._waiting), line])
        self._waiting.clear()
        self._held = 0
        return first, text

    def _in_dism(self) -> bool:
        if self.pending is not None:
            return True
        begins = bool(self._waiting) and begins_servicing(self._waiting[0][1]) is not None
        return begins and self._last is not Form.SERVER

    def _disband(self) -> None:
        """Take line by line what waited for an end that did not come."""
        if not self._waiting:
            return
        waiting, self._waiting, self._held = self._waiting, [], 0
        if self._client:
            self._client = False
            number, line = waiting.pop(0)
            self._finish()
            self._make(number, Form.CLIENT, line)
        for number, line in waiting:
            self._single(number, line)

    def _single(self, number: int, line: str) -> None:
        """Take a line that waits for no other."""
        form = form_of(line)
        if form is Form.PLAIN or (self.pending is not None and is_escaped(line)):
            self._continue(number, line)
            return
        if form is Form.SERVER and self._last is Form.SERVICING and begins_servicing(line):
            form = Form.SERVICING
        self._finish()
        if form is Form.SERVICING and line[0].isdigit():
            self.began(Record(self.file, number, form, line))
        elif form is Form.CLIENT and is_client_end(line):
            self._client_records(number, line)
        elif form is Form.CLIENT and is_client_start(line):
            self._client = True
            self._wait(number, line)
        elif form is Form.PASTED:
            parts = shared(unquoted(line))
            for part in parts if len(parts) > 1 else [line]:
                self._make(number, form, part)
        else:
            self._make(number, form, line)

    def _continue(self, number: int, line: str) -> None:
        """Add a line of no form to the record before it, or let it stand for itself."""
        if END_MARKER in line and is_end_marker(line) and not is_escaped(line):
            self._finish()
        elif self.pending is not None and self._room > len(line) and len(self._more) < _MOST_LINES:
            self._more.append(line)
            self._room -= len(line) + 1
        else:
            self._finish()
            if unquoted(line).strip():
                self._make(number, Form.PLAIN, line)

    def _finish(self) -> None:
        """Complete the record that could have gone on; blank lines behind it are none of its."""
        pending, self.pending = self.pending, None
        if pending is None:
            return
        if self._more:
            while self._more and not self._more[-1]:
                self._more.pop()
            pending.text = "\n".join([pending.text, *self._more])
            self._more.clear()
            self._room = LONGEST
        self.done.append(pending)

    def _client_records(self, number: int, text: str) -> None:
        self._client = False
        self._finish()
        for part in split_client(text):
            self._make(number, Form.CLIENT, part)

    def _make(self, number: int, form: Form, text: str) -> None:
        self._last = form
        self.done.append(Record(self.file, number, form, text))
