"""`wimdock dism`: the command that takes DISM's own command line.

click sees `--drive`, `--help` and `-h` only; everything else goes to our own parser as it was
typed, since `/Name:value` and `-Name:value` are nothing that click could read.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from wimdock.cli.options import examples

_OURS = "--drive"
_HELP = ("-h", "--help")

_EXAMPLES = examples(
    "wimdock dism /Get-ImageInfo /ImageFile:install.wim",
    "wimdock dism /Mount-Image /ImageFile:install.wim /Index:1 /MountDir:/srv/mnt",
    "wimdock dism /Image:install.wim /Add-Package /PackagePath:update.cab",
    r"wimdock dism --drive D=/srv/d /unmount-image '/mountdir:D:\Mount' /discard",
    "wimdock dism /Mount-Image /?",
)


class DismCommand(click.Command):
    """A command that hands over to click only the options that are click's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put our own options, which may stand anywhere, before what is DISM's."""
        ours, theirs = _sorted_out(args)
        return super().parse_args(ctx, [*ours, "--", *theirs])


def _sorted_out(args: Sequence[str]) -> tuple[list[str], list[str]]:
    ours: list[str] = []
    theirs: list[str] = []
    rest = iter(args)
    for token in rest:
        if token == _OURS:
            value = next(rest, None)
            if value is None:
                raise click.BadOptionUsage(_OURS, f"Option '{_OURS}' requires an argument.")
            ours += [token, value]
        elif token.startswith(f"{_OURS}=") or token in _HELP:
            ours.append(token)
        else:
            theirs.append(token)
    return ours, theirs


@click.command(cls=DismCommand, epilog=_EXAMPLES)
@click.option(
    _OURS,
    "drives",
    multiple=True,
    metavar="LETTER=FOLDER",
    help="The folder that stands for a drive, such as D=/srv/d; may be given several times.",
)
@click.argument("tokens", nargs=-1, type=click.UNPROCESSED, metavar="/COMMAND /OPTION:VALUE ...")
def dism(*, drives: tuple[str, ...], tokens: tuple[str, ...]) -> int:
    r"""Carry out a command line of DISM, with DISM's layout of output and its codes.

    Commands and options are written as DISM takes them, in any letter case: `/?` lists them. A
    Windows path such as `D:\images\a.wim` is looked for below the folder that --drive names for its
    drive; POSIX paths are taken as they are.

    The exit status is the low byte of the error's HRESULT, 161 for 0x800700A1, and 1 where that
    byte is zero. `docs/reference/dism.md` lists what is served and what is refused.
    """
    from wimdock.cli.dism.session import run

    return run(tokens, drives)
