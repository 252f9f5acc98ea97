"""Leftovers of earlier runs: stale mounts and staging folders that make a new run fail."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from wimdock.servicing.preflight.check import Check, Result

LEFTOVERS = ("staging-leftovers", "Leftovers")
MOUNTS = ("mounts", "Mounted images")

_SHOWN = 5


def check_leftovers(staging: Path) -> Iterator[Check]:
    """Look for what earlier runs left in a staging folder."""
    from wimdock.servicing.cleanup import leftovers_in

    found = leftovers_in(staging)
    if not found and not staging.exists():
        yield Check(*LEFTOVERS, Result.PASSED, f"{staging} is not there, and nothing in it.")
        return
    if not found:
        yield Check(*LEFTOVERS, Result.PASSED, "nothing of an earlier run is in the way.")
        return
    what = "1 leftover" if len(found) == 1 else f"{len(found):,} leftovers"
    yield Check(
        *LEFTOVERS,
        Result.FAILED,
        f"{what} of an earlier run would make a new one fail, on any image.",
        f"`wimdock cleanup {shlex.quote(str(staging))}` shows what is there and takes it away.",
        failure=9,
        details=tuple(leftover.text for leftover in found[:_SHOWN]),
    )


def check_mounts(image: Path) -> Iterator[Check]:
    """Look for mounts of this image on this machine, and for stale mounts of any."""
    from wimdock.servicing.mounts import list_mounts

    mounts = list_mounts()
    mine = [each for each in mounts if each.image is not None and _is_same(each.image, image)]
    stale = [each for each in mounts if not each.is_live and each not in mine]
    if mine:
        yield Check(
            *MOUNTS,
            Result.FAILED,
            "this image is mounted already: mounting it for a run would end with 0xC1420127.",
            f"`wimdock unmount {shlex.quote(str(mine[0].directory))} --discard` ends that; what "
            "was changed there is lost.",
            failure=9,
            details=tuple(f"{each.directory}: {each.state.value}" for each in mine[:_SHOWN]),
        )
    elif stale:
        yield Check(
            *MOUNTS,
            Result.WARNING,
            "mounts of other images are stale.",
            "`wimdock mounts` lists them; discard each or mount it again.",
            failure=12,
            details=tuple(f"{each.directory}: {each.state.value}" for each in stale[:_SHOWN]),
        )
    else:
        reason = "this image is not mounted on this machine; a provider's own mounts do not show."
        yield Check(*MOUNTS, Result.PASSED, reason)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
