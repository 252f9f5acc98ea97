"""Credentials come from where they should, and show nowhere."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from wimdock.configmgr.authentication import Bearer, Negotiated, Secret, read_credentials
from wimdock.errors import StorageError, UsageError

TOKEN = "WIMDOCK_ADMINSERVICE_TOKEN"  # noqa: S105 - the name of a setting
USER = "WIMDOCK_ADMINSERVICE_USER"
PASSWORD = "WIMDOCK_ADMINSERVICE_PASSWORD"  # noqa: S105 - the name of a setting


def shown(found: Bearer | Negotiated) -> str:
    """Give what is in credentials, which they do not say by themselves."""
    match found:
        case Bearer(token=token):
            return token.reveal()
        case Negotiated(user=user, password=password):
            return f"{user}:{password.reveal() if password else None}"


@pytest.mark.parametrize(
    "text", ["abc.def-_~+/==", "  abc.def-_~+/==\r\n", "\ufeffabc.def-_~+/==\n"]
)
def test_a_token_from_a_file_comes_first(text: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")
    assert shown(read_credentials({TOKEN: "other"}, token_file=path)) == "abc.def-_~+/=="


def test_a_token_from_the_environment() -> None:
    assert shown(read_credentials({TOKEN: "Bearer abc", USER: "u"})) == "abc"


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"two words", b"a\r\nX-Header: 1", b"\xff\xfe\x00", b"x" * 100_000]
)
def test_what_is_no_token(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="holds no token") as caught:
        read_credentials({}, token_file=path)
    told = "".join(traceback.format_exception(caught.value))
    assert "two words" not in told
    assert "X-Header" not in told
    with pytest.raises(StorageError):
        read_credentials({}, token_file=tmp_path / "none")


def test_a_user_and_a_password() -> None:
    assert shown(read_credentials({USER: "C\\u", PASSWORD: "p w"})) == "C\\u:p w"
    assert shown(read_credentials({USER: "C\\u", PASSWORD: "p"}, user="C\\v")) == "C\\v:p"
    assert shown(read_credentials({USER: "C\\u"})) == "C\\u:None"
    assert shown(read_credentials({})) == ":None"
    with pytest.raises(UsageError, match="is set but no user"):
        read_credentials({PASSWORD: "hunter2"})


def test_a_password_is_asked_for_only_where_one_is_missing() -> None:
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return "typed"

    assert shown(read_credentials({}, user="C\\u", ask=ask)) == "C\\u:typed"
    assert shown(read_credentials({PASSWORD: "p"}, user="C\\u", ask=ask)) == "C\\u:p"
    assert shown(read_credentials({}, ask=ask)) == ":None"
    assert questions == ["Password of C\\u for the AdminService"]


def test_secrets_show_nowhere() -> None:
    secret = Secret("hunter2")
    for thing in (secret, Bearer(secret), Negotiated("u", secret), [secret]):
        assert "hunter2" not in f"{thing} {thing!r}"
    assert secret.hidden_in("a hunter2 b") == "a … b"
    assert Secret("").hidden_in("abc") == "abc"
