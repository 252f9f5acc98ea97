r"""Servicing that an image has not finished: exclusive sessions, pending operations, packages.

An exclusive session that waits in the image makes the next update fail with 0x800F082F (failure 4).
It is recorded in the offline SOFTWARE hive, key
`Microsoft\Windows\CurrentVersion\Component Based Servicing\SessionsPending`, value `Exclusive`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from wimdock.image.change_set import HiveName
from wimdock.image.description import number_of
from wimdock.paths import ImagePath
from wimdock.servicing.preflight.check import Check, Result

if TYPE_CHECKING:
    from wimdock.image.windows import WindowsImage

NAME = "pending-sessions"
TITLE = "Pending sessions"

_CBS = r"Microsoft\Windows\CurrentVersion\Component Based Servicing"
_SESSIONS = rf"{_CBS}\SessionsPending"
_EXCLUSIVE = "Exclusive"
_PENDING_FILE = ImagePath(r"\Windows\WinSxS\pending.xml")
_PENDING_STATES = (0x05, 0x60)  # uninstall pending, install pending
_SHOWN = 5


def check_sessions(image: WindowsImage) -> Iterator[Check]:
    """Look for what an earlier servicing left undone; RegistryError where the hive is broken."""
    software = image.hive(HiveName.SOFTWARE)
    if software is None:
        reason = f"the image has no {HiveName.SOFTWARE.path}."
        yield Check(NAME, TITLE, Result.NOT_CHECKED, reason, index=image.index)
        return
    sessions = software.open_key(_SESSIONS)
    exclusive = None if sessions is None else number_of(sessions, _EXCLUSIVE)
    if exclusive:
        yield Check(
            NAME,
            TITLE,
            Result.FAILED,
            f"an exclusive session is pending (Exclusive = {exclusive}): an update would end with "
            "0x800F082F.",
            "Boot the image once and capture it anew, or set the value Exclusive to 0 in the "
            f"offline SOFTWARE hive, key {_SESSIONS}.",
            failure=4,
            index=image.index,
        )
        return
    waiting = tuple(p.id for p in image.installed_packages() if p.state in _PENDING_STATES)
    pending = image.lookup(_PENDING_FILE) is not None
    if waiting or pending:
        what = [f"{_PENDING_FILE} is there"] if pending else []
        if waiting:
            what.append(f"{len(waiting):,} package{'s wait' if len(waiting) > 1 else ' waits'}")
        yield Check(
            NAME,
            TITLE,
            Result.WARNING,
            f"earlier servicing is not finished: {' and '.join(what)} for the first start.",
            "Updates may still go in; superseded components cannot be removed until the image "
            "was booted and captured anew.",
            index=image.index,
            details=waiting[:_SHOWN],
        )
        return
    yield Check(NAME, TITLE, Result.PASSED, "nothing is pending in the image.", index=image.index)
