r"""The same clean-up for a Windows host, as the commands of KB 4517870: unmount, then delete.

wimdock cannot unmount what DISM mounted; people run these at an elevated prompt on the host.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from wimdock.configmgr.staging import staging_place, unmount_command
from wimdock.errors import UsageError
from wimdock.servicing.cleanup.staged import PackageState, StagedPackage, StagingFolder

_ON_DRIVE = re.compile(r"[A-Za-z]:\\.+", re.DOTALL)
# Anything else means something to a command prompt, or cannot be in a name.
_HARMLESS = re.compile(r"[A-Za-z]:[\w .\\-]+")

WindowsName = Callable[[Path], str]


def commands_for(folder: StagingFolder, windows_name: WindowsName) -> tuple[str, ...]:
    """Give the commands for one staging folder, in the order in which they are to be run.

    One line unmounts each package that has a mount directory. The last one deletes the staging
    folder and must wait until all before it have succeeded; it is left out where the folder holds
    anything that is not recognised. `windows_name` gives the path that Windows has for one here.
    UsageError where a path has none, or none that a command prompt would take as it is.
    """
    directories = [
        _directory(package, windows_name)
        for package in folder.packages
        if package.state is not PackageState.ABSENT
    ]
    lines = [unmount_command(directory) for directory in directories]
    if not folder.unknown:
        place = staging_place(directories[0]) if directories else None
        path = place.folder if place else _checked(windows_name(folder.path), folder.path)
        lines.append(f'rmdir /s /q "{path}"' if " " in path else f"rmdir /s /q {path}")
    return tuple(lines)


def _directory(package: StagedPackage, windows_name: WindowsName) -> str:
    """Give a mount directory in Windows' words: as it was typed to DISM where that is known."""
    place = staging_place(package.typed)
    if place and place.is_mount_directory and place.package_id == package.package_id:
        return _checked(package.typed, package.mount_directory)
    return _checked(windows_name(package.mount_directory), package.mount_directory)


def _checked(name: str, path: Path) -> str:
    if _ON_DRIVE.fullmatch(name) is None:
        message = f"which drive of the Windows host {path} lies on is not known"
        parents = path.parents
        root = next(p.parent for p in (path, *parents) if staging_place(str(p.parent)) is None)
        raise UsageError(message, hint=f"Say it, such as --drive D={root}.")
    if _HARMLESS.fullmatch(name) is None:
        message = f"{name} holds characters that a command prompt would take for something else"
        raise UsageError(message, hint="Type the commands of KB 4517870 yourself.")
    return name
