"""Reading only the notable records gives exactly those, with their own line numbers."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from wimdock.doctor.logs import Form, Record
from wimdock.doctor.logs.assembly import records
from wimdock.doctor.logs.lines import whole_lines

_SERVER_END = "  $$<SMS_X><07-15-2023 09:12:45.332+240><thread=4116 (0x1014)>"
_CLIENT_END = ']LOG]!><time="1:2:3.4+0" date="1-2-2023" component="C" type="1" thread="1">'
_BORING = "2024-05-06 07:08:09, Info                  CBS    Read out applicability for: x"
_LINES = st.sampled_from(
    [
        *[_BORING] * 6,
        _BORING + "~",
        "2024-05-06 07:08:09, Info                  CBS    Failed [HRESULT = 0x800f0805]",
        "2024-05-06 07:08:09, Info                  CBS    ended with -2147024735",
        "2024-05-06 07:08:09, Info                  CBS    flags 0x80000006",
        "2024-05-06 07:08:09, WARN\u0130NG               CBS    \u0130 x",
        "2024-05-06 07:08:09, Error",
        "2024-05-06 07:08:09, 5 no level",
        "more",
        "more of 0x80070005",
        "",
        "~",
        "x~",
        "[4120] [0x800700a1] ImageRecaptureDirectory:(141): x",
        "> 2024-05-06 07:08:09, Info                  CBS    quoted",
        "SMS_OFFLINE_SERVICING_MANAGER UnMounting",
        "said" + _SERVER_END,
        _BORING + _SERVER_END,
        "<![LOG[open",
        "<![LOG[whole" + _CLIENT_END,
        "end" + _CLIENT_END,
        "<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>",
        "y" * 70_000 + " 0x80070005",
    ]
)


def _facts(found: list[Record]) -> list[tuple[int, Form, str]]:
    return [(record.line, record.form, record.text) for record in found]


@given(st.lists(_LINES, max_size=40), st.lists(st.integers(1, 300), max_size=30), st.booleans())
@example([_BORING, _BORING + "~", "said" + _SERVER_END], [1], True)  # noqa: FBT003 - ends its lines
def test_exactly_the_notable_records(lines: list[str], sizes: list[int], ended: bool) -> None:  # noqa: FBT001
    text = "\r\n".join(lines) + "\r\n" * ended
    cuts = [0, *accumulate(sizes), len(text)]
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    texts = list(whole_lines(pieces))
    every = list(records("x.log", texts))
    notable = list(records("x.log", texts, notable_only=True))
    assert _facts(notable) == _facts([record for record in every if record.is_notable])
    assert all(record.is_notable for record in every if record.codes)
    assert all(record.is_notable for record in every if record.form is not Form.SERVICING)


@given(
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.sampled_from(["", "0x8007000", "hr:", "exit code -214702473", "HRESULT=800F081"]),
)
def test_codes_are_always_notable(text: str, start: str) -> None:
    record = Record("x", 1, Form.SERVICING, f"{_BORING} {start}{text}")
    assert record.is_notable or not record.codes
