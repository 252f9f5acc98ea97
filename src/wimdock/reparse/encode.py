"""From a value to the bytes behind its tag: for the links that samples and the demo are made with.

The order of the two names, the terminators and the flags are those that Windows writes itself. The
result leaves out the 8-byte header, as a WIM file's blob does.
"""

from __future__ import annotations

import struct

from wimdock.errors import UsageError
from wimdock.reparse import tags
from wimdock.reparse.data import MAX_DATA, AppExecLink, MountPoint, SymbolicLink
from wimdock.reparse.decode import SYMLINK_FLAG_RELATIVE

_NAMES = struct.Struct("<HHHH")
_NUMBER = struct.Struct("<I")


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _checked(data: bytes) -> bytes:
    if len(data) > MAX_DATA:
        message = f"a reparse point of {len(data)} bytes is more than {MAX_DATA}"
        raise UsageError(message, hint="Take a shorter target.")
    return data


def encode(value: SymbolicLink | MountPoint | AppExecLink) -> tuple[int, bytes]:
    """Give tag and data of a link; UsageError where they would be too long for a reparse point."""
    if isinstance(value, SymbolicLink):
        return tags.SYMLINK, encode_symlink(value)
    if isinstance(value, MountPoint):
        return tags.MOUNT_POINT, encode_mount_point(value)
    return tags.APPEXECLINK, encode_app_exec_link(value)


def encode_symlink(link: SymbolicLink) -> bytes:
    """Give the data of a symbolic link: print name, then substitute name, no terminators."""
    substitute, printed = _utf16(link.substitute), _utf16(link.printed)
    _checked(substitute + printed)
    names = _NAMES.pack(len(printed), len(substitute), 0, len(printed))
    flags = _NUMBER.pack(SYMLINK_FLAG_RELATIVE if link.relative else 0)
    return _checked(names + flags + printed + substitute)


def encode_mount_point(link: MountPoint) -> bytes:
    """Give the data of a junction: substitute name, then print name, each with a terminator."""
    substitute, printed = _utf16(link.substitute), _utf16(link.printed)
    _checked(substitute + printed)
    names = _NAMES.pack(0, len(substitute), len(substitute) + 2, len(printed))
    return _checked(names + substitute + b"\0\0" + printed + b"\0\0")


def encode_app_exec_link(link: AppExecLink) -> bytes:
    """Give the data of a Store alias: a version and four strings with terminators."""
    strings = (link.package, link.entry_point, link.executable, link.application_type)
    if any("\0" in string for string in strings):
        message = "a NUL within a string of a Store alias"
        raise UsageError(message)
    text = _utf16("".join(f"{string}\0" for string in strings))
    return _checked(_NUMBER.pack(link.version) + text)


def symbolic_link(target: str) -> SymbolicLink:
    r"""Give the link that `mklink` makes: absolute where the target has a drive or a root."""
    if target.startswith(("\\\\?\\", "\\??\\")):
        return SymbolicLink("\\??\\" + target[4:], target, relative=False)
    if target.startswith("\\\\"):
        return SymbolicLink("\\??\\UNC\\" + target[2:], target, relative=False)
    if target[1:2] == ":":
        return SymbolicLink("\\??\\" + target, target, relative=False)
    return SymbolicLink(target, target, relative=True)


def junction(target: str) -> MountPoint:
    r"""Give the junction that `mklink /J` makes to an absolute path such as `C:\Users`."""
    plain = target[4:] if target.startswith(("\\\\?\\", "\\??\\")) else target
    return MountPoint("\\??\\" + plain, target)
