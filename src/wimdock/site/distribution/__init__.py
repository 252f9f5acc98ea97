"""Distribution: image packages at the places that serve them to machines."""

from wimdock.site.distribution.contents import Placed, placed, want
from wimdock.site.distribution.distribution import distribute, retry_due, send_to, update
from wimdock.site.distribution.points import (
    Means,
    add_point,
    all_points,
    change_point,
    point_of,
    remove_point,
)
from wimdock.site.distribution.route import Way
from wimdock.site.distribution.sending import Sent
from wimdock.site.distribution.verification import Verified, verify_point
from wimdock.site.distribution.withdrawal import withdraw

__all__ = [
    "Means",
    "Placed",
    "Sent",
    "Verified",
    "Way",
    "add_point",
    "all_points",
    "change_point",
    "distribute",
    "placed",
    "point_of",
    "remove_point",
    "retry_due",
    "send_to",
    "update",
    "verify_point",
    "want",
    "withdraw",
]
