"""Whole processes, timed from the cold start to the end, with their memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIMDOCK = Path(sys.executable).with_name("wimdock")


class BenchError(Exception):
    """A program that is measured, or that makes the samples, failed."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a program: seconds on the clock, seconds of processor time, peak bytes."""

    seconds: float
    processor: float
    peak: int

    def __add__(self, other: Sample) -> Sample:
        """Give what two runs one after the other come to."""
        return Sample(
            self.seconds + other.seconds,
            self.processor + other.processor,
            max(self.peak, other.peak),
        )


def timed(*command: str | Path, stdin: Path | None = None) -> Sample:
    """Run a program to its end and measure it; BenchError with its words where it fails.

    The peak is that of the largest process of it and of its children. A process inherits the peak
    of the one that starts it: whoever calls this must itself be small.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as said, (stdin or Path(os.devnull)).open("rb") as given:
        start = time.perf_counter()
        process = subprocess.Popen(
            words, stdin=given, stdout=subprocess.DEVNULL, stderr=said, cwd=ROOT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            reason = said.read()[-2000:].decode("utf-8", "replace")
            message = f"{' '.join(words)} failed:\n{reason}"
            raise BenchError(message)
    return Sample(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10)
