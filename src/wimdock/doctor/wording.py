r"""A rule's words filled with what a case brings: package, index, paths.

All of it comes from logs, which anybody may have written. In a sentence that does no harm; in a
command that people copy it could. So a command takes a path only where it is a plausible path of
its system, quoted where that is needed, and a placeholder such as `<MountDirectory>` else.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from wimdock.configmgr.staging import mount_directory, staging_place

PLACEHOLDERS: Mapping[str, str] = {
    "package": "<PackageID>",
    "index": "<Index>",
    "mount": "<MountDirectory>",
    "image": "<ImageFile>",
    "update": "<Update>",
    "host": "<Host>",
    "code": "<Code>",
    "command": "<Command>",
    "site": "<SiteCode>",
    "provider": "<Provider>",
    "staging": "<StagingFolder>",
}
"""What stands for a variable that a case does not bring."""

_SPOKEN: Mapping[str, str] = {"update": "an update", "host": "that did the work"}
_BRACED = re.compile(r"\{([a-z]+)\}")
_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:\\|\\\\[\w.$-]+\\)[^\"<>|?*:%^!&\x00-\x1f\x7f]*")
_PLAIN_WINDOWS = re.compile(r"[\w:\\.\-{}~$#@+=]*")
_POSIX_PATH = re.compile(r"/[^\x00-\x1f\x7f]*")
_WORD = re.compile(r"[\w.\-]{1,128}")
_PATHS = frozenset({"mount", "image", "staging"})
_UNKNOWN_DRIVE = "<Drive>:"


def is_windows_path(text: str) -> bool:
    """Tell whether a text is a path that may stand in a command of Windows."""
    return _WINDOWS_PATH.fullmatch(text) is not None


def is_posix_path(text: str) -> bool:
    """Tell whether a text is an absolute path of a system such as Linux."""
    return _POSIX_PATH.fullmatch(text) is not None


def staging_of(mount: str) -> str:
    """Give the staging folder that a mount directory lies in, empty where it is in none."""
    where = staging_place(mount)
    return where.folder if where else ""


def likely_mount(package: str) -> str:
    """Give the mount directory of a package on a drive that the log does not name."""
    return mount_directory(_UNKNOWN_DRIVE, package)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Fill a sentence; what is not known is said to be so."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return values.get(name) or _SPOKEN.get(name) or PLACEHOLDERS.get(name, found[0])

    return _BRACED.sub(value, text)


def sentence(text: str) -> str:
    """Give a text as a sentence of its own: with a capital letter and a full stop."""
    if not text:
        return ""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def fill_command(text: str, values: Mapping[str, str]) -> str:
    """Fill a command so that it can be copied: whatever is filled in stays one word."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        word = values.get(name, "")
        placeholder = PLACEHOLDERS.get(name, found[0])
        return _safe(name, word) or placeholder

    return _BRACED.sub(value, text)


def _safe(name: str, word: str) -> str:
    """Give a word as a command can hold it, empty where it cannot."""
    if name not in _PATHS:
        return word if _WORD.fullmatch(word) else ""
    if is_posix_path(word):
        return shlex.quote(word)
    if word.startswith(_UNKNOWN_DRIVE) and _PLAIN_WINDOWS.fullmatch(
        word.removeprefix(_UNKNOWN_DRIVE)
    ):
        return word
    if not is_windows_path(word):
        return ""
    return word if _PLAIN_WINDOWS.fullmatch(word) else f'"{word}"'
