"""Places in an image where a component may put a file or a folder.

Names must be such as Windows can have. Nothing goes over or through a reparse point: where it leads
is known on a running system only. Files of component servicing and of the registry are not payload.
"""

from __future__ import annotations

from wimdock.cbs.contents import is_safe_part
from wimdock.cbs.refusal import refuse
from wimdock.cbs.target import TargetImage
from wimdock.paths import ImagePath

MAX_DEPTH = 128

_KEPT_FOLDERS = (ImagePath("Windows\\WinSxS"), ImagePath("Windows\\servicing\\Packages"))
_HIVES = ImagePath("Windows\\System32\\config")
_HIVE_NAMES = frozenset(
    {"bbi", "components", "default", "drivers", "elam", "sam", "security", "software", "system"}
)
_USER_HIVE = ImagePath("Users\\Default\\NTUSER.DAT")


def check_place(path: ImagePath, image: TargetImage, *, folder: bool = False) -> None:
    """Make sure that a component's file, or with `folder` a folder, can stand at a path.

    Raises UnsupportedPackage where it cannot.
    """
    if len(path.parts) > MAX_DEPTH or not all(map(is_safe_part, path.parts)):
        refuse(f"{str(path)[:200]!r} is no path that Windows can have")
    if any(path.is_below(kept) for kept in _KEPT_FOLDERS) or path == _USER_HIVE:
        refuse(f"{path} belongs to Windows itself")
    if path.parent == _HIVES and path.name.lower().partition(".")[0] in _HIVE_NAMES:
        refuse(f"{path} belongs to the registry")
    check_way(path, image, folder=folder)


def check_way(path: ImagePath, image: TargetImage, *, folder: bool = False) -> None:
    """Make sure that nothing in the image stands in the way of a path: UnsupportedPackage else."""
    obstacle = image.obstacle(path, folder=folder)
    if obstacle:
        refuse(f"nothing can be put at {path}: {obstacle}")
