"""`wimdock code`: what an error code means, however it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text, visible
from wimdock.errors import UsageError

if TYPE_CHECKING:
    from wimdock.doctor.codes import Lookup, Meaning, Parts, Reading
    from wimdock.doctor.heads import RuleHead

_EXAMPLES = examples(
    "wimdock code 0x800700a1",
    "wimdock code -2147024735 161 ERROR_BAD_PATHNAME",
    "wimdock code 'InstallUpdate returned code 0x800f082f~'",
    "wimdock code --json 0xc1420127 | jq '.codes[].readings[0].meanings'",
)


@click.command(epilog=_EXAMPLES, context_settings={"ignore_unknown_options": True})
@click.argument("codes", nargs=-1, required=True, metavar="CODE...")
@json_option
def code(codes: Sequence[str], *, as_json: bool) -> None:
    """Say what error codes mean, however they are written.

    A CODE is hexadecimal with or without 0x, decimal with or without a sign, the low word alone, a
    name such as ERROR_BAD_PATHNAME or CBS_E_NOT_APPLICABLE, or a piece of a log that holds a code.
    Where it can be read in several ways, all of them are shown, the most likely first.

    Shown are all meanings in the tables of Windows, DISM, the image library and component-based
    servicing, the parts of the code, and the known failures in which it occurs. A code that no
    table has is said to be unknown; the exit status is 2 only where a CODE is no code at all.
    """
    from wimdock.doctor.heads import load_heads

    found = _looked_up(codes)
    heads = load_heads()
    if as_json:
        content = [
            {
                "typed": lookup.typed,
                "readings": [_content(reading, heads) for reading in lookup.readings],
            }
            for lookup in found
        ]
        print_document("code", {"codes": content})
        return
    for number, lookup in enumerate(found):
        if number:
            print_text()
        for line in _lines(lookup, heads):
            print_text(visible(line))


def _looked_up(codes: Sequence[str]) -> list[Lookup]:
    """Look up every code; raise UsageError, or a group of them, for those that are none."""
    from wimdock.doctor.codes import look_up

    found, refused = [], []
    for text in codes:
        try:
            found.append(look_up(text))
        except UsageError as error:
            refused.append(error)
    if len(refused) == 1:
        raise refused[0]
    if refused:
        message = "these are no codes"
        raise ExceptionGroup(message, refused)
    return found


def _failures(reading: Reading, heads: Sequence[RuleHead]) -> list[RuleHead]:
    """Give the known failures in which a code occurs."""
    from wimdock.doctor.codes.parts import N_BIT

    same = {reading.spellings.unsigned, reading.code & ~N_BIT if reading.parts.nt else reading.code}
    return [head for head in heads if same.intersection(head.codes)]


def _content(reading: Reading, heads: Sequence[RuleHead]) -> dict[str, object]:
    return {
        "code": f"0x{reading.code:08X}",
        "read_as": reading.how,
        "known": bool(reading.meanings),
        "spellings": reading.spellings._asdict(),
        "parts": reading.parts._asdict(),
        "meanings": [
            {
                "table": meaning.table,
                "value": meaning.value,
                "name": meaning.name or None,
                "text": meaning.text or None,
            }
            for meaning in reading.meanings
        ],
        "failures": [
            {"number": head.number, "id": head.id, "title": head.title}
            for head in _failures(reading, heads)
        ],
    }


def _lines(lookup: Lookup, heads: Sequence[RuleHead]) -> Iterator[str]:
    several = len(lookup.readings) > 1
    if several:
        yield f"{lookup.typed} can be read in {len(lookup.readings)} ways:"
    for reading in lookup.readings:
        if several:
            yield ""
        yield f"{lookup.typed} ({reading.how})"
        if not reading.meanings:
            yield "  Unknown: no table of wimdock has this code."
        for meaning in reading.meanings:
            yield from (f"  {line}" for line in _meaning(meaning))
        yield from (f"  {line}" for line in _facts(reading))
        for head in _failures(reading, heads):
            yield f"  Known failure {head.number}, {head.id}: {head.title}"


def _meaning(meaning: Meaning) -> Iterator[str]:
    """Give a meaning in the four lines that the knowledge base gives it in."""
    decimal = f" ({meaning.value})" if meaning.value <= 0xFFFF else ""  # noqa: PLR2004 - a word
    yield f"Error Code: 0x{meaning.value:X}{decimal}"
    if meaning.name:
        yield f"Error Name: {meaning.name}"
    yield f"Error Source: {meaning.table}"
    if meaning.text:
        yield f"Error Message: {meaning.text}"


def _facts(reading: Reading) -> Iterator[str]:
    spellings = reading.spellings
    numbers = dict.fromkeys((str(spellings.signed), str(spellings.unsigned)))
    low = f"low word 0x{spellings.low_word:X} ({spellings.low_word})"
    yield f"Written as: {', '.join((spellings.hexadecimal, *numbers, low))}"
    yield f"Parts: {_parts(reading.parts)}"


def _parts(parts: Parts) -> str:
    name = f" ({parts.facility_name})" if parts.facility_name else ""
    return (
        f"{parts.form}, severity {parts.severity}, customer {int(parts.customer)}, "
        f"N {int(parts.nt)}, facility {parts.facility}{name}, code {parts.code}"
    )
