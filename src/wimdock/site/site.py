"""A site that is open: its folder, settings, database and clock; what every part of it is given.

In the folder: `wimdock.toml`, the database where it is SQLite, `updates/` (the library, by
SHA-256) and `logs/`. Workers on other machines see the same folder, perhaps under another path.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from wimdock.clock import Clock, SystemClock
from wimdock.site.database import Database
from wimdock.site.models import Audit
from wimdock.site.settings import Settings


def this_host() -> str:
    """Give the name of this machine."""
    return socket.gethostname()


def this_operator() -> str:
    """Give the name of whoever runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user ID without a name
        return "unknown"


@dataclass(frozen=True, slots=True)
class Site:
    """An open site. `operator` is whoever acts, for history and audit; `uuid` no other site has."""

    folder: Path
    code: str
    uuid: str
    database: Database
    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    operator: str = field(default_factory=this_operator)
    host: str = field(default_factory=this_host)

    @property
    def library(self) -> Path:
        """The folder of the update library."""
        return self.folder / "updates"

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.folder / "logs"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that reads."""
        with self.database.reading() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are kept when the block ends without an error."""
        with self.database.writing() as session:
            yield session

    def now(self) -> datetime:
        """Give the time, aware, UTC."""
        return self.clock.now()

    def note(self, session: Session, action: str, subject: str, **detail: object) -> None:
        """Put a change that somebody asked for into the audit, in the change's own transaction."""
        session.add(
            Audit(
                at=self.now(),
                operator=self.operator,
                action=action,
                object=subject,
                detail=detail,
            )
        )

    def close(self) -> None:
        """Close the database."""
        self.database.close()
