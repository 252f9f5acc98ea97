"""Which form a single line has, by the line alone."""

from __future__ import annotations

from wimdock.doctor.logs.client_lines import is_client_start
from wimdock.doctor.logs.parts import Form
from wimdock.doctor.logs.pasted_lines import is_pasted, is_viewer, unquoted
from wimdock.doctor.logs.server_lines import END_MARKER, MARK, is_server
from wimdock.doctor.logs.servicing_lines import begins_servicing, begins_stack

_FIRST_LETTERS = "SDC"  # of SMS_, DISM, CBS, CSI, DPX

ESCAPE = "\t"
"""Stands before a line of a message in DISM.log that would be taken for a record of its own."""


def form_of(line: str) -> Form:
    """Give the form of a line; PLAIN is also what continues the record before it."""
    if MARK in line and is_server(line):
        return Form.SERVER
    first = line[:1]
    if first.isalpha() and first not in _FIRST_LETTERS and "\t" not in line:
        return Form.PLAIN  # nearly every line of a text that is no log
    return _form_of_bare(unquoted(line))


def _form_of_bare(bare: str) -> Form:
    first = bare[:1]
    if first.isdigit() and begins_servicing(bare):
        return Form.SERVICING
    if first == "<" and is_client_start(bare):
        return Form.CLIENT
    if first == "[" and begins_stack(bare):
        return Form.STACK
    if "\t" in bare and is_viewer(bare):
        return Form.VIEWER
    return Form.PASTED if is_pasted(bare) else Form.PLAIN


def is_end_marker(line: str) -> bool:
    """Tell whether a line only says that the log was renamed."""
    return unquoted(line).strip() == END_MARKER


def continues(line: str) -> bool:
    """Tell whether a line behind a record of DISM.log or CBS.log is read as part of it."""
    return bool(line.strip()) and form_of(line) is Form.PLAIN and not is_end_marker(line)


def escaped(line: str) -> str:
    """Give a line of a message as DISM.log may hold it behind the record's first line."""
    return line if continues(line.lstrip(ESCAPE)) else ESCAPE + line


def unescaped(line: str) -> str:
    """Give the line that was written."""
    return line[1:] if is_escaped(line) else line


def is_escaped(line: str) -> bool:
    """Tell whether a line was marked as no record of its own."""
    return line[:1] == ESCAPE and not continues(line.lstrip(ESCAPE))
