"""The update library: importing updates, judging them by what is stored, choosing among them."""

from wimdock.site.updates.applicability import JudgedUpdate, applicability, plan_updates
from wimdock.site.updates.choice import Chooser, choose
from wimdock.site.updates.importing import Imported, ImportOptions, ImportState, import_updates
from wimdock.site.updates.library import file_of_update, verify_update
from wimdock.site.updates.listing import (
    ListedUpdate,
    UpdateDetails,
    UpdateFilter,
    details_of,
    list_updates,
    update_of,
)
from wimdock.site.updates.retiring import Retired, retire
from wimdock.site.updates.selection import Selection
from wimdock.site.updates.watching import watch_folder

__all__ = [
    "Chooser",
    "ImportOptions",
    "ImportState",
    "Imported",
    "JudgedUpdate",
    "ListedUpdate",
    "Retired",
    "Selection",
    "UpdateDetails",
    "UpdateFilter",
    "applicability",
    "choose",
    "details_of",
    "file_of_update",
    "import_updates",
    "list_updates",
    "plan_updates",
    "retire",
    "update_of",
    "verify_update",
    "watch_folder",
]
