"""One run of DISM's syntax: its command line, where it prints, its log, and what it needs.

A run prints the header, does what the verb says, and ends with DISM's closing sentence or with an
error block. Whatever happens, the log says so too, and the exit status is that of `layout`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.cli.dism.drives import SETTING, Drives, read_drives
from wimdock.cli.dism.layout import Screen, exit_status
from wimdock.cli.dism.log import EVERYTHING, SessionLog, asked_log, default_log
from wimdock.cli.dism.syntax import CommandLine, parse, refuse_value
from wimdock.cli.dism.usage import show_usage
from wimdock.cli.dism.verbs import Verb
from wimdock.cli.failure import EXIT_INTERNAL, failures
from wimdock.errors import StorageError

if TYPE_CHECKING:
    from wimdock.cli.dism.catalog import Catalog
    from wimdock.reparse.hosts import Build
    from wimdock.servicing.options import Surroundings

_QUIET = ("/quiet", "-quiet")
_PATH_NOT_FOUND = 0x80070003
_DEBUG = 4

# Where each verb is carried out; imported when it is asked for.
_PLACES = {
    "Get-ImageInfo": ("image_info", "get_image_info"),
    "Mount-Image": ("mounting", "mount_image"),
    "Unmount-Image": ("mounting", "unmount_image"),
    "Remount-Image": ("mounting", "remount_image"),
    "Commit-Image": ("mounting", "commit_image"),
    "Cleanup-Mountpoints": ("mounted", "cleanup_mountpoints"),
    "Get-MountedImageInfo": ("mounted", "get_mounted_image_info"),
    "Get-Packages": ("packages", "get_packages"),
    "Add-Package": ("packages", "add_package"),
    "Export-Image": ("files", "export_image"),
    "Split-Image": ("files", "split_image"),
}


@dataclass(slots=True)
class Session:
    """What a verb is given to work with."""

    line: CommandLine
    drives: Drives
    screen: Screen
    log: SessionLog

    def path(self, *options: str) -> Path:
        """Give the path that the first of these options names, on this machine."""
        return self.drives.path(self.line.text(*options))

    def image_index(
        self, catalog: Catalog, by_index: str = "Index", by_name: str = "Name"
    ) -> int | None:
        """Give the image that one of these options chooses; None where neither was given."""
        number = self.line.number(by_index)
        if number is not None:
            return catalog.index(number)
        name = self.line.text(by_name)
        return catalog.named(name) if name else None

    def surroundings(self) -> Surroundings:
        """Give what the servicing room needs: progress goes to the bar."""
        from wimdock.events import Reporter
        from wimdock.servicing.options import surroundings

        return surroundings(Reporter(self.screen.bar), workspace=self.scratch_folder())

    def scratch_folder(self) -> Path | None:
        """Give the folder for temporary files that /ScratchDir names, or None."""
        typed = self.line.text("ScratchDir")
        if not typed:
            return None
        folder = self.drives.path(typed)
        if not folder.is_dir():
            message = f"{typed}: there is no such folder for temporary files"
            hint = "Make it, or leave /ScratchDir out."
            raise StorageError(message, hint=hint, hresult=_PATH_NOT_FOUND)
        return folder


def run(tokens: Sequence[str], drives: Sequence[str]) -> int:
    """Carry a command line out and give the exit status; interrupts alone are raised."""
    screen = Screen(quiet=any(token.strip('"').lower() in _QUIET for token in tokens))
    log = default_log()
    try:
        screen.header()
        known = read_drives(drives, os.environ.get(SETTING, ""))
        log = asked_log(tokens, known) or log
        line = parse(tokens)
        if line.help_wanted or line.verb is None:
            show_usage(screen, line.verb)
            return 0
        session = Session(line, known, screen, log)
        log.level = _log_level(line)
        log.start(tokens, _played_host(session))
        session.scratch_folder()
        _act(line.verb)(session)
        screen.completed()
    except BrokenPipeError:
        raise
    except BaseException as error:
        found = failures(error)
        log.failed(tokens, found)
        if not isinstance(error, Exception) or found[0].exit_code == EXIT_INTERNAL:
            screen.bar.leave()
            raise
        screen.failed(found, log.whereabouts)
        return exit_status(found[0].hresult)
    finally:
        log.end()
    return 0


def _act(verb: Verb) -> Callable[[Session], None]:
    module, function = _PLACES[verb.name]
    place = import_module(f"wimdock.cli.dism.{module}")
    found: Callable[[Session], None] = getattr(place, function)
    return found


def _log_level(line: CommandLine) -> int:
    level = line.number("LogLevel")
    if level is not None and level > _DEBUG:
        refuse_value("LogLevel", line.text("LogLevel"), "it takes a number from 1 to 4")
    return EVERYTHING if level is None else level


def _played_host(session: Session) -> Build | None:
    """Give the host that the mount the command is about plays; None for wimdock itself."""
    if session.line.verb is None or not session.line.verb.changes_a_mount:
        return None
    from wimdock.servicing.mounts.mountinfo import place_of
    from wimdock.servicing.mounts.record import read_record

    record = read_record(place_of(session.path("MountDir")))
    return None if record is None else record.host
