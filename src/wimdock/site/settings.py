"""The settings of a site: `wimdock.toml` in its folder, each overridden by the environment.

The variable's name is made of WIMDOCK, the table and the setting. Unknown names and wrong values
are refused, so that a slip does not silently mean the default. What is said of each setting here
stands in the file that `site init` writes and in docs/reference/settings.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

SETTINGS_NAME = "wimdock.toml"

EVENTS = ("failed", "succeeded", "refused")
"""What a target of notifications can hear of."""

_VARIABLE = re.compile(r"[^A-Z0-9]")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a setting means, in words, and what it may be.

    `least` and `most` bound a number, `choices` name all words it can be; a `folder` is an absolute
    path or empty; a `secret` is never shown and can be read from the file that NAME_file names.
    """

    words: str
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    folder: bool = False
    secret: bool = False


def setting(default: Any, words: str, *, shown: bool = True, **limits: Any) -> Any:
    """Make a field of a table: its default and its rule; not `shown`: it may hold a secret."""
    return field(default=default, repr=shown, metadata={"rule": Rule(words, **limits)})


def hidden(words: str) -> Any:
    """Make the field of a secret."""
    return setting("", words, shown=False, secret=True)


def hidden_file(name: str) -> Any:
    """Make the field that names the file of a secret."""
    return setting("", f"A file that holds the {name}, in place of `{name}`.", folder=True)


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """`[database]`: `url` empty stands for SQLite in the site's folder."""

    url: str = setting(
        "",
        "The PostgreSQL database, as postgresql://USER@HOST/NAME. Empty: SQLite in this folder.",
        shown=False,
    )
    password: str = hidden("Its password, where the URL has none.")
    password_file: str = hidden_file("password")


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """`[worker]`: times in seconds, memory in MiB (0: what the machine has)."""

    concurrency: int = setting(1, "How many runs a worker executes at once.", least=1, most=256)
    heartbeat: float = setting(
        5.0, "After how many seconds a worker shows again that it lives.", least=0.1, most=3600
    )
    lease: float = setting(
        30.0,
        "After how many seconds of silence a worker is taken for dead; at least two heartbeats.",
        least=0.5,
        most=86400,
    )
    memory: int = setting(
        0, "The memory that a worker offers, in MiB. 0: what the machine has.", least=0, most=2**30
    )


@dataclass(frozen=True, slots=True)
class SchedulerSettings:
    """`[scheduler]`: `late` is after how many minutes an instant counts as late."""

    late: int = setting(
        5, "After how many minutes a due schedule counts as late.", least=1, most=10080
    )
    watch: str = setting(
        "", "A folder whose update files are imported by themselves. Empty: none.", folder=True
    )
    watch_seconds: int = setting(
        60, "How often that folder is looked at, in seconds.", least=1, most=86400
    )


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`[log]`: `size` in KiB is that at which OfflineServicingMgr.log becomes `.lo_`."""

    size: int = setting(
        2048, "The size in KiB at which OfflineServicingMgr.log becomes .lo_.", least=16, most=2**21
    )
    json: bool = setting(
        default=False,
        words="Log as JSON: logs/wimdock.jsonl beside the log, and what serve and worker print.",
    )


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """`[metrics]`: where `/metrics` is served; port 0 serves none."""

    host: str = setting("127.0.0.1", "The address at which /metrics is served.")
    port: int = setting(0, "Its port. 0: no metrics are served.", least=0, most=65535)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`[mail]`: the SMTP server; `security` is "starttls", "tls" or "none"."""

    host: str = setting("", "The SMTP server.")
    port: int = setting(587, "Its port.", least=1, most=65535)
    security: str = setting(
        "starttls", "How the connection is protected.", choices=("starttls", "tls", "none")
    )
    user: str = setting("", "The user at the server. Empty: no login.")
    password: str = hidden("The user's password.")
    password_file: str = hidden_file("password")
    sender: str = setting("", "The address that mails come from.")


@dataclass(frozen=True, slots=True)
class Target:
    """One `[[notification]]`: who hears of what.

    `kind` is "webhook" (`url`, `secret`) or "mail" (`to`); `events` are of "failed", "succeeded"
    and "refused".
    """

    name: str = setting("", "What the target is called: letters, digits, `-` and `_`.")
    kind: str = setting("", "What it is.", choices=("webhook", "mail"))
    events: tuple[str, ...] = setting(
        ("failed", "refused"), "The ends of runs that it hears of.", choices=EVENTS
    )
    url: str = setting(
        "", "The address that a webhook is sent to: http:// or https://.", shown=False
    )
    secret: str = hidden("The key by which a webhook is signed; without it, none is sent.")
    secret_file: str = hidden_file("secret")
    to: tuple[str, ...] = setting((), "The addresses that a mail is sent to.")


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them. `storage` gives the folders of the storage locations by name.

    `warnings` are in words: what is right, but not wise.
    """

    database: DatabaseSettings = DatabaseSettings()
    worker: WorkerSettings = WorkerSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    mail: MailSettings = MailSettings()
    storage: dict[str, Path] = field(default_factory=dict)
    notification: tuple[Target, ...] = ()
    warnings: tuple[str, ...] = ()


TABLES: dict[str, type[Any]] = {
    name: kind
    for name, kind in get_type_hints(Settings).items()
    if isinstance(kind, type) and is_dataclass(kind)
}
"""The tables with settings of fixed names, as classes by name."""

TABLE_WORDS = {
    "database": "Where the site keeps what it knows.",
    "worker": "The processes that execute runs.",
    "scheduler": "What starts them.",
    "log": "The logs.",
    "metrics": "Metrics for Prometheus.",
    "mail": "The server that notifications by mail go through.",
    "storage": "Folders of image files by name, as this machine sees them.",
    "notification": "Who hears how runs end: one [[notification]] for each target.",
}
"""What each table is about."""


def settings_of(table: type[Any]) -> Iterator[tuple[Field[Any], Rule]]:
    """Give the settings of a table's class, each with its rule."""
    for each in fields(table):
        yield each, each.metadata["rule"]


def variable_of(*names: str) -> str:
    """Give the environment variable of a setting: of its table and name."""
    return "_".join(("WIMDOCK", *(_VARIABLE.sub("_", name.upper()) for name in names)))
