"""From runs to figures, and how they are shown."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence

from bench.figure import Figure, Range, ratio
from bench.rounds import Measured
from bench.samples import Samples
from wimdock import __version__

_MEGABYTE = 1e6
_MOST_MEMORY = 250.0
_LONGEST_ROLLBACK = 0.1
_RECAPTURE = 50.0
_GROWTH = 1.3


def figures(measured: Measured) -> list[Figure]:
    """Give all figures of one compression."""
    runs, compression = measured.runs, measured.compression

    def compare(name: str, ours: str, theirs: str, goal: float | None) -> Figure:
        return ratio(name, compression, runs[ours], runs[theirs], goal)

    found = [
        compare("inspect --reparse / wimlib-imagex dir", "inspect", "dir", 1.0),
        compare("transaction / wimlib-imagex update", "transaction", "update", 1.0),
        compare("transaction / update and sync", "transaction", "update and sync", None),
        compare("service / wimlib-imagex update", "service", "update", 2.0),
        compare("service / update and sync", "service", "update and sync", None),
    ]
    if "recapture" in runs:
        whole = min(sample.seconds for sample in runs["recapture"])
        faster = Range.of([whole / sample.seconds for sample in runs["service"]])
        name = "apply, add, capture / service"
        found.append(Figure(name, compression, faster, _RECAPTURE, at_least=True))
    for kind, name, goal in (
        ("small", "service, image 10 times larger", _GROWTH),
        ("heavy", "service, only its content 10 times larger", None),
    ):
        if f"service {kind}" in runs:
            larger, basis = ("service", kind) if kind == "small" else (f"service {kind}", "small")
            found.append(compare(name, larger, f"service {basis}", goal))
    peak = [sample.peak / _MEGABYTE for sample in runs["service"]]
    found.append(
        Figure(
            "peak memory of service",
            compression,
            Range(max(peak), min(peak), max(peak)),
            _MOST_MEMORY,
            unit="MB",
            rounds=len(peak),
        )
    )
    pairs = zip(runs["rollback"], runs["version"], strict=True)
    beyond = [one.seconds - other.seconds for one, other in pairs]
    found.append(
        Figure(
            "rollback beyond start-up",
            compression,
            Range.of(beyond),
            _LONGEST_ROLLBACK,
            unit="s",
            rounds=len(beyond),
        )
    )
    return found


def _number(value: float, unit: str) -> str:
    digits = {"MB": 0, "s": 3}.get(unit, 2 if value < _RECAPTURE / 5 else 1)
    return f"{value:.{digits}f}" + ("" if unit == "x" else f" {unit}")


def _rows(found: Sequence[Figure]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("", "figure", "goal", "measured", "least to most", "processor time", "met")
    ]
    words = {True: "yes", False: "NO", None: "-"}
    for figure in found:
        goal = "-"
        if figure.goal is not None:
            sign = ">=" if figure.at_least else "<="
            goal = f"{sign} {_number(figure.goal, figure.unit)}"
        measured = figure.measured
        rows.append(
            (
                figure.compression,
                figure.name,
                goal,
                _number(measured.middle, figure.unit),
                f"{_number(measured.low, figure.unit)} to {_number(measured.high, figure.unit)}",
                "" if figure.processor is None else _number(figure.processor, "x"),
                words[figure.met],
            )
        )
    return rows


def table(found: Sequence[Figure]) -> str:
    """Give the figures as a table."""
    return _aligned(_rows(found))


def seconds(all_measured: Sequence[Measured]) -> str:
    """Give how long everything took, as a table: medians of the clock and the processor."""
    rows = [("", "run", "seconds", "least to most", "processor", "peak MB", "rounds")]
    for measured in all_measured:
        for name, samples in measured.runs.items():
            clock = Range.of([sample.seconds for sample in samples])
            processor = Range.of([sample.processor for sample in samples])
            peak = max(sample.peak for sample in samples) / _MEGABYTE
            rows.append(
                (
                    measured.compression,
                    name,
                    f"{clock.middle:.2f}",
                    f"{clock.low:.2f} to {clock.high:.2f}",
                    f"{processor.middle:.2f}",
                    f"{peak:.0f}",
                    str(len(samples)),
                )
            )
    return _aligned(rows)


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)  # noqa: PLR2004 - two of words
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def machine() -> dict[str, object]:
    """Give what the figures were measured on."""
    said = subprocess.run(
        ["wimlib-imagex", "--version"], capture_output=True, text=True, check=False
    ).stdout
    return {
        "processors": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "wimlib": said.partition("\n")[0],
        "wimdock": __version__,
    }


def document(
    samples: Samples, all_measured: Sequence[Measured], found: Sequence[Figure]
) -> dict[str, object]:
    """Give everything for JSON."""
    images = {path.stem: samples.facts(path) for path in sorted(samples.folder.glob("*.wim"))}
    runs = {
        measured.compression: {
            name: [
                {
                    "seconds": round(sample.seconds, 4),
                    "processor": round(sample.processor, 4),
                    "peak": sample.peak,
                }
                for sample in all_samples
            ]
            for name, all_samples in measured.runs.items()
        }
        for measured in all_measured
    }
    return {
        "benchmark": 1,
        "machine": machine(),
        "images": images,
        "figures": [figure.document() for figure in found],
        "runs": runs,
    }
