"""The settings of a site: `wimdock.toml` in its folder, each overridden by the environment.

The variable's name is made of WIMDOCK, the table and the setting. Unknown names and wrong values are
refused, so that a slip does not silently mean the default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SETTINGS_NAME = "wimdock.toml"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """`[database]`: `url` empty stands for SQLite in the site's folder."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """`[worker]`: times in seconds, memory in MiB (0: what the machine has)."""

    concurrency: int = 1
    heartbeat: float = 5.0
    lease: float = 30.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class SchedulerSettings:
    """`[scheduler]`: `late` is after how many minutes an instant counts as late."""

    late: int = 5
    watch: str = ""
    watch_seconds: int = 60


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`[log]`: `size` in KiB is that at which OfflineServicingMgr.log becomes `.lo_`."""

    size: int = 2048
    json: bool = False


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """`[metrics]`: where `/metrics` is served; port 0 serves none."""

    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`[mail]`: the SMTP server; `security` is "starttls", "tls" or "none"."""

    host: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One `[[notification]]`: who hears of what.

    `kind` is "webhook" (`url`, `secret`) or "mail" (`to`); `events` are of "failed", "succeeded"
    and "refused".
    """

    name: str
    kind: str
    events: tuple[str, ...] = ("failed", "refused")
    url: str = ""
    secret: str = ""
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them. `storage` gives the folders of the storage locations by name."""

    database: DatabaseSettings = DatabaseSettings()
    worker: WorkerSettings = WorkerSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    mail: MailSettings = MailSettings()
    storage: dict[str, Path] = field(default_factory=dict)
    notification: tuple[Target, ...] = ()
