"""Mounts: images mounted through wimlib's FUSE mount, and a record of what is mounted where.

The record is ours and the mount is wimlib's: `list_mounts` looks at both and says where they do not
agree. Nothing here ever detaches a mount that is in use, and nothing removes a live one unasked.
docs/guide/mounting.md tells people what to expect.
"""

from wimdock.servicing.mounts.clearing import Cleared, cleanup_mountpoints, clear_stale
from wimdock.servicing.mounts.listing import Mounted, MountState, list_mounts
from wimdock.servicing.mounts.mountinfo import is_mount_point
from wimdock.servicing.mounts.mounting import mount, remount
from wimdock.servicing.mounts.record import MountRecord
from wimdock.servicing.mounts.unmounting import Unmounted, unmount

__all__ = [
    "Cleared",
    "MountRecord",
    "MountState",
    "Mounted",
    "Unmounted",
    "cleanup_mountpoints",
    "clear_stale",
    "is_mount_point",
    "list_mounts",
    "mount",
    "remount",
    "unmount",
]
