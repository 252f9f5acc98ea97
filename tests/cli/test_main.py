"""The frame: start-up, exit statuses, errors in words, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from tests.cli.demo_files import copy_demo
from wimdock import __version__
from wimdock.cli import main as frame
from wimdock.cli.commands import COMMANDS, LazyGroup
from wimdock.cli.failure import Terminated
from wimdock.errors import (
    CorruptImage,
    MalformedImage,
    StorageError,
    UnsupportedPackage,
    UsageError,
)

WIMDOCK = (sys.executable, "-m", "wimdock")
HEAVY = (
    "archinfo",
    "asn1crypto",
    "cffi",
    "ctypes",
    "libarchive",
    "lxml",
    "pefile",
    "rich",
    "sqlalchemy",
)


def a_command_that(
    monkeypatch: pytest.MonkeyPatch, error: BaseException | None, returns: object = None
) -> None:
    """Make `wimdock act` raise `error` or return something."""

    @click.command("act")
    @click.option("--json", "as_json", is_flag=True)
    @click.option("--number", type=int)
    def act(*, as_json: bool, number: int | None) -> object:
        """Act."""
        del as_json, number
        if error is not None:
            raise error
        return returns

    monkeypatch.setitem(frame.wimdock.commands, "act", act)


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = frame.run(arguments)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = outcome(capsys, "--help")
    assert (status, err) == (0, "")
    words = " ".join(out.split())
    for name, lazy in COMMANDS.items():
        assert f" {name} {lazy.summary} " in words


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "--version") == (0, f"wimdock {__version__}\n", "")


def test_without_a_command_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = outcome(capsys)
    assert (status, out) == (UsageError.exit_code, "")
    assert err.splitlines() == outcome(capsys, "--help")[1].splitlines()


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from wimdock.cli.main import run; status = run(['--help']);"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr);"
        "sys.exit(status)"
    )
    ended = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, check=True
    )
    assert not set(HEAVY) & set(ended.stderr.split())
    assert "wimdock.wim" not in ended.stderr


def test_help_starts_at_once() -> None:
    best = min(_time_of_help() for _ in range(5))
    bare = min(_time_of(sys.executable, "-c", "pass") for _ in range(5))
    assert best < 0.2 or best < 8 * bare, "a slow machine is measured against its own Python"


def _time_of_help() -> float:
    return _time_of(*WIMDOCK, "--help")


def _time_of(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def test_an_error_is_what_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_command_that(monkeypatch, MalformedImage("a.wim: the header ends early"))
    status, out, err = outcome(capsys, "act")
    assert status == MalformedImage.exit_code
    assert out == ""
    assert err.splitlines() == [
        "wimdock: a.wim: the header ends early (0x8007000D)",
        f"  what to do: {MalformedImage.default_hint}",
    ]


def test_json_describes_the_error_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_command_that(monkeypatch, UnsupportedPackage("no", reasons=("a driver", "a PE delta")))
    status, out, err = outcome(capsys, "act", "--json")
    assert status == UnsupportedPackage.exit_code
    assert "  - a driver\n  - a PE delta\n" in err
    assert json.loads(out) == {
        "wimdock": {"document": "error", "version": 1},
        "errors": [
            {
                "type": "UnsupportedPackage",
                "message": "no",
                "hresult": "0x80070032",
                "exit_code": 43,
                "what_to_do": UnsupportedPackage.default_hint,
                "reasons": ["a driver", "a PE delta"],
            }
        ],
    }


def test_a_group_is_told_one_by_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = ExceptionGroup("inner", [CorruptImage("two"), CorruptImage("three")])
    a_command_that(monkeypatch, ExceptionGroup("outer", [MalformedImage("one"), inner]))
    status, _, err = outcome(capsys, "act")
    assert status == MalformedImage.exit_code
    told = [line for line in err.splitlines() if line.startswith("wimdock: ")]
    assert [line.split()[1] for line in told] == ["one", "two", "three"]


@pytest.mark.parametrize(
    "error, status, words",
    [
        (
            PermissionError(13, "Permission denied", "/a/b"),
            4,
            "/a/b: Permission denied (0x80070005)",
        ),
        (OSError(28, "No space left on device"), 4, "No space left on device (0x80070070)"),
        (OSError("odd"), 4, "odd"),
        (MemoryError(), 71, "not enough memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (Terminated(), 143, "told to end"),
        (BrokenPipeError(), 141, ""),
        (ZeroDivisionError("division\nby zero"), 70, "ZeroDivisionError: division by zero"),
        (RecursionError(), 70, ": RecursionError"),
        (click.BadParameter("bad"), 2, "bad (0x80070057)"),
    ],
)
def test_everything_else_is_told_in_words_too(
    error: BaseException,
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("WIMDOCK_DEBUG", raising=False)
    a_command_that(monkeypatch, error)
    kept = os.dup(1)
    try:
        assert frame.run(["act"]) == status
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    told = capfd.readouterr().err
    assert words in told
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) <= 2


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WIMDOCK_DEBUG", "1")
    a_command_that(monkeypatch, ZeroDivisionError())
    status, _, err = outcome(capsys, "act")
    assert status == 70
    assert "Traceback" in err


def test_debug_cannot_steer_the_terminal_either(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WIMDOCK_DEBUG", "1")
    a_command_that(monkeypatch, MalformedImage("\x1b[2Jgone\u202etxt\ud800"))
    _, _, err = outcome(capsys, "act")
    assert "Traceback" in err
    assert not {"\x1b", "\u202e", "\ud800"} & set(err)


def test_names_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_command_that(monkeypatch, MalformedImage("\x1b[2Jgone\u202etxt\n\ud800"))
    _, _, err = outcome(capsys, "act")
    assert err.splitlines()[0] == r"wimdock: \x1b[2Jgone\u202etxt\n\ud800 (0x8007000D)"


@pytest.mark.parametrize("returns, status", [(None, 0), (0, 0), (3, 3), ("text", 0)])
def test_a_number_that_a_command_returns_is_the_status(
    returns: object,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    a_command_that(monkeypatch, None, returns)
    assert outcome(capsys, "act")[0] == status


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["--nonsense"], ["act", "--number", "x"], ["act", "--nonsense"]]
)
def test_wrong_usage(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_command_that(monkeypatch, None)
    status, out, err = outcome(capsys, *arguments)
    assert (status, out) == (2, "")
    first, second = err.splitlines()
    assert first.endswith("(0x80070057)")
    assert second.startswith("  what to do: `wimdock")
    status, out, _ = outcome(capsys, *arguments, "--json")
    assert status == 2
    assert json.loads(out)["errors"][0]["exit_code"] == 2


def test_json_after_two_dashes_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "nonsense", "--", "--json")[1] == ""


def test_a_command_that_is_none_is_our_error() -> None:
    from wimdock.cli.commands import Lazy

    group = LazyGroup("x", lazy={"broken": Lazy("wimdock.errors", "WimdockError", "Nothing.")})
    with pytest.raises(TypeError, match="is no command"):
        group.get_command(click.Context(group), "broken")


def test_shell_completion_names_the_commands(tmp_path: Path) -> None:
    environment = os.environ | {
        "_WIMDOCK_COMPLETE": "bash_complete",
        "COMP_WORDS": "wimdock in",
        "COMP_CWORD": "1",
    }
    ended = subprocess.run(
        WIMDOCK, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert ended.stdout.splitlines() == ["plain,inspect"]
    assert ended.stderr == ""


def test_a_reader_that_leaves_early_is_no_error() -> None:
    ended = subprocess.run(
        ("bash", "-c", '"$0" -m wimdock --help | true; echo ${PIPESTATUS[0]}', sys.executable),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""
    assert ended.stdout.strip() in {"0", "141"}


def test_sigterm_unwinds() -> None:
    program = (
        "import sys, time, click; from wimdock.cli import main as frame\n"
        "@frame.wimdock.command()\n"
        "def wait():\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "sys.argv[1:] = ['wait']\n"
        "frame.main()\n"
    )
    with subprocess.Popen(
        (sys.executable, "-c", program), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 143
        assert "wimdock: told to end" in process.stderr.read()


@pytest.mark.parametrize("words", [(), ("--json",), ("--json", "--nonsense"), ("--reparse",)])
def test_an_output_that_cannot_be_written_is_told_apart_from_the_work(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    copy_demo(tmp_path)
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run(
            (*WIMDOCK, "inspect", tmp_path / "demo.wim", *words),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "Traceback" not in ended.stderr
    if "--nonsense" in words:
        assert ended.returncode == UsageError.exit_code
        return
    assert ended.returncode == StorageError.exit_code
    assert ended.stderr.splitlines() == [
        "wimdock: the output: No space left on device (0x80070070)",
        "  what to do: What the command had to do is done; only its output is not whole.",
    ]
