"""Reading and writing `wimdock.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sqlalchemy import URL

from wimdock.site.settings import SETTINGS_NAME, DatabaseSettings, Settings


def read_settings(folder: Path) -> Settings:
    """Read the settings of the site in a folder."""
    found = tomllib.loads((folder / SETTINGS_NAME).read_text(encoding="utf-8"))
    return Settings(database=DatabaseSettings(**found.get("database", {})))


def write_settings(folder: Path, url: URL | str) -> None:
    """Write the settings of a new site."""
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    path = folder / SETTINGS_NAME
    path.write_text(f'[database]\nurl = "{text}"\n', encoding="utf-8")
    path.chmod(0o600)
