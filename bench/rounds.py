"""The runs of one compression, in rounds: each program once in every round, one after the other."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.process import WIMDOCK, Sample, timed
from bench.samples import Samples
from bench.working_copy import WorkingCopy

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """All runs of one compression, by the name of what ran, in the order of the rounds."""

    compression: str
    runs: dict[str, list[Sample]] = field(default_factory=dict)

    def note(self, name: str, sample: Sample) -> None:
        """Add a run."""
        self.runs.setdefault(name, []).append(sample)


class Rounds:
    """Measures one compression."""

    def __init__(self, samples: Samples, compression: str, folder: Path, say: Say) -> None:
        """Work in a folder; `say` is told what runs."""
        self._samples = samples
        self._folder = folder
        self._say = say
        self.measured = Measured(compression)

    def read(self, rounds: int) -> None:
        """Look into the image: reparse points against wimlib's list of names."""
        image = self._samples.image(self.measured.compression)
        for number in range(rounds):
            self._say(f"{self.measured.compression}: reading, round {number + 1} of {rounds}")
            self.measured.note("inspect", timed(WIMDOCK, "inspect", image, "--reparse"))
            self.measured.note("dir", timed("wimlib-imagex", "dir", image))

    def write(self, rounds: int) -> None:
        """Put the new files into the image in every way that writes in place."""
        compression = self.measured.compression
        kinds = [kind for kind in ("small", "heavy") if self._image(kind).exists()]
        large = WorkingCopy(self._image("large"), self._folder)
        others = {kind: WorkingCopy(self._image(kind), self._folder) for kind in kinds}
        for number in range(rounds):
            self._say(f"{compression}: writing, round {number + 1} of {rounds}")
            self._transaction(large)
            self._update(large)
            self._service(large)
            for kind, copy in others.items():
                sample = timed(WIMDOCK, "service", copy.path, "--update", self._samples.package)
                self.measured.note(f"service {kind}", sample)
                copy.restore()
        for copy in (large, *others.values()):
            copy.remove()

    def _image(self, kind: str) -> Path:
        return self._samples.image(self.measured.compression, kind)

    def _transaction(self, copy: WorkingCopy) -> None:
        driver = (sys.executable, "-m", "bench.transaction")
        self.measured.note("transaction", timed(*driver, copy.path, self._samples.new_files))
        copy.restore()

    def _update(self, copy: WorkingCopy) -> None:
        command = ("wimlib-imagex", "update", copy.path, "1")
        self.measured.note("update", timed(*command, stdin=self._samples.commands))
        copy.restore()
        flushed = ("sh", "-c", 'wimlib-imagex update "$0" 1 && sync "$0"', copy.path)
        self.measured.note("update and sync", timed(*flushed, stdin=self._samples.commands))
        copy.restore()

    def _service(self, copy: WorkingCopy) -> None:
        package = self._samples.package
        self.measured.note("service", timed(WIMDOCK, "service", copy.path, "--update", package))
        self.measured.note("rollback", timed(WIMDOCK, "rollback", copy.path))
        self.measured.note("version", timed(WIMDOCK, "--version"))
        copy.restore()

    def recapture(self) -> None:
        """Do it the way DISM does: apply the image, add the files, capture it all again."""
        compression = self.measured.compression
        self._say(f"{compression}: apply, add the files, capture")
        tree, out = self._folder / "applied", self._folder / "captured.wim"
        total = timed("wimlib-imagex", "apply", self._image("large"), "1", tree)
        total += timed("cp", "-r", self._samples.new_files, tree / "Windows" / "Bench")
        options = (f"--compress={compression}", "--norpfix", "--no-acls")
        total += timed("wimlib-imagex", "capture", tree, out, "Benchmark", *options)
        self.measured.note("recapture", total)
        shutil.rmtree(tree)
        out.unlink()
