"""The update library: importing updates, judging them by what is stored, choosing among them.

The names are imported when they are asked for: reading update packages takes much that listing them
does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wimdock.site.updates.choice import Chooser, choose
    from wimdock.site.updates.details import UpdateDetails, details_of
    from wimdock.site.updates.importing import (
        Imported,
        ImportOptions,
        ImportState,
        import_updates,
    )
    from wimdock.site.updates.judging import JudgedUpdate, applicability, plan_updates
    from wimdock.site.updates.library import file_of_update, verify_update
    from wimdock.site.updates.listing import ListedUpdate, UpdateFilter, list_updates, update_of
    from wimdock.site.updates.retiring import Retired, retire
    from wimdock.site.updates.selection import Selection
    from wimdock.site.updates.watching import watch_folder

_PLACES = {
    "Chooser": "choice",
    "ImportOptions": "importing",
    "ImportState": "importing",
    "Imported": "importing",
    "JudgedUpdate": "judging",
    "ListedUpdate": "listing",
    "Retired": "retiring",
    "Selection": "selection",
    "UpdateDetails": "details",
    "UpdateFilter": "listing",
    "applicability": "judging",
    "choose": "choice",
    "details_of": "details",
    "file_of_update": "library",
    "import_updates": "importing",
    "list_updates": "listing",
    "plan_updates": "judging",
    "retire": "retiring",
    "update_of": "listing",
    "verify_update": "library",
    "watch_folder": "watching",
}

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


def __getattr__(name: str) -> object:
    """Import a public name."""
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
