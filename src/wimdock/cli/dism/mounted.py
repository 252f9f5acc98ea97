"""/Get-MountedImageInfo and /Cleanup-Mountpoints: what is mounted, and what is left of mounts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wimdock.cli.dism.layout import UNDEFINED

if TYPE_CHECKING:
    from wimdock.cli.dism.session import Session
    from wimdock.servicing.mounts import Mounted


# What DISM calls the states of a mount.
_STATUS = {"mounted": "Ok", "stale": "Needs Remount", "invalid": "Invalid"}
_ON_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def get_mounted_image_info(session: Session) -> None:
    """Show every mounted image: ours, and those that wimlib mounted without us."""
    from wimdock.servicing.mounts import list_mounts

    session.screen.line("Mounted images:")
    session.screen.line()
    found = list_mounts()
    for mounted in found:
        session.screen.fields(_rows(session, mounted))
        session.screen.line()
    if not found:
        session.screen.line("No mounted images found.")
        session.screen.line()


def _rows(session: Session, mounted: Mounted) -> list[tuple[str, object]]:
    """Give what is shown of one; folder and file as Windows has them where they lie on a drive."""
    name = session.drives.windows_name
    typed = mounted.record.typed.replace('"', "") if mounted.record is not None else ""
    on_drive = _ON_DRIVE.match(typed) is not None
    return [
        ("Mount Dir", typed if on_drive else name(mounted.directory)),
        ("Image File", UNDEFINED if mounted.image is None else name(mounted.image)),
        ("Image Index", UNDEFINED if mounted.index is None else mounted.index),
        ("Mounted Read/Write", "Yes" if mounted.writable else "No"),
        ("Status", _STATUS[mounted.state.value]),
    ]


def cleanup_mountpoints(session: Session) -> None:
    """Clear away what is left of mounts that are over; a live mount is never touched."""
    from wimdock.servicing.mounts import cleanup_mountpoints as clean

    session.screen.line("Scanning for stale mounts")
    cleared = clean(session.surroundings())
    session.screen.step_done()
    for each in cleared:
        text = f"{each.record.typed or each.record.directory}: {', '.join(each.done)}"
        session.log.note("DISM WIM Provider", text)
        session.screen.line(text)
