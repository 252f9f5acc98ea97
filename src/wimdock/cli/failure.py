"""What a command ended with, in words: every exception becomes a Failure, and none a traceback.

Exit statuses that belong to no class of `wimdock.errors` are kept here: 58 and 59 a preflight that
does not say yes, 59 a rehearsal too, 70 an error in wimdock itself, 71 out of memory, 130
interrupted, 141 nobody reads the output any more, 143 told to end.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

import wimdock
from wimdock.cli.output import visible
from wimdock.errors import UsageError, WimdockError
from wimdock.files import storage_error

EXIT_BLOCKED = 58
EXIT_UNCERTAIN = 59
EXIT_INTERNAL = 70
EXIT_MEMORY = 71
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141
EXIT_TERMINATED = 143

# What the statuses above mean, for the documentation.
OTHER_STATUSES = {
    0: "The command did what it was asked to do.",
    EXIT_BLOCKED: "`wimdock preflight`: a host cannot commit the image, or a check failed.",
    EXIT_UNCERTAIN: (
        "`wimdock preflight`, `wimdock rehearse`: something could not be judged; nothing failed."
    ),
    EXIT_INTERNAL: "An error in wimdock itself; WIMDOCK_DEBUG=1 shows where.",
    EXIT_MEMORY: "The machine ran out of memory.",
    EXIT_INTERRUPTED: "Interrupted from the keyboard (SIGINT).",
    EXIT_UNREAD: "Nobody reads the output any more (SIGPIPE).",
    EXIT_TERMINATED: "Told to end (SIGTERM).",
}

_OUT_OF_MEMORY = 0x8007000E
_CANCELLED = 0x800704C7


class Terminated(BaseException):
    """The process was told to end (SIGTERM): unwinds like an interrupt, so that nothing is left."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong: what, its HRESULT where Windows has one, and what to do."""

    kind: str
    message: str
    hint: str
    exit_code: int
    hresult: int | None = None
    reasons: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Give the lines for stderr: what is wrong, each reason, what to do."""
        code = "" if self.hresult is None else f" (0x{self.hresult:08X})"
        yield f"wimdock: {visible(self.message)}{code}"
        for reason in self.reasons if self.reasons != (self.message,) else ():
            yield f"  - {visible(reason)}"
        if self.hint:
            yield f"  what to do: {visible(self.hint)}"

    def content(self) -> dict[str, object]:
        """Give what a JSON document says of it."""
        return {
            "type": self.kind,
            "message": self.message,
            "hresult": None if self.hresult is None else f"0x{self.hresult:08X}",
            "exit_code": self.exit_code,
            "what_to_do": self.hint,
            "reasons": list(self.reasons),
        }


def _of_wimdock(error: WimdockError) -> Failure:
    return Failure(
        type(error).__name__,
        error.message,
        error.hint,
        error.exit_code,
        error.hresult,
        error.reasons,
    )


def _of_click(error: click.ClickException) -> Failure:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "wimdock"
    hint = f"`{path} --help` shows what it takes."
    # click lists choices on lines of their own.
    message = error.format_message().replace("\n\t", " ").rstrip(".")
    return _of_wimdock(UsageError(message, hint=hint))


def _of_group(group: BaseExceptionGroup[BaseException]) -> tuple[Failure, ...]:
    return tuple(failure for error in group.exceptions for failure in failures(error))


def _place(error: BaseException) -> str:
    """Say where in wimdock an exception came from."""
    home = Path(wimdock.__file__).parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(home):
            return f" in {file.relative_to(home)}, line {frame.lineno}"
    return ""


def _internal(error: BaseException) -> Failure:
    text = " ".join(str(error).split())
    where = _place(error)
    message = f"internal error{where}: {type(error).__name__}{': ' + text if text else ''}"
    hint = (
        "This is an error in wimdock. Run it again with WIMDOCK_DEBUG=1 and report the output, "
        "with the command, in the project's issue tracker."
    )
    return Failure("InternalError", message, hint, EXIT_INTERNAL)


def failures(error: BaseException) -> tuple[Failure, ...]:  # noqa: PLR0911 - a table of cases
    """Describe an exception: one Failure, or one for each member of a group.

    The first one's exit code is the command's.
    """
    match error:
        case BaseExceptionGroup():
            return _of_group(error)
        case WimdockError():
            return (_of_wimdock(error),)
        case click.ClickException():
            return (_of_click(error),)
        case BrokenPipeError():
            return (Failure("BrokenPipe", "", "", EXIT_UNREAD),)
        case OSError():
            name = error.filename if error.filename is not None else "the operating system"
            return (_of_wimdock(storage_error(error, _text(name))),)
        case MemoryError():
            message = "the machine has not enough memory for this"
            hint = "Close other programs or add memory; the image file is as it was."
            return (Failure("OutOfMemory", message, hint, EXIT_MEMORY, _OUT_OF_MEMORY),)
        case KeyboardInterrupt() | click.Abort():
            hint = "Run the command again when you want it; the image file is whole."
            return (Failure("Interrupted", "interrupted", hint, EXIT_INTERRUPTED, _CANCELLED),)
        case Terminated():
            hint = "Run the command again when you want it; the image file is whole."
            return (Failure("Terminated", "told to end", hint, EXIT_TERMINATED, _CANCELLED),)
        case _:
            return (_internal(error),)


def _text(name: object) -> str:
    """Give a file name as text; the operating system also knows bytes and descriptors."""
    return name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else str(name)
