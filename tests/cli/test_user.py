"""`wimdock user`: what it prints, its documents, and its errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.ended import Ended
from tests.cli.site_command import SiteCommand
from wimdock.errors import AlreadyRecorded, NoSuchRecord, UsageError
from wimdock.site.people import authenticate

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site without users."""
    made = SiteCommand(tmp_path / "site", capsys)
    yield made
    made.close()


def document(ended: Ended, name: str) -> dict[str, Any]:
    """Give a command's document, which must be as its schema says."""
    found = ended.document
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(found, schema, format_checker=checker)
    assert found["wimdock"]["document"] == name
    return found


def refused(ended: Ended, error: type[Any]) -> str:
    """Give what a command says that ended with an error; stdout must be empty."""
    assert (ended.status, ended.out) == (error.exit_code, "")
    assert "what to do:" in ended.err
    return ended.err


def who(command: SiteCommand, secret: str) -> str | None:
    with command.site.writing() as session:
        user = authenticate(session, secret, command.site.now())
        return None if user is None else user.name


def test_a_role_that_is_not_given_is_asked_for_on_one_line(command: SiteCommand) -> None:
    ended = command("user", "add", "somebody")
    choices = "Choose from: administrator, operator, reader (0x80070057)"
    assert ended.err.splitlines()[0].endswith(choices)


def test_users(command: SiteCommand) -> None:
    assert command("user", "list").out.startswith("There is no user")
    words = ("user", "add", "Anna", "--role", "administrator", "--mail", "anna@example.org")
    assert command(*words).out == "user anna, administrator, is added\n"
    added = command("user", "add", "b", "--role", "reader", "--json")
    assert document(added, "user_change")["users"][0]["name"] == "b"
    refused(command("user", "add", "ANNA", "--role", "reader"), AlreadyRecorded)
    hint = refused(command("user", "add", "anna", "--role", "reader"), AlreadyRecorded)
    assert "enable" not in hint
    command("user", "disable", "anna")
    hint = refused(command("user", "add", "anna", "--role", "reader"), AlreadyRecorded)
    assert "wimdock user enable anna" in hint
    command("user", "enable", "anna")
    refused(command("user", "add", "c"), UsageError)
    refused(command("user", "add", "c", "--role", "king"), UsageError)
    refused(command("user", "add", "c d", "--role", "reader"), UsageError)
    assert len(command("user", "list").out.splitlines()) == 3
    users = document(command("user", "list", "--json"), "users")["users"]
    assert [each["usable_tokens"] for each in users] == [0, 0]
    assert "no tokens" in command("user", "show", "anna").out
    refused(command("user", "show", "zoe"), NoSuchRecord)


def test_tokens(command: SiteCommand) -> None:
    command("user", "add", "anna", "--role", "operator")
    ended = command("user", "token", "anna", "--name", "nightly", "--expires", "90d")
    secret = ended.out.rstrip("\n")
    assert re.fullmatch(r"wimdock_[A-Za-z0-9_-]{43}", secret)
    assert "Token 1 of anna works until " in ended.err
    assert who(command, secret) == "anna"
    made = document(command("user", "token", "anna", "--json"), "user_token")
    assert made["expires"] is None
    shown = command("user", "show", "anna")
    assert secret not in shown.out
    assert "nightly" in shown.out
    first, second = document(command("user", "show", "anna", "--json"), "user")["tokens"]
    assert (first["state"], second["state"]) == ("usable", "usable")
    ends = datetime.fromisoformat(first["expires"])
    assert timedelta(days=89) < ends - command.site.now() <= timedelta(days=90)
    assert first["last_used"] is not None
    revoked = document(command("user", "revoke", "1", "--json"), "user_revoke")
    assert revoked["tokens"][0]["state"] == "revoked"
    assert who(command, secret) is None
    assert who(command, made["secret"]) == "anna"
    assert command("user", "revoke", "2").out == "token 2 is revoked\n"
    refused(command("user", "revoke", "9"), NoSuchRecord)
    refused(command("user", "token", "zoe"), NoSuchRecord)


@pytest.mark.parametrize(
    "text",
    ["0d", "2001-01-01", "soon", "-1d", "99999d", "d", "0001-01-01T00:00+14:00", "2027-13-01"],
)
def test_when_no_token_can_end(text: str, command: SiteCommand) -> None:
    command("user", "add", "anna", "--role", "operator")
    refused(command("user", "token", "anna", f"--expires={text}"), UsageError)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2999-12-31", "2999-12-31T23:59:59Z"),
        ("2999-12-31T12:00", "2999-12-31T12:00:00Z"),
        ("2999-12-31T12:00+02:00", "2999-12-31T10:00:00Z"),
    ],
)
def test_a_token_that_ends_on_a_day(text: str, expected: str, command: SiteCommand) -> None:
    command("user", "add", "anna", "--role", "operator")
    ended = command("user", "token", "anna", "--expires", text, "--json")
    assert document(ended, "user_token")["expires"] == expected


def test_disabled_and_enabled(command: SiteCommand) -> None:
    command("user", "add", "anna", "--role", "operator")
    secret = command("user", "token", "anna").out.rstrip("\n")
    assert command("user", "disable", "Anna").out == "user anna is disabled\n"
    assert who(command, secret) is None
    assert "disabled on" in command("user", "show", "anna").out
    assert "user enable anna" in refused(command("user", "token", "anna"), AlreadyRecorded)
    enabled = document(command("user", "enable", "anna", "--json"), "user_change")
    assert enabled["users"][0]["disabled"] is None
    assert who(command, secret) == "anna"
    refused(command("user", "disable", "anna", "zoe"), NoSuchRecord)
    assert who(command, secret) == "anna"


def test_names_cannot_steer_the_terminal(command: SiteCommand) -> None:
    command("user", "add", "anna", "--role", "operator")
    refused(command("user", "token", "anna", "--name", "red \x1b[31m"), UsageError)
    ended = command("user", "show", "\x1b[31m")
    assert "\x1b" not in ended.err
    refused(ended, NoSuchRecord)
