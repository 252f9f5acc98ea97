"""What a mounted image holds that its file does not: what is lost when the mount is discarded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.errors import WimdockError
from wimdock.paths import ImagePath
from wimdock.servicing.cleanup.measure import Measure
from wimdock.servicing.cleanup.staged import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wimdock.servicing.mounts import Mounted

_PACKAGES = ("Windows", "servicing", "Packages")
_MANIFEST = ".mum"


def change_of(mounted: Mounted, written: Sequence[Path]) -> Change:
    """Give what was changed in a mounted image.

    `written` are the folders in which wimlib keeps the files that were written. A package was added
    where its manifest lies in the mounted image but not in the image file. What cannot be read is
    not known, and no reason to stop.
    """
    counted = Measure()
    for folder in written:
        counted.add(folder)
    known = bool(written) and not counted.unreadable
    return Change(
        files=counted.files if known else None,
        size=counted.size if known else None,
        updates=_updates(mounted),
    )


def _updates(mounted: Mounted) -> tuple[str, ...] | None:
    now = _manifests_in_folder(mounted.directory)
    before = _manifests_in_image(mounted.image, mounted.index)
    if now is None or before is None:
        return None
    added = sorted(name for key, name in now.items() if key not in before)
    return tuple(name[: -len(_MANIFEST)] for name in added)


def _manifests_in_folder(folder: Path) -> dict[str, str] | None:
    """Give the manifests in a mounted image by their folded names; None where it does not answer.

    An image of another system has no such folder: it has no packages.
    """
    try:
        for name in _PACKAGES:
            found = [path for path in folder.iterdir() if path.name.casefold() == name.casefold()]
            if not found:
                return {}
            folder = found[0]
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return None
    return {name.casefold(): name for name in names if name.casefold().endswith(_MANIFEST)}


def _manifests_in_image(image: Path | None, index: int | None) -> frozenset[str] | None:
    if image is None or index is None:
        return None
    with suppress(WimdockError, OSError):
        from wimdock.wim import Archive

        with Archive.open(image) as archive:
            opened = archive.image(index)
            folder = opened.lookup(ImagePath("\\" + "\\".join(_PACKAGES)))
            if folder is None:
                return frozenset()
            return frozenset(child.name.casefold() for child in opened.children(folder))
    return None
