"""Cleaning up after runs of Configuration Manager that failed: find, judge, plan, unmount, delete.

Mounted images are unmounted with their changes discarded, never committed. Only what is proved
unmounted is deleted, and never anything outside of the staging folder. docs/guide/cleaning-up.md
tells people what to expect.
"""

from wimdock.servicing.cleanup.clearing import clean_up
from wimdock.servicing.cleanup.find import find_staging, search_staging
from wimdock.servicing.cleanup.leftovers import Leftover, leftovers_in
from wimdock.servicing.cleanup.plan import CleanupPlan, FolderPlan, plan_cleanup
from wimdock.servicing.cleanup.result import CleanupResult, FolderResult, Proof
from wimdock.servicing.cleanup.staged import (
    Change,
    PackageState,
    Search,
    StagedPackage,
    StagingFolder,
)

__all__ = [
    "Change",
    "CleanupPlan",
    "CleanupResult",
    "FolderPlan",
    "FolderResult",
    "Leftover",
    "PackageState",
    "Proof",
    "Search",
    "StagedPackage",
    "StagingFolder",
    "clean_up",
    "find_staging",
    "leftovers_in",
    "plan_cleanup",
    "search_staging",
]
