"""What a rehearsal is asked to play."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from wimdock.configmgr import Provider, is_package_id
from wimdock.errors import UsageError

_DRIVE = re.compile(r"[A-Z]", re.ASCII)


@dataclass(frozen=True, slots=True)
class RehearsalOptions:
    """How to play a run of Scheduled Updates.

    `provider` is the host that does the work; `staging` the folder that plays the root of the drive
    `drive`; `package_id` the image's; `indexes` empty stands for all images, as in the original.
    """

    provider: Provider
    staging: Path
    updates: tuple[Path, ...] = ()
    indexes: tuple[int, ...] = ()
    package_id: str = "CAS00123"
    drive: str = "D"
    continue_on_error: bool = False
    allow_unsigned: bool = False
    dictionary: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be played: UsageError."""
        if not is_package_id(self.package_id) or self.package_id != self.package_id.upper():
            message = f"{self.package_id[:40]!r} is no package ID"
            hint = "A package ID is the site code and five hexadecimal digits, such as CAS00123."
            raise UsageError(message, hint=hint)
        if _DRIVE.fullmatch(self.drive) is None:
            message = f"{self.drive[:20]!r} is no drive letter"
            raise UsageError(message, hint="Give one letter, such as D.")
        if self.provider.build is None and not self.provider.is_wimdock:
            message = f"what {self.provider.name} can commit depends on its build"
            raise UsageError(message, hint=f"Give it: --provider {self.provider.name}=6.3.9600.")

    @property
    def site(self) -> str:
        """Give the site's code: the first three characters of its package IDs."""
        return self.package_id[:3]
