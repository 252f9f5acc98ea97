"""Secrets among the settings: from files, from the environment, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.settings_reading import problems, read
from wimdock.site.settings import SETTINGS_NAME
from wimdock.site.settings_file import read_settings


def test_secrets_come_from_files(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("\nsword fish\n\n")
    target = (
        f'[[notification]]\nname = "a"\nkind = "webhook"\nurl = "http://x"\nsecret_file = "{key}"'
    )
    found = read(
        tmp_path,
        f'[mail]\npassword_file = "{key}"\n{target}',
        DATABASE_PASSWORD_FILE=str(key),
    )
    secrets = {found.mail.password, found.notification[0].secret, found.database.password}
    assert secrets == {"sword fish"}
    assert "sword fish" not in repr(found)


def test_secrets_of_files_that_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name, said in (("missing", "No such file"), ("empty", "is empty"), ("bytes", "not UTF-8")):
        found = problems(tmp_path, f'[mail]\n\npassword_file = "{tmp_path / name}"')
        assert len(found) == 1
        assert said in found[0]
        assert found[0].startswith(", line 3: [mail] password_file")
    assert problems(tmp_path, '[mail]\npassword = "a"\npassword_file = "/b"') == [
        ", line 2: [mail] password and password_file are both given"
    ]


def test_a_secret_of_the_environment_outweighs_both(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file")
    for text in ('password = "a"', f'password_file = "{tmp_path / "missing"}"'):
        found = read(tmp_path, f"[mail]\n{text}", MAIL_PASSWORD="b")  # noqa: S106 - as above
        assert found.mail.password == "b"  # noqa: S105 - one of the test's own
    found = read(tmp_path, '[mail]\npassword = "a"', MAIL_PASSWORD_FILE=str(tmp_path / "key"))
    assert found.mail.password == "from the file"  # noqa: S105 - one of the test's own


def test_no_error_shows_a_secret(tmp_path: Path) -> None:
    text = '[mail]\npassword = ["hunter2"]\n[database]\nurl = "postgresql://u:hunter2@a@b/c"'
    assert "hunter2" not in "".join(problems(tmp_path, text))


def test_settings_in_a_report_of_a_fault_show_no_secret(tmp_path: Path) -> None:
    hook = '[[notification]]\nname = "a"\nkind = "webhook"\nurl = "http://x/hunter2"\n'
    text = f'[database]\nurl = "postgresql://u:hunter2@h/d"\n[mail]\npassword = "hunter2"\n{hook}'
    found = read(tmp_path, text + 'secret = "hunter2"')
    assert found.database.url.count("hunter2") == 1
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    "text, warned",
    [
        ('[mail]\npassword = "x"', True),
        ('[database]\nurl = "postgresql://u:p@h/d"', True),
        ('[[notification]]\nname = "a"\nkind = "webhook"\nurl = "http://x"\nsecret = "s"', True),
        ('[database]\nurl = "postgresql://u@h/d"', False),
        ('[mail]\npassword = ""\nhost = "h"', False),
    ],
)
def test_secrets_that_everybody_can_read_are_warned_of(
    text: str, tmp_path: Path, *, warned: bool
) -> None:
    path = tmp_path / SETTINGS_NAME
    assert read(tmp_path, text).warnings == ()
    path.chmod(0o640)
    assert read_settings(tmp_path, {}).warnings == ()
    path.chmod(0o644)
    found = read_settings(tmp_path, {}).warnings
    assert bool(found) is warned
    assert not warned or f"chmod 600 {path}" in found[0]
