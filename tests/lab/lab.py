"""The lab as tests use it: volumes and image files, each built once and kept for all workers."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.entry import LabFile, LabFolder, LabVolume
from tests.lab.image import RECIPES, make_image
from tests.lab.product import PACKAGES, LabProduct
from tests.lab.snapshot import Snapshot, snapshot
from tests.lab.tool import HIVE_TOOLS, VOLUME_TOOLS, missing
from tests.lab.tree import PRODUCT, standard_volume
from tests.lab.volume import make_volume

_SOURCES = Path(__file__).parent
_OLD_SECONDS = 86_400.0

PRO = LabProduct(name="Windows 10 Pro", edition="Professional", packages=PACKAGES[1:])


def obstacle() -> str | None:
    """Say why volumes cannot be built on this machine, None where they can."""
    absent = missing((*VOLUME_TOOLS, *HIVE_TOOLS))
    if absent:
        return f"not installed: {', '.join(absent)}"
    if os.geteuid() != 0:
        return "mounting NTFS volumes needs root"
    if not Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    return None


class Lab:
    """Volumes and images in a folder that is named by a hash of what they are made from."""

    def __init__(self, shelf: Path, dictionary: bytes | None = None) -> None:
        """Keep the shelf for all labs and the dictionary for the servicing stack's wcp.dll."""
        self.dictionary = dictionary
        self.folder = shelf / _key(dictionary)
        self.folder.mkdir(parents=True, exist_ok=True)
        _clear(shelf, self.folder)

    def volume(self, name: str = "enterprise") -> Path:
        """Give a volume of the lab: enterprise, pro, data or special. Do not change it."""

        def build(path: Path) -> None:
            make_volume(self._describe(name), path)

        return self._built(f"{name}.img", build)

    def image(self, recipe: str = "lzx") -> Path:
        """Give an image file by the name of its recipe. Do not change it."""

        def build(path: Path) -> None:
            make_image(RECIPES[recipe], path, self.volume)

        return self._built(f"{recipe}.wim", build)

    def copy(self, recipe: str, folder: Path) -> Path:
        """Give a copy of an image file to work on."""
        return Path(shutil.copyfile(self.image(recipe), folder / f"{recipe}.wim"))

    def snapshot(self, name: str = "enterprise") -> Snapshot:
        """Give what stands on a volume of the lab."""

        def build(path: Path) -> None:
            # A copy, so that two workers never mount the same volume.
            private = path.with_suffix(".img")
            shutil.copyfile(self.volume(name), private)
            path.write_bytes(pickle.dumps(snapshot(private)))
            private.unlink()

        made = self._built(f"{name}.facts", build)
        kept: Snapshot = pickle.loads(made.read_bytes())  # noqa: S301 - written right here
        return kept

    def _describe(self, name: str) -> LabVolume:
        workspace = self.folder / f"hives-{name}-{os.getpid()}"
        if name == "data":
            return LabVolume(
                (
                    LabFolder("Empty Folder"),
                    LabFile("readme.txt", content=b"no Windows here\r\n", links=("copy.txt",)),
                )
            )
        product = PRO if name == "pro" else PRODUCT
        described = standard_volume(workspace, self.dictionary, product, specials=name == "special")
        shutil.rmtree(workspace)
        return described

    def _built(self, name: str, build: Callable[[Path], None]) -> Path:
        path = self.folder / name
        if path.exists():
            return path
        with _locked(self.folder / f"{name}.lock"):
            if not path.exists():
                # wimlib-imagex takes the form of the file from nothing but its options, and
                # ntfs-3g names its mount after the volume: a plain name beside the final one.
                draft = self.folder / f"draft-{name}"
                build(draft)
                draft.rename(path)
        return path


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _key(dictionary: bytes | None) -> str:
    digest = hashlib.sha256(dictionary or b"")
    for source in sorted(_SOURCES.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _clear(shelf: Path, current: Path) -> None:
    """Remove labs of older sources that nobody has used for a day."""
    for folder in shelf.iterdir():
        if folder != current and time.time() - folder.stat().st_mtime > _OLD_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
