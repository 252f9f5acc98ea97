r"""Whose a reparse point is: the application that made it, as far as path and data tell.

Most tags belong to one owner. Links belong to whoever put them there, which the path or the target
shows for Office Click-to-Run and for the compatibility links that Windows Setup makes in every
profile (`\Users\All Users`, `\Documents and Settings`, ...).
"""

from __future__ import annotations

from enum import Enum
from itertools import pairwise

from wimdock.paths import ImagePath
from wimdock.reparse import tags
from wimdock.reparse.data import MountPoint, ReparseValue, SymbolicLink, plain_target
from wimdock.upcase import fold

_HIDDEN_SYSTEM = 0x2 | 0x4


class Owner(Enum):
    """Who made a reparse point and interprets it; the value is its name for people."""

    OFFICE = "Office Click-to-Run"
    STORE = "Store alias"
    ONEDRIVE = "OneDrive"
    CLOUD = "cloud files"
    WSL = "WSL"
    CONTAINERS = "containers"
    COMPACT = "compressed file (WOF)"
    DEDUPLICATION = "data deduplication"
    PROJECTION = "projected file system"
    FILE_SYNC = "Azure File Sync"
    STORAGE = "hierarchical storage"
    NFS = "NFS server"
    WIM_MOUNT = "mounted image"
    SOCKET = "Unix socket"
    WINDOWS = "Windows itself"
    PLAIN = "plain link"
    THIRD_PARTY = "third party"
    UNKNOWN = "unknown"


_OWNERS: dict[int, Owner] = {
    tags.APPEXECLINK: Owner.STORE,
    tags.ONEDRIVE: Owner.ONEDRIVE,
    tags.FILE_PLACEHOLDER: Owner.ONEDRIVE,
    tags.LX_SYMLINK: Owner.WSL,
    tags.LX_FIFO: Owner.WSL,
    tags.LX_CHR: Owner.WSL,
    tags.LX_BLK: Owner.WSL,
    tags.AF_UNIX: Owner.SOCKET,
    tags.WCI: Owner.CONTAINERS,
    tags.WCI_1: Owner.CONTAINERS,
    tags.WCI_LINK: Owner.CONTAINERS,
    tags.WCI_LINK_1: Owner.CONTAINERS,
    tags.WCI_TOMBSTONE: Owner.CONTAINERS,
    tags.UNHANDLED: Owner.CONTAINERS,
    tags.GLOBAL_REPARSE: Owner.CONTAINERS,
    0xA0000028: Owner.CONTAINERS,
    tags.WOF: Owner.COMPACT,
    tags.DEDUP: Owner.DEDUPLICATION,
    tags.PROJFS: Owner.PROJECTION,
    tags.PROJFS_TOMBSTONE: Owner.PROJECTION,
    tags.STORAGE_SYNC: Owner.FILE_SYNC,
    tags.STORAGE_SYNC_FOLDER: Owner.FILE_SYNC,
    0xC0000004: Owner.STORAGE,
    0x80000006: Owner.STORAGE,
    tags.NFS: Owner.NFS,
    tags.WIM: Owner.WIM_MOUNT,
}

_NAMES_IN: dict[tuple[str, ...], frozenset[str]] = {
    (): frozenset({"DOCUMENTS AND SETTINGS"}),
    ("USERS",): frozenset({"ALL USERS", "DEFAULT USER"}),
    ("PROGRAMDATA",): frozenset(
        {"APPLICATION DATA", "DESKTOP", "DOCUMENTS", "FAVORITES", "START MENU", "TEMPLATES"}
    ),
}
_IN_PROFILE = frozenset(
    {
        ("APPLICATION DATA",),
        ("COOKIES",),
        ("LOCAL SETTINGS",),
        ("MY DOCUMENTS",),
        ("NETHOOD",),
        ("PRINTHOOD",),
        ("RECENT",),
        ("SENDTO",),
        ("START MENU",),
        ("TEMPLATES",),
        ("DOCUMENTS", "MY MUSIC"),
        ("DOCUMENTS", "MY PICTURES"),
        ("DOCUMENTS", "MY VIDEOS"),
        ("APPDATA", "LOCAL", "APPLICATION DATA"),
        ("APPDATA", "LOCAL", "HISTORY"),
        ("APPDATA", "LOCAL", "TEMPORARY INTERNET FILES"),
        ("APPDATA", "LOCAL", "MICROSOFT", "WINDOWS", "TEMPORARY INTERNET FILES"),
        ("APPDATA", "LOCAL", "MICROSOFT", "WINDOWS", "INETCACHE", "CONTENT.IE5"),
        ("APPDATA", "LOCAL", "MICROSOFT", "WINDOWS", "INETCACHE", "LOW", "CONTENT.IE5"),
    }
)
_SERVICE_PROFILES = (
    ("WINDOWS", "SYSTEM32", "CONFIG", "SYSTEMPROFILE"),
    ("WINDOWS", "SYSWOW64", "CONFIG", "SYSTEMPROFILE"),
    ("WINDOWS", "SERVICEPROFILES", "LOCALSERVICE"),
    ("WINDOWS", "SERVICEPROFILES", "NETWORKSERVICE"),
)
_OF_WINDOWS = frozenset({"USERS", "PROGRAMDATA", "PROGRAM FILES", "PROGRAM FILES (X86)"})


def owner_of(path: ImagePath, tag: int, value: ReparseValue, attributes: int = 0) -> Owner:
    """Tell who owns a reparse point; `attributes` are those of its file or folder."""
    if not tag & tags.MICROSOFT:
        return Owner.THIRD_PARTY
    if tag in tags.CLOUD_TAGS:
        return Owner.ONEDRIVE if _is_in_onedrive(path) else Owner.CLOUD
    if tag in (tags.SYMLINK, tags.MOUNT_POINT):
        return _owner_of_link(path, value, attributes)
    return _OWNERS.get(tag, Owner.UNKNOWN)


def _is_in_onedrive(path: ImagePath) -> bool:
    return any(part.startswith("ONEDRIVE") for part in path.key)


def _target(value: ReparseValue) -> str:
    r"""Give a link's target folded, without prefix, drive and leading backslash."""
    if not isinstance(value, SymbolicLink | MountPoint):
        return ""
    target = fold(plain_target(value.substitute))
    if target[1:2] == ":":
        target = target[2:]
    return target.strip("\\")


def _owner_of_link(path: ImagePath, value: ReparseValue, attributes: int) -> Owner:
    target = _target(value)
    # Almost all links are plain: one look for a word before a target is taken apart.
    may_be = "CLICKTORUN" in target or "MICROSOFT OFFICE" in target
    if _is_of_office(path.key) or (may_be and _is_of_office(tuple(target.split("\\")))):
        return Owner.OFFICE
    if _is_of_windows(path.key, target, attributes):
        return Owner.WINDOWS
    return Owner.PLAIN


def _is_of_office(parts: tuple[str, ...]) -> bool:
    if "CLICKTORUN" in parts:
        return True
    return "ROOT" in parts and any(
        part.startswith("MICROSOFT OFFICE") and following == "ROOT"
        for part, following in pairwise(parts)
    )


def _is_of_windows(parts: tuple[str, ...], target: str, attributes: int) -> bool:
    r"""Tell whether it is a compatibility link that Windows Setup makes.

    English names are known. In other languages they have other names (`\Programme`), but all of
    them are hidden system links to a folder that Windows itself makes.
    """
    in_profile = _in_profile(parts)
    if in_profile in _IN_PROFILE:
        return True
    if len(parts) <= 2 and parts and parts[-1] in _names_in(parts[:-1]):  # noqa: PLR2004
        return True
    if attributes & _HIDDEN_SYSTEM != _HIDDEN_SYSTEM or not target:
        return False
    in_known_place = in_profile or len(parts) == 1 or (parts and parts[0] in _OF_WINDOWS)
    led_to = tuple(target.split("\\"))
    return bool(in_known_place) and (led_to[0] in _OF_WINDOWS or bool(_in_profile(led_to)))


def _names_in(folder: tuple[str, ...]) -> frozenset[str]:
    return _NAMES_IN.get(folder, frozenset())


def _in_profile(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Give the parts below a user's or a service's profile; () where it is in none."""
    if not parts:
        return ()
    if parts[0] == "USERS":
        return parts[2:]
    if parts[0] == "WINDOWS":
        for profile in _SERVICE_PROFILES:
            if parts[: len(profile)] == profile:
                return parts[len(profile) :]
    return ()
