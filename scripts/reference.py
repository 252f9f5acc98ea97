"""The parts of docs/reference that follow from the code: commands, errors, settings, messages.

`scripts/docs` writes them; `tests/test_docs.py` fails where the files say something else.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from scripts.settings_page import settings_page
from wimdock import errors
from wimdock.cli.failure import OTHER_STATUSES
from wimdock.cli.main import wimdock
from wimdock.site.messages import TABLE, name_of
from wimdock.site.models import MessageSeverity

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
_NOTE = "<!-- Written by scripts/docs from the code: do not edit. -->"


def commands(
    group: click.Group = wimdock, path: tuple[str, ...] = ("wimdock",)
) -> Iterator[tuple[str, click.Command]]:
    """Give every command with its full name, in the order of the help."""
    context = click.Context(group, info_name=path[-1])
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    # click keeps the help option of whoever asked for it first: this one is made anew.
    words = "Show this message and exit."
    help_ = click.Option(context.help_option_names, is_flag=True, help=words)
    options = [
        parameter
        for parameter in (*command.params, help_)
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    if not options:
        return
    yield "| option | meaning |"
    yield "|---|---|"
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            yield f"| `{record[0].replace('|', chr(92) + '|')}` | {_cell(record[1])} |"
    yield ""


def _prose(text: str) -> Iterator[str]:
    """Give a help text as Markdown; click's preformatted blocks become code."""
    for block in inspect.cleandoc(text).split("\n\n"):
        if block.startswith("\b"):
            yield "```"
            yield from block.removeprefix("\b").strip("\n").splitlines()
            yield "```"
        else:
            yield from block.strip().splitlines()
        yield ""


def _command(name: str, command: click.Command) -> Iterator[str]:
    top = click.Context(wimdock, info_name="wimdock", **wimdock.context_settings)
    context = click.Context(command, info_name=name, parent=top)
    yield f"## {name}"
    yield ""
    yield "```"
    yield " ".join((name, *command.collect_usage_pieces(context)))
    yield "```"
    yield ""
    yield from _prose(command.help or "")
    yield from _options(command, context)
    if command.epilog:
        lines = inspect.cleandoc(command.epilog).replace("\b\n", "").splitlines()
        yield "```"
        yield from (line.strip() for line in lines if line.strip() != "Examples:")
        yield "```"
        yield ""


def cli_page() -> str:
    """Give docs/reference/cli.md."""
    lines = [
        _NOTE,
        "",
        "# Commands",
        "",
        "Results go to stdout, progress and errors to stderr. With `--json` there is one",
        "[JSON document](json.md) on stdout and nothing else. Every error has an",
        "[exit status](exit-codes.md) of its own. [Settings](environment.md) come from the",
        "environment.",
        "",
    ]
    for name, command in commands():
        lines += _command(name, command)
    return "\n".join(lines).rstrip() + "\n"


def error_classes(
    base: type[errors.WimdockError] = errors.WimdockError,
) -> Iterator[type[errors.WimdockError]]:
    """Give every class of the error tree, in the order of the source."""
    found = [
        thing
        for thing in vars(errors).values()
        if isinstance(thing, type) and issubclass(thing, base)
    ]
    yield from sorted(found, key=lambda kind: kind.exit_code)


def exit_codes_page() -> str:
    """Give docs/reference/exit-codes.md."""
    lines = [
        _NOTE,
        "",
        "# Exit statuses",
        "",
        "A status never changes its meaning once it was released. An error is one line that says",
        "what is wrong, with the HRESULT that Windows' own tools give for the same condition where",
        "there is one, and one line that says what to do. A single error may carry a more exact",
        "HRESULT than its class. Where several things are wrong, all are told, and the first one",
        "gives the status.",
        "",
        "| status | class | HRESULT | meaning | what to do |",
        "|---|---|---|---|---|",
    ]
    for kind in error_classes():
        code = "" if kind.hresult is None else f"`0x{kind.hresult:08X}`"
        meaning = (kind.__doc__ or "").split("\n\n")[0]
        lines.append(
            f"| {kind.exit_code} | {kind.__name__} | {code} | {_cell(meaning)} "
            f"| {_cell(kind.default_hint)} |"
        )
    lines += ["", "| status | meaning |", "|---|---|"]
    lines += [f"| {status} | {_cell(meaning)} |" for status, meaning in OTHER_STATUSES.items()]
    return "\n".join(lines) + "\n"


def status_messages_page() -> str:
    """Give docs/reference/status-messages.md."""
    severities = {
        MessageSeverity.INFORMATION: "information",
        MessageSeverity.WARNING: "warning",
        MessageSeverity.ERROR: "error",
    }
    lines = [
        _NOTE,
        "",
        "# Status messages",
        "",
        "`wimdock status list` shows them, `wimdock status export` writes them to a file, and the",
        "[log](../guide/log-and-history.md) has each as a line that begins with STATMSG. Two IDs",
        "are Microsoft's and mean what they mean there, as far as public logs show it; wimdock",
        "sends the one and only reads the other, since it unmounts nothing. All others are",
        "wimdock's own, 42000 to 42099, by tens for what they tell of: runs, image packages,",
        "updates, workers, distribution, notifications, schedules, the site. An ID never changes",
        "its meaning once it was released; IDs that are missing here are free.",
        "",
        "The insertion strings are `ISTR0`, `ISTR1` and so on, in this order; in the text each",
        "stands in braces.",
        "",
        "| ID | name | severity | insertion strings | text |",
        "|---|---|---|---|---|",
    ]
    for kind in TABLE.values():
        known = "" if kind.sent else " wimdock never sends it."
        lines.append(
            f"| {kind.id} | `{name_of(kind)}` | {severities[kind.severity]} "
            f"| {', '.join(kind.strings)} | {_cell(kind.text)}{known} |"
        )
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Give every page that is written from the code."""
    return {
        REFERENCE / "cli.md": cli_page(),
        REFERENCE / "exit-codes.md": exit_codes_page(),
        REFERENCE / "settings.md": settings_page(_NOTE),
        REFERENCE / "status-messages.md": status_messages_page(),
    }


def main() -> None:
    """Write the pages."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(REFERENCE.parent.parent)}")


if __name__ == "__main__":
    main()
