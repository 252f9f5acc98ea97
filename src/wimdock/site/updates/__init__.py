"""The update library: importing updates, judging them by what is stored, choosing among them."""

from wimdock.site.updates.choice import Chooser, choose
from wimdock.site.updates.library import file_of_update, verify_update
from wimdock.site.updates.selection import Selection

__all__ = ["Chooser", "Selection", "choose", "file_of_update", "verify_update"]
