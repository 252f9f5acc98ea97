"""Extended attributes of ntfs-3g, read in the way that it can answer.

os.getxattr first tries a small buffer, and ntfs-3g answers a longer value with garbage for the
kernel (EIO) where it should say ERANGE. So ask for the length first.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

_ABSENT = {errno.ENODATA, errno.ENOENT, errno.EOPNOTSUPP}

_lgetxattr = ctypes.CDLL(None, use_errno=True).lgetxattr
_lgetxattr.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
_lgetxattr.restype = ctypes.c_ssize_t


def read_attribute(path: Path, name: str) -> bytes | None:
    """Give an extended attribute of the path itself (no link is followed), None without one."""
    words = (os.fsencode(path), name.encode())
    length = _lgetxattr(*words, None, 0)
    if length > 0:
        buffer = ctypes.create_string_buffer(length)
        length = _lgetxattr(*words, buffer, length)
        if length >= 0:
            return buffer.raw[:length]
    elif length == 0:
        return b""
    number = ctypes.get_errno()
    if number in _ABSENT:
        return None
    raise OSError(number, os.strerror(number), str(path))


def need_attribute(path: Path, name: str) -> bytes:
    """Give an extended attribute that is always there."""
    value = read_attribute(path, name)
    if value is None:
        raise OSError(errno.ENODATA, name, str(path))
    return value
