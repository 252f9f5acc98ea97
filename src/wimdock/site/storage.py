"""Storage locations: named folders of the settings, so that each machine may see them elsewhere.

A file below the folder of a location is known by the location's name and the path below it; any
other by its absolute path, which must then be the same on every machine of the site.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import SettingsError, UsageError
from wimdock.files import real_path
from wimdock.site.settings import Settings


@dataclass(frozen=True, slots=True)
class StoredPlace:
    """Where a file is: `storage` names a location, "" for none, and `path` is below it then."""

    storage: str
    path: str


def place_of(settings: Settings, file: Path) -> StoredPlace:
    """Give the place of a file, links followed; of several locations the innermost counts.

    UsageError for a name that no database can keep, for it is not UTF-8.
    """
    file = real_path(file)
    found = StoredPlace("", str(file))
    depth = -1
    for name, folder in settings.storage.items():
        root = real_path(folder)
        if file.is_relative_to(root) and len(root.parts) > depth:
            found = StoredPlace(name, str(file.relative_to(root)))
            depth = len(root.parts)
    if any("\ud800" <= char <= "\udfff" for char in found.path):
        message = f"the name of {file} is not UTF-8"
        raise UsageError(message, hint="Rename the file, or the folder that it is in.")
    return found


def path_of(settings: Settings, place: StoredPlace) -> Path:
    """Give the path of a place on this machine; SettingsError where it lacks the location."""
    if not place.storage:
        return Path(place.path)
    folder = settings.storage.get(place.storage)
    if folder is None:
        message = f"this machine has no storage location {place.storage!r}"
        hint = f"Name its folder in wimdock.toml: {place.storage} below [storage]."
        raise SettingsError(message, hint=hint)
    return Path(folder) / place.path
