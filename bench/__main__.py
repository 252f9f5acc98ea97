"""Measures wimdock on the machine's own files, a long log, and distribution: scripts/bench."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from bench.distribution import distribution_figures, make_distributed, measure_distribution
from bench.figure import Figure
from bench.logs import log_figures, make_log, measure_logs
from bench.process import ROOT, BenchError
from bench.results import document, figures, machine, seconds, table
from bench.rounds import Measured, Rounds
from bench.samples import COMPRESSIONS, QUICK, Samples, Scale

# So many bytes on disk for a byte of content: image files, working copies, an applied tree.
_DISK = 3
# What is distributed: its size tells nothing, the bytes of a run do.
_DISTRIBUTED = Scale(20_000, 600, 600, 3_000, 50)


def default_cache() -> Path:
    """Give the folder that keeps the images between runs."""
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "wimdock-bench"


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--cache", type=Path, default=default_cache(), help="keeps the images")
    parser.add_argument("--quick", action="store_true", help="tiny images: shows that it runs")
    parser.add_argument("--rounds", type=int, default=5, help="of every pair (%(default)s)")
    parser.add_argument("--recaptures", type=int, default=1, help="slow ones (%(default)s)")
    parser.add_argument(
        "--megabytes", type=int, default=Scale().megabytes, help="of content, XPRESS (%(default)s)"
    )
    parser.add_argument("--only", choices=("images", "logs", "distribution"), help="only this part")
    parser.add_argument("--compression", choices=COMPRESSIONS, help="only images of this one")
    parser.add_argument("--log-megabytes", type=int, help="of CBS.log (400, with --quick 2)")
    parser.add_argument(
        "--json", action="store_true", help="print everything as JSON, tables on stderr"
    )
    return parser.parse_args(words)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _make(samples: Samples, scale: Scale) -> None:
    """Make the samples in another process: this one must stay small, see `bench.process.timed`."""
    _say("making the images and the package, unless they are there already")
    options = [f"--{name.replace('_', '-')}={value}" for name, value in asdict(scale).items()]
    command = [sys.executable, "-m", "bench.samples", str(samples.folder), *options]
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode:
        message = "the samples could not be made"
        raise BenchError(message)


def _need_space(samples: Samples, scale: Scale) -> None:
    """Refuse before anything is made what the disk would not hold in the end."""
    samples.folder.mkdir(parents=True, exist_ok=True)
    kept = sum(path.stat().st_size for path in samples.folder.glob("*.wim"))
    needed = _DISK * (scale.megabytes + scale.lzx_megabytes) * 10**6 - kept
    if shutil.disk_usage(samples.folder).free < needed:
        message = f"{samples.folder} needs {needed / 1e9:.0f} GB of free space"
        raise BenchError(message)


def _measure(given: argparse.Namespace, samples: Samples) -> list[Measured]:
    measured = []
    with tempfile.TemporaryDirectory(prefix="work-", dir=samples.folder) as folder:
        for compression in COMPRESSIONS:
            if given.compression in (None, compression):
                rounds = Rounds(samples, compression, Path(folder), _say)
                rounds.read(given.rounds)
                rounds.write(given.rounds)
                for _ in range(given.recaptures):
                    rounds.recapture()
                measured.append(rounds.measured)
    return measured


class _Part(NamedTuple):
    measured: Measured
    figures: list[Figure]


def _measure_logs(given: argparse.Namespace) -> _Part:
    megabytes = given.log_megabytes or (2 if given.quick else 400)
    folder = given.cache.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < 2 * megabytes * 10**6:
        message = f"{folder} needs {megabytes} MB of free space for a log"
        raise BenchError(message)
    path = folder / f"CBS-{megabytes}.log"
    _say("making the log, unless it is there already")
    make_log(path, megabytes)
    measured = measure_logs(path, given.rounds, _say)
    return _Part(measured, log_figures(measured, path))


def _measure_distribution(given: argparse.Namespace) -> _Part:
    scale = QUICK if given.quick else _DISTRIBUTED
    folder = given.cache.resolve() / f"distribution-{scale.name}"
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < 6 * scale.megabytes * 10**6:
        message = f"{folder} needs {6 * scale.megabytes} MB of free space"
        raise BenchError(message)
    _say("making the image and the package to distribute, unless they are there already")
    samples = make_distributed(folder, scale)
    measured, counted = measure_distribution(samples, given.rounds, _say)
    return _Part(measured, distribution_figures(counted))


def main(words: list[str] | None = None) -> int:
    """Measure and print; 1 where a goal is missed."""
    given = _arguments(words)
    scale = QUICK if given.quick else Scale(megabytes=given.megabytes)
    samples = Samples(given.cache.resolve() / scale.name)
    measured: list[Measured] = []
    found: list[Figure] = []
    if given.only in (None, "images"):
        _need_space(samples, scale)
        _make(samples, scale)
        measured += _measure(given, samples)
        found += [figure for each in measured for figure in figures(each)]
    if given.only == "logs" or (given.only is None and given.compression is None):
        logs = _measure_logs(given)
        measured.append(logs.measured)
        found += logs.figures
    if given.only == "distribution" or (given.only is None and given.compression is None):
        distributed = _measure_distribution(given)
        measured.append(distributed.measured)
        found += distributed.figures
    for line in _lines(samples, measured, table(found)):
        print(line, file=sys.stderr if given.json else sys.stdout)
    if given.json:
        print(json.dumps(document(samples, measured, found), indent=1))
    return 1 if any(figure.met is False for figure in found) else 0


def _lines(samples: Samples, measured: list[Measured], figures_table: str) -> Iterator[str]:
    yield ", ".join(f"{name} {value}" for name, value in machine().items())
    for path in sorted(samples.folder.glob("*.wim")):
        facts = samples.facts(path)
        yield (
            f"{path.stem}: {facts['entries']:,} entries, {facts['reparse_points']:,} reparse "
            f"points, {facts['content'] / 1e6:,.0f} MB of content in {facts['bytes'] / 1e6:,.0f} MB"
        )
    yield f"\n{figures_table}\n\n{seconds(measured)}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
