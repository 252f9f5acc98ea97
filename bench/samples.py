"""Makes what is measured, in a process of its own: python -m bench.samples FOLDER [options].

Other people's programs make it all: the images come from wimlib-imagex, their hives from the lab's
hivexregedit, the package from the lab's cabinet writer. What is there already is kept.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.process import BenchError
from bench.selection import Chosen, choose, heavy, machine_files, thin
from tests.lab.cases import large_package
from tests.lab.hive import make_hive
from tests.lab.package import bare_files, write_package
from tests.lab.tree import PRODUCT

COMPRESSIONS = ("XPRESS", "LZX")
GROWTH = 10
FOLDER_FORMAT = 2
_FOLDERS = ("System32/config", "SysWOW64", "WinSxS/Manifests", "WinSxS/Catalogs", "servicing")


@dataclass(frozen=True, slots=True)
class Scale:
    """How large everything is: entries and megabytes of the image, files and megabytes put in.

    LZX compresses so slowly that its image has fewer megabytes, of as many entries at least.
    """

    entries: int = 100_000
    megabytes: int = 5_000
    lzx_megabytes: int = 1_500
    new_files: int = 3_000
    new_megabytes: int = 50

    @property
    def name(self) -> str:
        """A name for a folder with samples of this scale."""
        sizes = (self.entries, self.megabytes, self.lzx_megabytes)
        return "-".join(map(str, (f"format{FOLDER_FORMAT}", *sizes, self.new_files)))


QUICK = Scale(2_000, 20, 20, 40, 1)


@dataclass(frozen=True, slots=True)
class Samples:
    """The folder of samples of one scale, by the names of what is in it."""

    folder: Path

    def image(self, compression: str, kind: str = "large") -> Path:
        """Give an image file: "large", "small" (a tenth of it) or "heavy" (small, but in bytes)."""
        return self.folder / f"{kind}-{compression}.wim"

    @property
    def new_files(self) -> Path:
        """The folder with the files that are put in."""
        return self.folder / "new"

    @property
    def package(self) -> Path:
        """The package that brings the same files."""
        return self.folder / "large.cab"

    @property
    def commands(self) -> Path:
        """What `wimlib-imagex update` is told: put the folder in."""
        return self.folder / "commands.txt"

    def facts(self, image: Path) -> dict[str, int]:
        """Give entries, reparse points and bytes of content of an image, as they were counted."""
        found: dict[str, int] = json.loads(image.with_suffix(".json").read_text())
        return found


def make_samples(samples: Samples, scale: Scale) -> None:
    """Make what is missing."""
    samples.folder.mkdir(parents=True, exist_ok=True)
    if not samples.commands.exists():
        make_package(samples, scale)
    wanted = [
        *((compression, "large") for compression in COMPRESSIONS),
        *((compression, "small") for compression in COMPRESSIONS),
        (COMPRESSIONS[0], "heavy"),
    ]
    missing = [each for each in wanted if not samples.image(*each).exists()]
    if missing:
        tree = make_windows(samples.folder / "windows")
        machine = machine_files()
        for compression, kind in missing:
            megabytes = scale.lzx_megabytes if compression == "LZX" else scale.megabytes
            files = _select(machine, scale.entries, megabytes * 10**6)[kind]
            capture(files, tree, samples.image(compression, kind), compression)


def make_package(samples: Samples, scale: Scale) -> None:
    """Write the package, the files that it brings, and how wimlib is told of them."""
    package = large_package(scale.new_files, scale.new_megabytes)
    write_package(samples.package, package)
    samples.new_files.mkdir(exist_ok=True)
    for name, content in bare_files(package).items():
        if "\\" in name:
            (samples.new_files / name.rpartition("\\")[2]).write_bytes(content)
    samples.commands.write_text(f'add "{samples.new_files}" "/Windows/Bench"\n')


def make_windows(folder: Path) -> Path:
    """Make the folders and hives that servicing needs; give the folder."""
    for name in _FOLDERS:
        (folder / "Windows" / name).mkdir(parents=True, exist_ok=True)
    config = folder / "Windows" / "System32" / "config"
    make_hive(config / "SOFTWARE", *PRODUCT.software())
    make_hive(config / "SYSTEM", *PRODUCT.system())
    make_hive(config / "COMPONENTS", *PRODUCT.components_hive())
    make_hive(config / "DEFAULT", *PRODUCT.default())
    return folder


def _select(machine: list[Chosen], entries: int, size: int) -> dict[str, list[Chosen]]:
    large = choose(machine, entries, size)
    if len(large) > 2 * entries:
        # The links are few: in an image of a few rows of neighbours there might be none.
        links = [file for file in large if file.is_link]
        files = thin([file for file in large if not file.is_link], len(large) // entries)
        large = sorted((*files, *links), key=lambda file: file.target)
    small = thin(large, GROWTH)
    missing = sum(file.size for file in large) - sum(file.size for file in small)
    return {"large": large, "small": small, "heavy": [*small, *heavy(machine, large, missing)]}


def capture(files: list[Chosen], tree: Path, image: Path, compression: str) -> None:
    """Capture files and the tree of `make_windows` into an image; note what is in it."""
    listed = image.with_suffix(".sources")
    lines = [f'"{tree}" "/"', *(f'"{file.path}" "{file.target}"' for file in files)]
    listed.write_text("\n".join(lines) + "\n")
    draft = image.with_suffix(".draft")
    options = (f"--compress={compression}", "--source-list", "--norpfix", "--no-acls")
    _run("wimlib-imagex", "capture", listed, draft, "Benchmark", *options)
    folders = {"/"}
    for file in files:
        here = file.folder
        while here not in folders and here:
            folders.add(here)
            here = here.rpartition("/")[0]
    facts = {
        "entries": len(files) + len(folders) + len(_FOLDERS) + 4,
        "reparse_points": sum(file.is_link for file in files),
        "content": sum(file.size for file in files),
        "bytes": draft.stat().st_size,
    }
    image.with_suffix(".json").write_text(json.dumps(facts))
    draft.rename(image)


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
    if done.returncode:
        message = f"{command[0]} {command[1]} failed: {done.stderr[-2000:]!r}"
        raise BenchError(message)


def main() -> None:
    """Make the samples of one scale in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for name in Scale.__dataclass_fields__:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, required=True)
    given = vars(parser.parse_args())
    make_samples(Samples(given.pop("folder")), Scale(**given))


if __name__ == "__main__":
    main()
