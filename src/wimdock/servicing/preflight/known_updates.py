"""Updates that are known to fail in Configuration Manager on certain images (failures 2 and 3).

Both are told by the version of the cumulative update, which names build and revision of the Windows
that it makes; revisions and months are those of Microsoft's public release history.
"""

from __future__ import annotations

from collections.abc import Iterator

from wimdock.reparse.hosts import WINDOWS_10_2004, Build
from wimdock.servicing.preflight.check import Check, Result
from wimdock.servicing.preflight.update_file import UpdateFile, is_cumulative

NAME = "update-known-failure"
TITLE = "Known failures"

# Windows 10 2004, 20H2 and 21H1 share their updates: those of 2021-03-09 to 2021-06-29.
_BUILDS_OF_2004 = range(WINDOWS_10_2004.number, WINDOWS_10_2004.number + 3)
_MARCH_2021 = 867
_JUNE_2021 = 1082
_NEEDED_REVISION = 985

_WINDOWS_11 = 22000
_KB5011493 = 556


def check_known(file: UpdateFile, build: Build, revision: int, index: int) -> Iterator[Check]:
    """Tell whether an update is one that Configuration Manager is known to fail with here."""
    for update in file.updates:
        if not is_cumulative(update):
            continue
        version = update.root.identity.version
        if (
            build.number in _BUILDS_OF_2004
            and revision < _NEEDED_REVISION
            and version.major in _BUILDS_OF_2004
            and _MARCH_2021 <= version.minor <= _JUNE_2021
        ):
            yield Check(
                NAME,
                TITLE,
                Result.FAILED,
                f"it is a cumulative update of March to June 2021 ({version.major}."
                f"{version.minor}) and the image has revision {revision}: below "
                f"{_NEEDED_REVISION} its applicability cannot be checked (0x80004001).",
                f"Use an image with revision {_NEEDED_REVISION} or later, or put the .msu in once "
                "by hand.",
                failure=2,
                index=index,
                update=file.path.name,
            )
        elif build.number == version.major == _WINDOWS_11 and version.minor < _KB5011493:
            yield Check(
                NAME,
                TITLE,
                Result.FAILED,
                f"it is a cumulative update of Windows 11 ({version.major}.{version.minor}) older "
                "than KB5011493 of March 2022: installing it ends with 0x8007007B.",
                "Use KB5011493 or a later cumulative update.",
                failure=3,
                index=index,
                update=file.path.name,
            )
