"""Users and tokens: who is let in, and that no secret stays."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.site.conftest import SetClock
from wimdock.errors import AlreadyRecorded, NoSuchRecord, UsageError
from wimdock.site.models import Audit, Base, Role, Token, User
from wimdock.site.people import (
    add_user,
    authenticate,
    list_users,
    make_token,
    revoke_tokens,
    set_enabled,
    tokens_of,
    user_of,
)
from wimdock.site.people.tokens import _SECRET, PREFIX
from wimdock.site.site import Site


def who(site: Site, secret: str) -> str | None:
    with site.writing() as session:
        user = authenticate(session, secret, site.now())
        return None if user is None else user.name


def test_users(site: Site) -> None:
    add_user(site, "Anna", Role.ADMINISTRATOR, "anna@example.org")
    add_user(site, "build-server", Role.OPERATOR)
    with pytest.raises(AlreadyRecorded):
        add_user(site, "ANNA", Role.READER)
    assert [(each.user.name, each.user.role, each.tokens) for each in list_users(site)] == [
        ("anna", Role.ADMINISTRATOR, 0),
        ("build-server", Role.OPERATOR, 0),
    ]
    with site.reading() as session:
        assert user_of(session, " Anna ").mail == "anna@example.org"
        with pytest.raises(NoSuchRecord):
            user_of(session, "berta")
        with pytest.raises(NoSuchRecord):
            user_of(session, "an\0na")


@pytest.mark.parametrize("name", ["", "-rf", "a b", "a\nb", "é", "a" * 65, ".", "\0", "an/na"])
def test_what_is_no_name(name: str, site: Site) -> None:
    with pytest.raises(UsageError):
        add_user(site, name, Role.READER)
    assert list_users(site) == []


@pytest.mark.parametrize("mail", ["", "anna", "a@b@c", "a @b", "a@b\nBcc: x@y", "@", "\0@a"])
def test_what_is_no_address(mail: str, site: Site) -> None:
    with pytest.raises(UsageError):
        add_user(site, "anna", Role.READER, mail)


def test_a_token_lets_its_user_in_until_it_is_revoked(site: Site, clock: SetClock) -> None:
    add_user(site, "anna", Role.OPERATOR)
    add_user(site, "berta", Role.OPERATOR)
    first = make_token(site, "anna", name="nightly")
    second = make_token(site, "berta")
    assert (who(site, first.secret), who(site, second.secret)) == ("anna", "berta")
    assert {each.user.name: each.tokens for each in list_users(site)} == {"anna": 1, "berta": 1}
    revoke_tokens(site, [first.token.id, first.token.id])
    clock.advance(hours=1)
    revoke_tokens(site, [first.token.id])
    assert (who(site, first.secret), who(site, second.secret)) == (None, "berta")
    with site.reading() as session:
        (token,) = tokens_of(session, user_of(session, "anna"))
    assert token.revoked_at == site.now() - timedelta(hours=1)
    assert token.name == "nightly"
    with pytest.raises(NoSuchRecord):
        revoke_tokens(site, [second.token.id, 99])
    with pytest.raises(NoSuchRecord):
        revoke_tokens(site, [1 << 70])
    assert who(site, second.secret) == "berta"


def test_a_token_ends_at_its_time(site: Site, clock: SetClock) -> None:
    add_user(site, "anna", Role.READER)
    made = make_token(site, "anna", expires_at=site.now() + timedelta(days=1))
    clock.advance(days=1, seconds=-1)
    assert who(site, made.secret) == "anna"
    clock.advance(seconds=1)
    assert who(site, made.secret) is None
    assert [each.tokens for each in list_users(site)] == [0]
    with pytest.raises(UsageError):
        make_token(site, "anna", expires_at=site.now())


def test_a_disabled_user_is_not_let_in(site: Site) -> None:
    add_user(site, "anna", Role.READER)
    made = make_token(site, "anna")
    set_enabled(site, ["ANNA"], enabled=False)
    assert who(site, made.secret) is None
    with pytest.raises(AlreadyRecorded):
        make_token(site, "anna")
    set_enabled(site, ["anna"], enabled=False)
    set_enabled(site, ["anna"], enabled=True)
    assert who(site, made.secret) == "anna"
    with pytest.raises(NoSuchRecord):
        set_enabled(site, ["anna", "berta"], enabled=False)
    assert who(site, made.secret) == "anna"
    with site.reading() as session:
        actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions == ["user.add", "user.token", "user.disable", "user.enable"]


def test_the_time_of_use_is_noted_to_the_minute(site: Site, clock: SetClock) -> None:
    add_user(site, "anna", Role.READER)
    made = make_token(site, "anna")
    first = site.now()
    assert who(site, made.secret) == "anna"
    clock.advance(seconds=59)
    who(site, made.secret)
    with site.reading() as session:
        assert session.get_one(Token, made.token.id).last_used_at == first
    clock.advance(seconds=1)
    who(site, made.secret)
    with site.reading() as session:
        assert session.get_one(Token, made.token.id).last_used_at == site.now()


def test_the_secret_is_nowhere_in_the_database(site: Site) -> None:
    add_user(site, "anna", Role.READER)
    made = make_token(site, "anna", name="one")
    assert _SECRET.fullmatch(made.secret)
    assert made.secret not in repr(made)
    with site.reading() as session:
        everything = json.dumps(
            [
                [list(row) for row in session.execute(select(table))]
                for table in Base.metadata.sorted_tables
            ],
            default=str,
        )
    assert made.secret not in everything
    assert made.secret.removeprefix(PREFIX) not in everything
    assert made.token.sha256 in everything


def test_secrets_are_all_different(site: Site) -> None:
    add_user(site, "anna", Role.READER)
    drawn = {make_token(site, "anna").secret for _ in range(20)}
    assert len(drawn) == 20
    assert all(re.fullmatch(r"wimdock_[A-Za-z0-9_-]{43}", each) for each in drawn)


@given(st.text(max_size=80))
def test_what_is_no_secret_asks_no_database(secret: str) -> None:
    assert authenticate(None, secret, datetime(2026, 1, 1, tzinfo=UTC)) is None  # type: ignore[arg-type]


def test_two_at_once_of_one_name(site: Site) -> None:
    ended: list[str] = []

    def add() -> None:
        try:
            add_user(site, "anna", Role.READER)
            ended.append("added")
        except AlreadyRecorded:
            ended.append("there")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["added", "there", "there", "there"]
    with site.reading() as session:
        assert len(session.scalars(select(User)).all()) == 1
