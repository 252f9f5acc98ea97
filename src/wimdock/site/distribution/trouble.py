"""Troubles at a point: which of them mean that it is down, and when it is tried again."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from wimdock.errors import DistributionError, PointDown, StorageError
from wimdock.files import storage_error

_FIRST = timedelta(minutes=1)
_LAST = timedelta(hours=1)

# What a mount says whose server does not answer, and a disk that does not.
_DOWN = frozenset(
    {
        errno.EIO,
        errno.ESTALE,
        errno.ENOTCONN,
        errno.ENODEV,
        errno.ENXIO,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ETIMEDOUT,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EREMOTEIO,
        errno.ENOLINK,
        errno.ESHUTDOWN,
    }
)
_FOREIGN = "What stands there is not wimdock's: move it away."
_HINTS = {
    errno.EEXIST: _FOREIGN,
    errno.ENOTDIR: _FOREIGN,
    errno.EISDIR: _FOREIGN,
    errno.ELOOP: _FOREIGN,
    errno.ENOSPC: "Free space at the point; the transfer goes on where it stopped.",
    errno.EDQUOT: "Free space within the quota there; the transfer goes on where it stopped.",
    errno.EROFS: "The point is read-only: mount it for writing.",
    errno.EACCES: "Give whoever runs wimdock the right to write there.",
    errno.EPERM: "Give whoever runs wimdock the right to write there.",
}


@contextmanager
def at_point(name: str) -> Iterator[None]:
    """Turn the system's errors into those of the distribution point with this name."""
    try:
        yield
    except StorageError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        raise _point_error(name, error.__cause__, error) from error
    except OSError as error:
        raise _point_error(name, error, storage_error(error, error.filename or name)) from error


def _point_error(name: str, reason: OSError, told: StorageError) -> DistributionError:
    message = f"distribution point {name}: {told.message}"
    if reason.errno in _DOWN:
        return PointDown(message)
    hint = _HINTS.get(reason.errno or 0, told.hint)
    return DistributionError(message, hint=hint, hresult=told.hresult)


def delay(attempts: int) -> timedelta:
    """Give how long to wait after so many failures: a minute, then twice as long, at most an hour.

    The first failure is number 1.
    """
    doubled: timedelta = _FIRST * 2 ** min(max(attempts - 1, 0), 10)
    return min(doubled, _LAST)


def point_delay(down_for: timedelta) -> timedelta:
    """Give how long to wait for a point that has been down for so long: as long again."""
    return min(max(down_for, _FIRST), _LAST)
