"""Where every command begins and ends: its name is looked up, its errors become words and a status.

A command raises; it never prints an error and never exits. What it returns, when it is a number, is
the exit status.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from wimdock import __version__
from wimdock.cli.commands import LazyGroup
from wimdock.cli.failure import EXIT_UNREAD, Failure, Terminated, failures
from wimdock.cli.output import print_document, visible, writing
from wimdock.errors import StorageError

_STDOUT = 1
_EPILOG = """\b
Examples:
  wimdock inspect golden.wim
  wimdock service golden.wim --update windows10.0-kb5001330-x64.cab
  wimdock rollback golden.wim
  wimdock doctor OfflineServicingMgr.log dism.log

Exit statuses, the JSON documents and shell completion are described in docs/reference.
"""


@click.group(
    cls=LazyGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="wimdock", message="%(prog)s %(version)s")
def wimdock() -> None:
    """Service Windows images (WIM files) offline, on Linux, without mounting them.

    Updates are put into the file in place, by appending. Every reparse point stays byte for byte
    as it was, and every run can be undone at once.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit status; nothing but an exit is raised."""
    stdout = sys.stdout
    try:
        result = wimdock.main(list(arguments), prog_name="wimdock", standalone_mode=False)
        with writing():
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(error.format_message() + "\n")
        return error.exit_code
    except SystemExit as error:
        if sys.stdout is not stdout:  # click turns a broken pipe into an exit and muffles stdout
            sys.stdout = stdout
            return _leave_unread()
        return error.code if isinstance(error.code, int) else 0
    except BaseException as error:  # noqa: BLE001 - the one place where everything ends
        return _report(error, as_json=_asks_for_json(arguments))
    return result if isinstance(result, int) else 0


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Tell whether --json was given, also where the rest of the line could not be understood."""
    options = list(arguments)
    if "--" in options:
        options = options[: options.index("--")]
    return "--json" in options


def _report(error: BaseException, *, as_json: bool) -> int:
    if isinstance(error, BrokenPipeError):
        return _leave_unread()
    found = failures(error)
    try:
        if os.environ.get("WIMDOCK_DEBUG") == "1":
            for line in "".join(traceback.format_exception(error)).split("\n"):
                sys.stderr.write(visible(line) + "\n")
        for failure in found:
            for line in failure.lines():
                sys.stderr.write(line + "\n")
        if as_json:
            _print_failures(found)
        with writing():
            sys.stdout.flush()
    except BrokenPipeError:
        return _leave_unread()
    except (OSError, StorageError):  # what cannot be told cannot be told
        _leave_unread()
    return found[0].exit_code


def _print_failures(found: tuple[Failure, ...]) -> None:
    print_document("error", {"errors": [failure.content() for failure in found]})


def _leave_unread() -> int:
    """Give up the output that nobody reads, so that Python does not stumble over it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDOUT)
    os.close(nowhere)
    return EXIT_UNREAD


def _on_terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


def main() -> NoReturn:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal's encoding does not have is written out, not an error.
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _on_terminate)
    sys.exit(run(sys.argv[1:]))
