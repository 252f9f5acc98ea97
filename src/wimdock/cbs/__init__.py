"""Update packages: opening and verifying them, judging them, planning what they change."""

from wimdock.cbs.applicability import Applicability, ApplicabilityState, judge
from wimdock.cbs.identity import Identity, Version
from wimdock.cbs.opening import open_update
from wimdock.cbs.plan import Plan, make_plan
from wimdock.cbs.support import left_alone, unsupported
from wimdock.cbs.update import Update, UpdateComponent, UpdatePackage

__all__ = [
    "Applicability",
    "ApplicabilityState",
    "Identity",
    "Plan",
    "Update",
    "UpdateComponent",
    "UpdatePackage",
    "Version",
    "judge",
    "left_alone",
    "make_plan",
    "open_update",
    "unsupported",
]
