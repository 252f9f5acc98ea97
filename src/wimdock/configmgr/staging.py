r"""The staging folder of Scheduled Updates: how it is named, and what lies in it.

`<drive>:\ConfigMgr_OfflineImageServicing` stands at the root of one drive of the server. In it are
`<content GUID>` folders with the binaries of updates, and for each image package a folder
`<package ID>` with the copy of its image file and `ImageMountDir`, where the image is mounted.
Windows compares these names without case. Source: KB 4517870 and the field's logs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wimdock.upcase import fold

STAGING_FOLDER = "ConfigMgr_OfflineImageServicing"
MOUNT_FOLDER = "ImageMountDir"
PACKAGE_ID = re.compile(r"[A-Z0-9]{3}[0-9A-F]{5}", re.ASCII)

_CONTENT = re.compile(
    r"\{?[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}\}?",
    re.ASCII | re.IGNORECASE,
)
_PLACE = re.compile(
    rf"(?P<root>.*?)[\\/]*(?P<folder>{STAGING_FOLDER})"
    rf"(?:[\\/]+(?P<package>[^\\/]+)(?:[\\/]+(?P<mount>{MOUNT_FOLDER}))?)?(?:[\\/].*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class StagingPlace:
    r"""What a path below a staging folder names.

    `root` is where the staging folder stands, without a separator at its end (`D:`, `/srv/d`);
    `package_id` is empty where the path names none; `folder` is the staging folder's whole path.
    """

    root: str
    folder: str
    package_id: str
    is_mount_directory: bool


def is_package_id(text: str) -> bool:
    """Tell whether a text is a package ID: a site code and five hexadecimal digits."""
    return text.isascii() and PACKAGE_ID.fullmatch(text.upper()) is not None


def is_staging_folder(name: str) -> bool:
    """Tell whether Windows takes a name for that of the staging folder."""
    return fold(name) == fold(STAGING_FOLDER)


def is_mount_folder(name: str) -> bool:
    """Tell whether Windows takes a name for that of a mount directory."""
    return fold(name) == fold(MOUNT_FOLDER)


def is_content_folder(name: str) -> bool:
    """Tell whether a folder's name is that of an update's content: a GUID."""
    return _CONTENT.fullmatch(name) is not None


def staging_place(path: str) -> StagingPlace | None:
    """Take a Windows or POSIX path below a staging folder apart; None for any other path."""
    found = _PLACE.fullmatch(path.strip().strip('"'))
    if found is None:
        return None
    package = found["package"] or ""
    return StagingPlace(
        root=found["root"],
        folder=path.strip().strip('"')[: found.end("folder")],
        package_id=package.upper() if is_package_id(package) else "",
        is_mount_directory=found["mount"] is not None,
    )


def mount_directory(root: str, package_id: str) -> str:
    r"""Give the mount directory of a package; `root` is that of a drive, such as `D:\`."""
    separator = "/" if "/" in root else "\\"
    names = (root.rstrip("\\/"), STAGING_FOLDER, package_id, MOUNT_FOLDER)
    return separator.join(names)


def unmount_command(directory: str) -> str:
    """Give the article's command that unmounts an image and discards its changes."""
    quoted = f'"{directory}"' if " " in directory else directory
    return f"Dism.exe /unmount-image /mountdir:{quoted} /discard"
