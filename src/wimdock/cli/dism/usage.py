"""The help of `/?`: the commands that are served, or how one of them is written."""

from __future__ import annotations

from wimdock.cli.dism.layout import Screen
from wimdock.cli.dism.verbs import SERVED, VERBS, Verb

_COMMON = (
    ("/LogPath:FILE", "Write the log there."),
    ("/LogLevel:N", "What it holds: 1 errors, 2 warnings too, 3 and 4 everything (3)."),
    ("/ScratchDir:FOLDER", "Unpack updates there."),
    ("/Quiet", "Print nothing but errors."),
    ("/English, /NoRestart", "Taken, and without effect."),
    ("--drive D=FOLDER", "Take FOLDER for drive D. May be given several times."),
)
_WIDTH = 24


def show_usage(screen: Screen, verb: Verb | None) -> None:
    """Print the list of commands, or what is known of one."""
    if verb is None:
        _show_all(screen)
    elif verb.refused:
        screen.line(f"/{verb.name} is not served (Error: 50): {verb.refused}.")
    else:
        _show_one(screen, verb)


def _show_all(screen: Screen) -> None:
    screen.line("wimdock dism [--drive D=FOLDER]... /Command /Option:value...")
    screen.line()
    screen.line("COMMANDS:")
    for verb in SERVED:
        also = f" (also {', '.join('/' + name for name in verb.aliases)})" if verb.aliases else ""
        screen.line(f"  /{verb.name}{also}")
    screen.line()
    screen.line("OPTIONS OF EVERY COMMAND:")
    for option, meaning in _COMMON:
        screen.line(f"  {option.ljust(_WIDTH)}{meaning}")
    screen.line()
    refused = len({verb.name for verb in VERBS.values() if verb.refused})
    screen.line(f"Another {refused} commands of DISM are known and end with Error: 50.")
    screen.line("`/Command /?` shows how a command is written. docs/reference/dism.md says more.")


def _show_one(screen: Screen, verb: Verb) -> None:
    screen.line(f"/{verb.name} {verb.usage}".rstrip())
    for name in verb.aliases:
        screen.line(f"/{name}: the same under its older name.")
    notes = [option for option in verb.options if option.refused or option.idle]
    if notes:
        screen.line()
    for option in notes:
        if option.refused:
            screen.line(f"  /{option.name} is not served (Error: 50): {option.refused}.")
        else:
            screen.line(f"  /{option.name} has no effect: {option.idle}.")
