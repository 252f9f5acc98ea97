"""The numbers by which Configuration Manager tells of image servicing.

They are those of its public WMI classes SMS_ImageServicing* and SMS_ImageUpdate*.
"""

from __future__ import annotations

from enum import IntEnum

_FACILITY_WIN32 = 0x8007


class ScheduleAction(IntEnum):
    """What an administrator asked of a schedule."""

    NONE = 0
    INSTALL = 1
    CANCEL = 2


class ScheduleState(IntEnum):
    """Where a schedule is."""

    NONE = 0
    SCHEDULED = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILED = 4


class ProgressStatus(IntEnum):
    """Where the servicing of an image package is."""

    RUNNING = 1
    SUCCESS = 2
    FAILED = 3


class UpdateStatus(IntEnum):
    """What is known of an update in an image."""

    UNKNOWN = 0
    NOT_REQUIRED = 1
    INSTALLED = 2
    APPLICABLE = 3
    CHECK_NOT_SUPPORTED = 4
    INSTALLED_CHECK_NOT_SUPPORTED = 5


def win32_code(hresult: int | None) -> int | None:
    """Give the Win32 error code that an HRESULT carries; None where it carries none, 0 for None."""
    if hresult is None:
        return 0
    return hresult & 0xFFFF if hresult >> 16 == _FACILITY_WIN32 else None
