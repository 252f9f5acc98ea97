"""How many bytes of a run travel to a distribution point, and how fast."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.figure import Figure, Range
from bench.process import timed
from bench.rounds import Measured, Say
from bench.samples import Samples, Scale, capture, make_package, make_windows
from bench.selection import choose, machine_files

NAME = "distribution"
_COMPRESSION = "XPRESS"
_MOST = 1.01
_HEADER = 208


def make_distributed(folder: Path, scale: Scale) -> Samples:
    """Make an image of `scale.megabytes` and the package, unless they are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = Samples(folder)
    if not samples.commands.exists():
        make_package(samples, scale)
    image = samples.image(_COMPRESSION)
    if not image.exists():
        files = choose(machine_files(), scale.entries, scale.megabytes * 10**6)
        capture(files, make_windows(folder / "windows"), image, _COMPRESSION)
    return samples


def measure_distribution(
    samples: Samples, rounds: int, say: Say
) -> tuple[Measured, list[dict[str, Any]]]:
    """Distribute the image in rounds; give the runs, and what was counted in each."""
    measured, counted = Measured(NAME), []
    for number in range(rounds):
        say(f"{NAME}: round {number + 1} of {rounds}")
        with tempfile.TemporaryDirectory(prefix="work-", dir=samples.folder) as folder:
            out = Path(folder, "counted.json")
            words = (samples.image(_COMPRESSION), samples.package, folder, out)
            sample = timed(sys.executable, "-m", "bench.distributor", *words)
            measured.note("send, service and send, roll back and send", sample)
            counted.append(json.loads(out.read_text()))
    return measured, counted


def distribution_figures(counted: list[dict[str, Any]]) -> list[Figure]:
    """Give the figures: the goal is that of a run, at either kind of point."""

    def figure(name: str, values: list[float], goal: float | None, unit: str = "x") -> Figure:
        return Figure(name, NAME, Range.of(values), goal, unit=unit, rounds=len(counted))

    found = [
        figure(
            f"bytes sent of a run / added, {words}",
            [each["run"][point] / each["added"] for each in counted],
            _MOST,
        )
        for point, words in (("folder", "folder"), ("store", "object store"))
    ]
    found += [
        figure(
            "bytes sent of a rollback, folder, headers",
            [each["rollback"]["folder"] / _HEADER for each in counted],
            1.0,
        ),
        figure("megabytes added by the run", [each["added"] / 1e6 for each in counted], None, "MB"),
        figure("megabytes of the image", [each["image"] / 1e6 for each in counted], None, "MB"),
    ]
    peaks = [each["peak"] / 1e6 for each in counted]
    found.append(figure("peak memory, servicing included", peaks, None, "MB"))
    for point in ("folder", "store"):
        seconds = [each["run"]["seconds"][point] for each in counted]
        found.append(figure(f"seconds to send the run, {point}", seconds, None, "s"))
        seconds = [each["whole"]["seconds"][point] for each in counted]
        found.append(figure(f"seconds to send it whole, {point}", seconds, None, "s"))
    return found
