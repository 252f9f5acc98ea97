"""The table of status messages: every one that wimdock sends, and one of Microsoft's that it knows.

Two IDs are Microsoft's and mean what they mean there: 7900 and 7913. All others are wimdock's own,
42000 to 42099, by tens for what they tell of; `docs/reference/status-messages.md` is this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from wimdock.configmgr.status_message import COMPONENT, OWN_COMPONENT, OWN_IDS
from wimdock.configmgr.status_message import RUN_STARTED as _RUN_STARTED
from wimdock.configmgr.status_message import UNMOUNT_FAILED as _UNMOUNT_FAILED
from wimdock.site.models import MessageSeverity, StatusMessageRow

_I, _W, _E = MessageSeverity.INFORMATION, MessageSeverity.WARNING, MessageSeverity.ERROR


@dataclass(frozen=True, slots=True)
class MessageKind:
    """A kind of status message.

    `text` is what it says, each insertion string in braces by its name; `strings` are those names
    in order, ten at most. What is not `sent` is only known, so that it can be read.
    """

    id: int
    severity: MessageSeverity
    text: str
    strings: tuple[str, ...] = ()
    sent: bool = True

    @property
    def is_own(self) -> bool:
        """Tell whether the ID is of wimdock's own range."""
        return self.id in OWN_IDS

    @property
    def component(self) -> str:
        """The component that says it."""
        return OWN_COMPONENT if self.is_own else COMPONENT

    @property
    def source(self) -> str:
        """The program that says it, as STATMSG lines name it."""
        return "wimdock" if self.is_own else "SMS Server"

    def say(self, strings: tuple[str, ...]) -> str:
        """Give the text with its insertion strings; those that are missing are empty."""
        given = dict(zip(self.strings, strings, strict=False))
        return self.text.format_map({name: given.get(name, "") for name in self.strings})


# Microsoft's

RUN_STARTED = MessageKind(
    _RUN_STARTED, _I, "A run of the schedule with ID {schedule} has started.", ("schedule",)
)
UNMOUNT_FAILED = MessageKind(
    _UNMOUNT_FAILED,
    _E,
    "Image {index} of image package {package} could not be unmounted from {folder}: error {win32}.",
    ("package", "index", "folder", "win32"),
    sent=False,
)

# Runs

RUN_SUCCEEDED = MessageKind(
    42000,
    _I,
    "Run {run} of image package {package} has succeeded: {result}.",
    ("run", "package", "result"),
)
RUN_FAILED = MessageKind(
    42001,
    _E,
    "Run {run} of image package {package} has failed: {error} ({hresult}).",
    ("run", "package", "error", "hresult"),
)
RUN_CANCELLED = MessageKind(
    42002,
    _W,
    "Run {run} of image package {package} was cancelled by {operator}.",
    ("run", "package", "operator"),
)
RUN_TIMED_OUT = MessageKind(
    42003,
    _E,
    "Run {run} of image package {package} was ended after {minutes} minutes, which is all its "
    "schedule allows.",
    ("run", "package", "minutes"),
)
IMAGE_LOCKED = MessageKind(
    42004,
    _E,
    "Run {run} found image package {package} in use: {holder}.",
    ("run", "package", "holder"),
)
RUN_REFUSED = MessageKind(
    42005,
    _E,
    "Run {run} of image package {package} was refused by its preflight: {reason}.",
    ("run", "package", "reason"),
)
INSTANT_MISSED = MessageKind(
    42006,
    _W,
    "The schedule with ID {schedule} was due at {instant} and was not run: {reason}.",
    ("schedule", "instant", "reason"),
)
UPDATE_FAILED = MessageKind(
    42007,
    _E,
    "Update {update} could not be put into image {index} of image package {package}: {error} "
    "({hresult}).",
    ("package", "index", "update", "error", "hresult"),
)
UPDATE_UNSUPPORTED = MessageKind(
    42009,
    _W,
    "Update {update} is of a kind that wimdock cannot put into image {index} of image package "
    "{package}: {reason}.",
    ("package", "index", "update", "reason"),
)
RUN_RETRIED = MessageKind(
    42010,
    _W,
    "Run {run} of image package {package} has failed and is tried again, at {instant} at the "
    "earliest: {error}.",
    ("run", "package", "instant", "error"),
)
RUN_MISSED = MessageKind(
    42011,
    _E,
    "Run {run} of image package {package} was not begun: {reason}.",
    ("run", "package", "reason"),
)

# Image packages

PACKAGE_ADDED = MessageKind(
    42020, _I, "Image package {package} was added: {file}.", ("package", "file")
)
PACKAGE_RELOADED = MessageKind(
    42021, _I, "Image package {package} was read anew: {file}.", ("package", "file")
)
PACKAGE_CHANGED = MessageKind(
    42022,
    _W,
    "Another program changed the file of image package {package}: {file}.",
    ("package", "file"),
)
PACKAGE_REMOVED = MessageKind(
    42023, _I, "Image package {package} was removed; its file stays: {file}.", ("package", "file")
)
PACKAGE_ROLLED_BACK = MessageKind(
    42024,
    _I,
    "Image package {package} was taken back to generation {generation}.",
    ("package", "generation"),
)
PACKAGE_EXPORTED = MessageKind(
    42025, _I, "Image package {package} was exported to {file}.", ("package", "file")
)
PACKAGE_LOST = MessageKind(
    42026,
    _E,
    "The file of image package {package} cannot be read: {reason}.",
    ("package", "file", "reason"),
)

# The update library

UPDATE_IMPORTED = MessageKind(
    42030, _I, "Update {update} was imported: {file}.", ("update", "file")
)
UPDATE_RETIRED = MessageKind(
    42031, _I, "Update {update} was retired: {title}.", ("update", "title")
)
UPDATE_NOT_IMPORTED = MessageKind(
    42032, _E, "An update could not be imported: {reason}.", ("file", "reason")
)
UPDATE_DAMAGED = MessageKind(
    42033,
    _E,
    "The file of update {update} in the library is not what was imported: {reason}.",
    ("update", "reason"),
)

# Workers

WORKER_STARTED = MessageKind(
    42040, _I, "Worker {worker} has started on {host}.", ("worker", "host")
)
WORKER_STOPPED = MessageKind(
    42041, _I, "Worker {worker} on {host} has stopped.", ("worker", "host")
)
WORKER_DEAD = MessageKind(
    42042, _W, "Worker {worker} on {host} gives no sign of life any more.", ("worker", "host")
)
RUN_TAKEN_OVER = MessageKind(
    42043,
    _W,
    "Run {run} of image package {package} was taken over from worker {worker}.",
    ("run", "package", "worker"),
)
LEASE_LOST = MessageKind(
    42044,
    _W,
    "Worker {worker} came too late to write image package {package} in run {run}, and wrote "
    "nothing.",
    ("run", "package", "worker"),
)

# Distribution

CONTENT_SENT = MessageKind(
    42050,
    _I,
    "Version {version} of image package {package} is at the distribution point {point}: {bytes} "
    "bytes were sent.",
    ("package", "point", "version", "bytes"),
)
CONTENT_FAILED = MessageKind(
    42051,
    _E,
    "Image package {package} could not be brought to the distribution point {point}: {reason}.",
    ("package", "point", "reason"),
)
POINT_DOWN = MessageKind(
    42052,
    _W,
    "The distribution point {point} cannot be reached and is tried again later: {reason}.",
    ("point", "reason"),
)
POINT_BACK = MessageKind(
    42053, _I, "The distribution point {point} can be reached again.", ("point",)
)
CONTENT_REMOVED = MessageKind(
    42054,
    _I,
    "Image package {package} was removed from the distribution point {point}.",
    ("package", "point"),
)

# Notifications

NOTIFICATION_GIVEN_UP = MessageKind(
    42060,
    _E,
    "{target} could not be told that a run has {event}, and is not told any more: {reason}.",
    ("target", "event", "reason"),
)

# Schedules

SCHEDULE_ADDED = MessageKind(
    42070, _I, "The schedule with ID {schedule} was added: {name}.", ("schedule", "name")
)
SCHEDULE_CHANGED = MessageKind(
    42071,
    _I,
    "The schedule with ID {schedule} was changed: {change}.",
    ("schedule", "change"),
)
SCHEDULE_REMOVED = MessageKind(
    42072, _I, "The schedule with ID {schedule} was removed: {name}.", ("schedule", "name")
)

# The site itself

BACKUP_MADE = MessageKind(42080, _I, "A backup of the site was made: {file}.", ("file",))
BACKUP_RESTORED = MessageKind(42081, _I, "The site was restored from {file}.", ("file",))
LOG_LOST = MessageKind(
    42090,
    _W,
    "{lines} lines could not be written to {file}: {reason}.",
    ("lines", "file", "reason"),
)

TABLE: dict[int, MessageKind] = {
    kind.id: kind
    for kind in sorted(
        (each for each in globals().values() if isinstance(each, MessageKind)),
        key=lambda each: each.id,
    )
}
"""Every kind by its ID, in the order of the IDs."""


def name_of(kind: MessageKind) -> str:
    """Give the name of a kind, as people write it: `run-failed`."""
    return _NAMES[kind.id]


def text_of(row: StatusMessageRow) -> str:
    """Give what a status message says; one of an ID that the table has not is told by its parts."""
    kind = TABLE.get(row.message_id)
    if kind is None:
        return "; ".join(each for each in row.strings if each)
    return kind.say(tuple(row.strings))


_NAMES = {
    each.id: name.lower().replace("_", "-")
    for name, each in globals().items()
    if isinstance(each, MessageKind)
}
