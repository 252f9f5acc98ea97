r"""The same clean-up for a Windows host, as the commands of KB 4517870: unmount, then delete.

wimdock cannot unmount what DISM mounted; people run these at an elevated prompt on the host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from wimdock.configmgr.staging import staging_place, unmount_command
from wimdock.errors import UsageError
from wimdock.servicing.cleanup.staged import PackageState, StagedPackage, StagingFolder
from wimdock.upcase import fold

_ON_DRIVE = re.compile(r"[A-Za-z]:\\.+", re.DOTALL)
# Anything else means something to a command prompt, or cannot be in a name.
_HARMLESS = re.compile(r"[A-Za-z]:[\w .\\-]+")

WindowsName = Callable[[Path], str]


def commands_for(folder: StagingFolder, windows_name: WindowsName) -> tuple[str, ...]:
    """Give the commands for one staging folder, in the order in which they are to be run.

    One line unmounts each package that has a mount directory. The last one deletes the staging
    folder and must wait until all before it have succeeded; it is left out where the folder holds
    anything that is not recognised. `windows_name` gives the path that Windows has for one here.
    UsageError where a path has none, or none that a command prompt would take as it is, or where
    the packages of one folder would lie in several: the last line would delete another folder.
    """
    directories = [
        _directory(package, windows_name)
        for package in folder.packages
        if package.state is not PackageState.ABSENT
    ]
    lines = [unmount_command(directory) for directory in directories]
    if not folder.unknown:
        path = _staging(directories) or _checked(windows_name(folder.path), folder.path)
        lines.append(f'rmdir /s /q "{path}"' if " " in path else f"rmdir /s /q {path}")
    return tuple(lines)


def _directory(package: StagedPackage, windows_name: WindowsName) -> str:
    """Give a mount directory as Windows has it, else as it was typed to DISM, where it was."""
    name = windows_name(package.mount_directory)
    place = staging_place(package.typed)
    fits = place and place.is_mount_directory and place.package_id == package.package_id
    if fits and _ON_DRIVE.fullmatch(name) is None:
        name = package.typed
    return _checked(name, package.mount_directory)


def _staging(directories: Sequence[str]) -> str:
    """Give the staging folder that all of the mount directories lie in; empty where there is none.

    UsageError where they lie in several.
    """
    folders = [place.folder for name in directories if (place := staging_place(name))]
    if len({fold(name) for name in folders}) > 1:
        message = f"the packages were mounted in {' and '.join(sorted(set(folders)))}"
        hint = "Say with --drive which folder here is which drive there."
        raise UsageError(message, hint=hint)
    return folders[0] if folders else ""


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
