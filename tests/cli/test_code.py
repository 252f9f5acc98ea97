"""`wimdock code`: what it prints, its JSON, its exit status, its speed, and how little it needs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from wimdock.cli.main import run
from wimdock.doctor.heads import load_heads
from wimdock.errors import UsageError

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(
    (ROOT / "docs" / "reference" / "schemas" / "code.json").read_text(encoding="utf-8")
)
# The target is 0.2 s on a machine with nothing else to do; a test runs beside others.
SLOWEST = 1.0

# A Python in which nothing can be imported that only Linux has, and no C library be loaded.
BARE = """
import sys

REFUSED = {"fcntl", "ctypes", "_ctypes", "cffi", "pwd", "grp", "resource", "termios"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ImportError(f"{name} is not to be had here")

sys.meta_path.insert(0, Refuse())
from wimdock.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def test_the_article(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["code", "0x800700a1"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:5] == [
        "Error Code: 0xA1 (161)",
        "Error Name: ERROR_BAD_PATHNAME",
        "Error Source: Windows",
        "Error Message: The specified path is invalid.",
    ]
    assert "Written as: 0x800700A1, -2147024735, 2147942561, low word 0xA1 (161)" in lines
    assert (
        "Parts: HRESULT, severity failure, customer 0, N 0, facility 7 (WIN32), code 161" in lines
    )
    assert any(line.startswith("Known failure 1, unknown-reparse-points: ") for line in lines)


@pytest.mark.parametrize("text", ["-2147024735", "-7ff8ff5f", "161", "0xA1", "ERROR_BAD_PATHNAME"])
def test_other_spellings_say_the_same(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["code", text]) == 0
    out = capsys.readouterr().out
    assert "  Error Name: ERROR_BAD_PATHNAME\n" in out
    assert "  Known failure 1, unknown-reparse-points: " in out


def test_every_code_of_a_known_failure_leads_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [(head, code) for head in load_heads() for code in head.codes]
    assert len({head.number for head, _ in pairs}) > 10
    assert run(["code", "--json", *(f"0x{code:08X}" for _, code in pairs)]) == 0
    document = json.loads(capsys.readouterr().out)
    for (head, _), found in zip(pairs, document["codes"], strict=True):
        assert head.id in [failure["id"] for failure in found["readings"][0]["failures"]]


def test_several_readings_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["code", "80070005"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("80070005 can be read in 2 ways:\n\n80070005 (hexadecimal)\n")
    assert out.index("ERROR_ACCESS_DENIED") < out.index("80070005 (decimal)\n  Unknown: ")


def test_an_unknown_code_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["code", "0x80240017"]) == 0
    out = capsys.readouterr().out
    assert "  Unknown: no table of wimdock has this code.\n" in out
    assert "facility 36 (WINDOWSUPDATE, Windows Update), code 23" in out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    codes = ["0x800700a1", "161", "2095", "0xD00000BB", "0xC1420127", "0", "0x80240017", "-1"]
    assert run(["code", "--json", *codes]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert [each["typed"] for each in document["codes"]] == codes
    (reading,) = document["codes"][0]["readings"]
    assert reading["meanings"] == [
        {
            "table": "Windows",
            "value": 161,
            "name": "ERROR_BAD_PATHNAME",
            "text": "The specified path is invalid.",
        }
    ]
    assert reading["spellings"]["signed"] == -2147024735
    assert document["codes"][4]["readings"][0]["meanings"][0]["name"] is None


def test_what_is_no_code_has_status_2_and_all_of_it_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["code", "0x800700a1", "nonsense", "\x1b[31mred"]) == UsageError.exit_code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "wimdock: 'nonsense' is no error code (0x80070057)\n" in err
    assert "red' is no error code" in err
    assert "\x1b" not in err


def test_what_was_typed_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["code", "\x1b]0;x\x07 0x800700a1"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_without_a_code_it_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["code"]) == 2
    assert "CODE" in capsys.readouterr().err


def test_it_runs_where_there_is_no_linux_and_no_c_library() -> None:
    done = subprocess.run(
        (sys.executable, "-c", BARE, "code", "0x800700a1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "ERROR_BAD_PATHNAME" in done.stdout


def test_it_answers_at_once() -> None:
    def seconds() -> float:
        began = time.perf_counter()
        subprocess.run(
            (sys.executable, "-m", "wimdock", "code", "0x800700a1", "2095", "E_NOTIMPL"),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - began

    assert min(seconds() for _ in range(3)) < SLOWEST
