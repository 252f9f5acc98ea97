"""`wimdock demo`: the main job in a folder of its own, as the commands that anyone can type."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from wimdock.cli.options import FILE, examples
from wimdock.cli.output import print_text, visible
from wimdock.errors import StorageError, WimdockError
from wimdock.files import storage_error

_EXAMPLES = examples("wimdock demo", "wimdock demo /tmp/try-wimdock")
_IMAGE, _PACKAGE = "demo.wim", "demo-update.cab"
_HINT = "Name a new or empty folder."
_SIDECAR = f"{_IMAGE}.generations"
# What the demo leaves, and what it may leave when it is stopped.
_OWN = frozenset((_IMAGE, _PACKAGE, _SIDECAR, f".{_IMAGE}.new", f".{_SIDECAR}.new"))


@click.command(epilog=_EXAMPLES)
@click.argument("folder", type=FILE, default="wimdock-demo")
def demo(*, folder: Path) -> int:
    """Make a small image and an update, service it, show before and after, and roll back.

    Everything happens in FOLDER (wimdock-demo unless given); it needs no Windows and no root.
    """
    from wimdock.clock import SystemClock
    from wimdock.servicing.demo_image import make_demo_image
    from wimdock.servicing.demo_package import PROGRAM, write_demo_package

    _prepare(folder)
    make_demo_image(folder / _IMAGE, SystemClock())
    write_demo_package(folder / _PACKAGE)
    print_text(f"Made {_IMAGE} and {_PACKAGE} in {visible(str(folder))}. The image is no Windows:")
    print_text("it holds just what servicing needs, and reparse points of five kinds.")
    program_folder = PROGRAM.rpartition("\\")[0]
    steps = (
        ("What is inside?", ("inspect", _IMAGE)),
        ("Which reparse points are there?", ("inspect", _IMAGE, "--reparse")),
        ("Put the update in.", ("service", _IMAGE, "--update", _PACKAGE, "--allow-unsigned")),
        ("The program is there now,", ("inspect", _IMAGE, "--tree", program_folder)),
        ("and so is its package.", ("inspect", _IMAGE, "--packages")),
        ("Is every byte as it should be?", ("verify", _IMAGE)),
        ("What can be gone back to?", ("generations", _IMAGE)),
        ("Undo it.", ("rollback", _IMAGE)),
        ("The package is gone again.", ("inspect", _IMAGE, "--packages")),
    )
    for title, arguments in steps:
        status = _run(folder, title, arguments)
        if status:
            return status
    print_text()
    print_text("What to try next:")
    print_text(f"  cd {shlex.quote(str(folder))}")
    print_text(f"  wimdock service {_IMAGE} --update {_PACKAGE} --allow-unsigned --dry-run")
    print_text(f"  wimdock rollback {_IMAGE} --to 3")
    print_text("  wimdock service YOUR-COPY.wim --update YOUR-UPDATE.cab --dry-run")
    return 0


def _prepare(folder: Path) -> None:
    """Make the folder, or clear what an earlier demo left in it; anything else is kept safe."""
    if folder.is_file():
        message = f"{folder} is a file"
        raise StorageError(message, hint=_HINT, hresult=0x800700B7)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strange = sorted(entry.name for entry in folder.iterdir() if entry.name not in _OWN)
        if strange:
            message = f"{folder} holds what no demo made: {strange[0]}"
            raise StorageError(message, hint=_HINT, hresult=0x80070091)
        _refuse_another_image(folder / _IMAGE)
        for name in _OWN:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error


def _refuse_another_image(path: Path) -> None:
    """Keep an image safe that bears the name of the demo's and is another."""
    from wimdock.servicing.demo_image import is_demo_image

    if path.exists() and not is_demo_image(path):
        message = f"{path} is not the demo's"
        raise StorageError(message, hint=_HINT, hresult=0x80070091)


def _run(folder: Path, title: str, arguments: tuple[str, ...]) -> int:
    """Run one command in the folder, as if it had been typed there."""
    from wimdock.cli.main import run

    print_text()
    print_text(f"# {title}")
    print_text(f"$ wimdock {' '.join(_typed(argument) for argument in arguments)}")
    sys.stdout.flush()
    before = Path.cwd()
    try:
        os.chdir(folder)
        return run(arguments)
    except WimdockError as error:
        return error.exit_code
    finally:
        os.chdir(before)


def _typed(argument: str) -> str:
    """Quote an argument as people do."""
    return shlex.quote(argument)
