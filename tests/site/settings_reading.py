"""Settings as tests read them: from a text and from variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from wimdock.errors import SettingsError
from wimdock.site.settings import SETTINGS_NAME, Settings, variable_of
from wimdock.site.settings_file import read_settings

PREFIX = variable_of("")


def read(folder: Path, text: str, **environment: str) -> Settings:
    """Read settings of this text with these variables, whose names lack WIMDOCK_."""
    (folder / SETTINGS_NAME).write_text(text, encoding="utf-8")
    (folder / SETTINGS_NAME).chmod(0o600)
    variables = {PREFIX + name: value for name, value in environment.items()}
    return read_settings(folder, variables | {"PATH": "/bin"})


def problems(folder: Path, text: str, **environment: str) -> list[str]:
    """Read settings that are wrong, and give what is said of them."""
    with pytest.raises(SettingsError) as caught:
        read(folder, text, **environment)
    error = caught.value
    assert "settings.md" in error.hint
    found = list(error.reasons) or [error.message]
    assert all("WIMDOCK_" in each or each.startswith(str(folder)) for each in found)
    return [each.removeprefix(f"{folder / SETTINGS_NAME}") for each in found]
