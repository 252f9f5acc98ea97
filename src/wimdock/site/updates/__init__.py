"""The update library: importing updates, judging them by what is stored, choosing among them."""

from wimdock.site.updates.choice import Chooser, choose
from wimdock.site.updates.importing import Imported, ImportOptions, ImportState, import_updates
from wimdock.site.updates.library import file_of_update, verify_update
from wimdock.site.updates.selection import Selection

__all__ = [
    "Chooser",
    "ImportOptions",
    "ImportState",
    "Imported",
    "Selection",
    "choose",
    "file_of_update",
    "import_updates",
    "verify_update",
]
