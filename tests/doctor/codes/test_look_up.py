"""Every spelling of a code is read, ambiguous ones in every way, and nothing else is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.doctor.codes import explain, look_up, parts_of
from wimdock.doctor.codes.spelling import _NAME
from wimdock.doctor.codes.table import TABLES, Row, Table
from wimdock.errors import UsageError

BAD_PATHNAME = 0x800700A1
WORDS = st.integers(0, 0xFFFFFFFF)


def codes(text: str) -> list[int]:
    return [reading.code for reading in look_up(text).readings]


@pytest.mark.parametrize(
    "text",
    [
        "0x800700a1",
        "0x800700A1",
        "0X800700A1",
        "800700a1",
        "800700A1",
        "800700a1h",
        "-2147024735",
        "2147942561",
        "2147942561u",
        "0x-7FF8FF5F",
        "-0x7ff8ff5f",
        "-7FF8FF5F",
        "0xFFFFFFFF800700A1",
        "0x800700a1~",
        " 0x800700a1.\r\n",
        "'0x800700a1'",
        "hr:0x800700a1",
        "(hr:0x800700a1)",
        "HRESULT=0x800700A1",
        "(HRESULT=0x800700a1)",
        "CBS HRESULT=0x800700a1",
        "Error: 0x800700a1",
        "error code -2147024735",
        "UnMountImage returned code 0x800700a1~",
        "[4120] [0x800700a1] ImageRecaptureDirectory:(141): The specified path is invalid.",
        "HRESULT_FROM_WIN32(ERROR_BAD_PATHNAME)",
        "__HRESULT_FROM_WIN32(0xA1)",
        "HRESULT_FROM_WIN32(161)",
        "HRESULT_FROM_WIN32(0x800700A1)",
        "\u22122147024735",
        "\u20132147024735",
        "800700a1\u00a0",
        "0x800700a1\u200b",
        "the update ended with 800700a1 again",
        "rc was -2147024735 this time",
    ],
)
def test_the_whole_code(text: str) -> None:
    assert codes(text) == [BAD_PATHNAME]
    assert look_up(text).meanings[0].name == "ERROR_BAD_PATHNAME"


@pytest.mark.parametrize(
    "text",
    [
        "0xA1",
        "a1",
        "00a1",
        "ERROR_BAD_PATHNAME",
        "error_bad_pathname",
        "BAD_PATHNAME",
        "error 0xa1",
    ],
)
def test_the_win32_code(text: str) -> None:
    assert codes(text) == [161]
    lookup = look_up(text)
    assert lookup.code == 161
    assert lookup.spellings.hexadecimal == "0x800700A1"
    assert lookup.spellings.signed == -2147024735
    assert lookup.parts == look_up("0x800700a1").parts


@pytest.mark.parametrize(
    "text, found",
    [
        ("161", [(161, "decimal"), (0x161, "hexadecimal")]),
        ("error 161", [(161, "decimal"), (0x161, "hexadecimal")]),
        ("80070005", [(0x80070005, "hexadecimal"), (80070005, "decimal")]),
        ("00000102", [(0x102, "hexadecimal"), (102, "decimal")]),
        ("5", [(5, "decimal or hexadecimal")]),
        ("-1", [(0xFFFFFFFF, "signed decimal")]),
        ("HRESULT_FROM_NT(STATUS_NOT_SUPPORTED)", [(0xD00000BB, "HRESULT_FROM_NT, name")]),
    ],
)
def test_readings_are_labelled_best_first(text: str, found: list[tuple[int, str]]) -> None:
    assert [(reading.code, reading.how) for reading in look_up(text).readings] == found


def test_a_low_word_leads_to_the_codes_of_servicing() -> None:
    first, *others = look_up("ErrorCode = 2095").readings
    assert first.code == 0x800F082F
    assert first.how == "the low word of 0x800F082F, as Configuration Manager writes it"
    assert [each.code for each in others] == [0x2095, 2095]
    assert 0xC1420117 in codes("0x0117")
    assert 0xC1510114 in codes("276")
    assert codes("16389")[0] == 0x80004005
    assert codes("0x11") == [0x11]


def test_a_name_without_its_prefix() -> None:
    assert [(each.code, each.how) for each in look_up("access_denied").readings] == [
        (5, "short for ERROR_ACCESS_DENIED"),
        (0xC0000022, "short for STATUS_ACCESS_DENIED"),
    ]
    assert codes("EXCLUSIVE_WOULD_MERGE") == [0x800F082F]
    assert codes("NOTIMPL") == [0x80004001]


@pytest.mark.parametrize(
    "line, code",
    [
        ("Image UnMount failed with error 161", 161),
        ("It ended with error 161.", 161),
        ("Failed to install update with ID 16787962 on the image. ErrorCode = 123", 123),
        ('ISTR0="CAS00123" ISTR1="1" ISTR3="161" ISTR4=""', 161),
        ("Dism.exe ended with exit code -1052638953", 0xC1420117),
        ("Win32Error: 5 when it was opened", 5),
    ],
)
def test_a_line_of_a_log_with_a_number(line: str, code: int) -> None:
    assert codes(line)[0] == code
    assert 16787962 not in codes(line)


def test_a_line_with_several_codes_gives_each() -> None:
    assert codes("failed 0x800f081e, then 0xC1420127, then 0x800F081E again") == [
        0x800F081E,
        0xC1420127,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~",
        "file",
        "nonsense",
        "ERROR_THERE_IS_NONE",
        "4294967296",
        "-2147483649",
        "--5",
        "0x123456789",
        "0x",
        "0xg1",
        "1.5",
        "NOT_FOUND" * 1000,
        "HRESULT_FROM_NT(161)",
        "SID S-1-5-21-2147024735-2147024735",
        "the GUID 800700a1-1234-4abc-9def-0123456789ab",
        "thread 80000bcd of it",
        "\x1b[31m",
        "0x800700a1" * 1000,
    ],
)
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        look_up(text)
    assert "is no error code" in caught.value.message
    assert len(caught.value.message) < 200
    assert "0x800700A1" in caught.value.hint


@given(WORDS)
def test_every_number_is_read_in_every_spelling(number: int) -> None:
    signed = number - (1 << 32) if number >> 31 else number
    for text in (f"0x{number:x}", f"0x{number:08X}~", f"{number:08x}", str(number), str(signed)):
        assert number in codes(text)
    assert codes(f"0x{number:X}")[0] == number or number < 0x10000


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        lookup = look_up(text)
    except UsageError:
        return
    assert lookup.readings


@given(st.sampled_from([(table, row) for table in TABLES for row in table.all_rows()]))
def test_every_name_and_code_of_every_table_is_found(pair: tuple[Table, Row]) -> None:
    table, row = pair
    if row.name:
        assert row.code in codes(row.name.lower())
    meanings = explain(row.code).meanings
    assert (table.name, row.name) in [(each.table, each.name) for each in meanings]


def test_every_name_has_the_form_of_a_name() -> None:
    names = [row.name for table in TABLES for row in table.all_rows() if row.name]
    assert [name for name in names if not re.fullmatch(_NAME, name, re.IGNORECASE)] == []


@pytest.mark.parametrize(
    "code, form, severity, facility, name, low",
    [
        (0x800700A1, "HRESULT", "failure", 7, "WIN32", 161),
        (161, "HRESULT", "failure", 7, "WIN32", 161),
        (0, "HRESULT", "success", 0, "NULL", 0),
        (
            0x800F082F,
            "HRESULT",
            "failure",
            15,
            "SETUPAPI, setup and component-based servicing",
            0x82F,
        ),
        (0x80240017, "HRESULT", "failure", 36, "WINDOWSUPDATE, Windows Update", 0x17),
        (0xC1420127, "HRESULT", "failure", 0x142, "the image library", 0x127),
        (0xC1510111, "HRESULT", "failure", 0x151, "DISM's WIM provider", 0x111),
        (0xC0040001, "HRESULT", "failure", 4, "the DISM API", 1),
        (0xC1900101, "HRESULT", "failure", 0x190, "Windows Setup", 0x101),
        (0xD00000BB, "HRESULT", "error", 0, "none", 0xBB),
        (0xC00000BB, "NTSTATUS", "error", 0, "none", 0xBB),
        (0x80000005, "NTSTATUS", "warning", 0, "none", 5),
        (0x8ABC0001, "HRESULT", "failure", 0x2BC, "", 1),
    ],
)
def test_parts(code: int, form: str, severity: str, facility: int, name: str, low: int) -> None:
    parts = explain(code).parts
    assert (parts.form, parts.severity, parts.facility) == (form, severity, facility)
    assert (parts.facility_name, parts.code) == (name, low)
    assert parts.nt == (code == 0xD00000BB)


@pytest.mark.parametrize(
    "text, table, code, form",
    [
        ("S_FALSE", "HRESULT", 1, "HRESULT"),
        ("STATUS_PENDING", "NTSTATUS", 0x103, "NTSTATUS"),
        ("DISMAPI_S_RELOAD_IMAGE_SESSION_REQUIRED", "DISM", 1, "HRESULT"),
        ("STATUS_PROCESS_NOT_IN_JOB", "NTSTATUS", 0x123, "NTSTATUS"),
    ],
)
def test_names_of_successes_are_no_failures(text: str, table: str, code: int, form: str) -> None:
    """Their numbers are Win32 codes as well, which stand for failures."""
    lookup = look_up(text)
    first = lookup.meanings[0]
    assert (first.name, first.table, lookup.code) == (text, table, code)
    assert lookup.spellings.hexadecimal == f"0x{code:08X}"
    assert (lookup.parts.form, lookup.parts.severity) == (form, "success")


def test_a_wrapped_status() -> None:
    assert look_up("HRESULT_FROM_NT(STATUS_PENDING)").code == 0x10000103


def test_a_failure_is_never_called_a_success() -> None:
    assert look_up("0x80070000").meanings == ()
    assert look_up("0x80070000").parts.severity == "failure"


@pytest.mark.parametrize("code", [0xA00700A1, 0xA00F081E, 0xE0000234])
def test_the_facility_of_a_customer_has_no_name(code: int) -> None:
    assert explain(code).parts.facility_name == ""
    assert explain(code).meanings == ()


def test_the_customer_bit() -> None:
    assert parts_of(0xA0010001).customer
    assert not parts_of(0x80010001).customer
