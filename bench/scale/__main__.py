"""Plays a large site for a month of simulated time, and writes docs/scale.md: scripts/scale."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench.process import ROOT
from bench.results import machine
from bench.scale.check import SimulationError, check
from bench.scale.report import GROWTH, growth, report
from bench.scale.world import Size, World

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
SMALL = Size(packages=200, workers=20, days=7, group=10, troubles=24, outage=40, minutes=15)
_SIZES = ("packages", "workers", "days", "group", "minutes")
_PAGE = ROOT / "docs" / "scale.md"


def main(words: list[str] | None = None) -> int:
    """Play, check, and tell the figures; 1 where something was lost, done twice, or not flat."""
    arguments = _arguments(words)
    size = Size() if not arguments.quick else SMALL
    given = {name: getattr(arguments, name) for name in _SIZES if getattr(arguments, name)}
    size = replace(size, seed=arguments.seed, **given)
    folder = Path(
        tempfile.mkdtemp(prefix="wimdock-scale-", dir=_MEMORY if _MEMORY.is_dir() else None)
    )
    began = time.monotonic()
    try:
        world = World(folder / "site", size)
        world.play(lambda said: print(said, file=sys.stderr, flush=True))
        try:
            checked = check(world)
        except SimulationError as error:
            print(f"scale: {error}", file=sys.stderr)
            return 1
        finally:
            world.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = report(world, checked, seconds=time.monotonic() - began, machine=_machine())
    print(text)
    output = arguments.output or (None if arguments.quick else _PAGE)
    if output is not None:
        output.write_text(text, encoding="utf-8")
    return 0 if arguments.quick or growth(world) <= GROWTH else 1


def _machine() -> str:
    about = machine()
    return f"{about['processors']} processors, Python {about['python']}"


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small site for a week")
    for name in _SIZES:
        parser.add_argument(f"--{name}", type=int, help="of the site, in place of the size's own")
    parser.add_argument("--seed", type=int, default=1, help="of what befalls it (%(default)s)")
    parser.add_argument(
        "--output", type=Path, help="the page; docs/scale.md, and none with --quick, unless given"
    )
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
