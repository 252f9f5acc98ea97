"""Settings: read whole or refused whole, from the file and from the environment."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from scripts.reference import REFERENCE
from tests.site.settings_reading import PREFIX, problems, read
from wimdock.errors import SettingsError, StorageError
from wimdock.site.settings import (
    SETTINGS_NAME,
    TABLES,
    Settings,
    Target,
    settings_of,
    variable_of,
)
from wimdock.site.settings_file import database_settings, read_settings
from wimdock.site.settings_text import settings_text, without_secrets, write_settings, write_text

UNKNOWN = "the URL of the database is none that wimdock knows"
WHOLE = """
[database]
url = "postgresql://wimdock@db1/site"  # ours

[worker]
concurrency = 4
heartbeat = 2
lease = 20.5
memory = 2048

[scheduler]
late = 10
watch = "/srv/incoming"

[log]
json = true

[mail]
host = "mail.example.org"
sender = "wimdock@example.org"
security = "tls"

[storage]
nas = "/mnt/nas"
"nas-2" = "/mnt/nas2"

[[notification]]
name = "operators"
kind = "mail"
to = ["ops@example.org"]
events = ["failed"]

[[notification]]
name = "hook"
kind = "webhook"
url = "https://example.org/hook"
secret = "sword"
"""


def test_what_is_given_outweighs_the_default(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert found.database.url == "postgresql://wimdock@db1/site"
    assert (found.worker.concurrency, found.worker.heartbeat) == (4, 2.0)
    assert (found.worker.lease, found.worker.memory) == (20.5, 2048)
    assert isinstance(found.worker.heartbeat, float)
    assert (found.scheduler.late, found.scheduler.watch) == (10, "/srv/incoming")
    assert found.scheduler.watch_seconds == 60
    assert found.log.json
    assert found.mail.security == "tls"
    assert found.storage == {"nas": Path("/mnt/nas"), "nas-2": Path("/mnt/nas2")}
    assert found.notification == (
        Target("operators", "mail", ("failed",), to=("ops@example.org",)),
        Target("hook", "webhook", url="https://example.org/hook", secret="sword"),  # noqa: S106
    )


def test_an_empty_file_stands_for_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Settings()
    assert read(tmp_path, "[worker]\n[storage]\n") == Settings()


def test_the_environment_outweighs_the_file(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        WHOLE,
        WORKER_CONCURRENCY=" 8 ",
        WORKER_LEASE="40.5",
        LOG_JSON="no",
        METRICS_PORT="9100",
        MAIL_HOST="other.example.org",
        STORAGE_NAS_2="/mnt/elsewhere",
        STORAGE_NEW="/mnt/new",
        NOTIFICATION_OPERATORS_TO="a@example.org, b@example.org",
        NOTIFICATION_OPERATORS_EVENTS="succeeded,refused",
        NOTIFICATION_HOOK_SECRET="swordfish",  # noqa: S106 - one of the test's own
        SITE="/srv/wimdock",
        DATABASE="postgresql://db/other",
    )
    assert (found.worker.concurrency, found.worker.lease) == (8, 40.5)
    assert found.log.json is False
    assert found.metrics.port == 9100
    assert found.mail.host == "other.example.org"
    assert found.storage == {
        "nas": Path("/mnt/nas"),
        "nas-2": Path("/mnt/elsewhere"),
        "new": Path("/mnt/new"),
    }
    operators, hook = found.notification
    assert operators.to == ("a@example.org", "b@example.org")
    assert operators.events == ("succeeded", "refused")
    assert hook.secret == "swordfish"  # noqa: S105 - one of the test's own
    assert found.database.url == "postgresql://wimdock@db1/site"


@pytest.mark.parametrize(
    "text, said",
    [
        ("[worker]\nlese = 3", ", line 2: [worker] lese is no setting of wimdock"),
        ("[wroker]\nlease = 3", ", line 1: [wroker] there is no such table of settings"),
        ("lease = 3", ", line 1: [lease] there is no such table of settings"),
        ("worker = 3", ", line 1: [worker] must be a table"),
        ("storage = 3", ", line 1: [storage] must be a table"),
        (
            '\n\n[worker]\n\nlease = "3"',
            ", line 5: [worker] lease must be a number from 0.5 to 86400",
        ),
        ("worker.lease = true", ", line 1: [worker] lease must be a number from 0.5 to 86400"),
        ("[worker]\nlease = inf", ", line 2: [worker] lease must be a number from 0.5 to 86400"),
        ("[worker]\nlease = nan", ", line 2: [worker] lease must be a number from 0.5 to 86400"),
        ("[worker]\nlease = 6", ", line 2: [worker] lease must be at least twice the heartbeat"),
        (
            "[worker]\nconcurrency = 0",
            ", line 2: [worker] concurrency must be a whole number from 1 to 256",
        ),
        (
            "[worker]\nconcurrency = 1.0",
            ", line 2: [worker] concurrency must be a whole number from 1 to 256",
        ),
        (
            "[worker]\nconcurrency = true",
            ", line 2: [worker] concurrency must be a whole number from 1 to 256",
        ),
        ("[log]\njson = 1", ", line 2: [log] json must be true or false"),
        (
            "[metrics]\nport = 65536",
            ", line 2: [metrics] port must be a whole number from 0 to 65535",
        ),
        ("[mail]\nhost = 3", ", line 2: [mail] host must be text"),
        ('[mail]\nhost = "a\\u0000b"', ", line 2: [mail] host must not contain a NUL character"),
        (
            '[mail]\nsecurity = "ssl"',
            ", line 2: [mail] security must be one of starttls, tls, none",
        ),
        ('[scheduler]\nwatch = "in"', ", line 2: [scheduler] watch must be an absolute path"),
        ('[storage]\nnas = "mnt"', ", line 2: [storage] nas must be an absolute path"),
        ('[storage]\n"n s" = "/mnt"', ", line 1: [storage] n s is no name for a storage location"),
        ('[storage]\nnas = ["/mnt"]', ", line 2: [storage] nas must be an absolute path"),
        (
            '[database]\nurl = "mysql://u:hunter2@h/d"',
            f", line 2: [database] url is not right: {UNKNOWN}",
        ),
        ("notification = 3", ", line 1: [notification] must be written as [[notification]]"),
        (
            "[notification]\nname = 'x'",
            ", line 1: [notification] must be written as [[notification]]",
        ),
        (
            '[[notification]]\nkind = "mail"',
            ", line 1: [notification] name must be a name of its own, of letters, digits, - and _",
        ),
        (
            '[[notification]]\nname = "a b"',
            ", line 2: [notification] name must be a name of its own, of letters, digits, - and _",
        ),
        (
            '[[notification]]\nname = "a"',
            ", line 1: [notification] kind must be one of webhook, mail",
        ),
        (
            '[[notification]]\nname = "a"\nkind = "fax"',
            ", line 3: [notification] kind must be one of webhook, mail",
        ),
        (
            '[[notification]]\nname = "a"\nkind = "webhook"',
            ", line 1: [notification] url must begin with http:// or https://",
        ),
        (
            '[[notification]]\nname = "a"\nkind = "webhook"\nurl = "ftp://x"',
            ", line 4: [notification] url must begin with http:// or https://",
        ),
        (
            '[[notification]]\nname = "a"\nkind = "mail"\nevents = ["ended"]',
            ", line 4: [notification] events must be a list of these: failed, succeeded, refused",
        ),
        (
            '[[notification]]\nname = "a"\nkind = "mail"\nto = "x@example.org"',
            ", line 4: [notification] to must be a list of texts",
        ),
        (
            '[[notification]]\nname = "a"\nkind = "mail"',
            ", line 1: [notification] to must name an address",
        ),
        (
            '[[notification]]\nname = "a"\nkind = "mail"\nto = ["a@b.org", "a@b.org, c@d.org"]',
            ", line 4: [notification] to must hold mail addresses only",
        ),
        (
            '[[notification]]\nname = "a"\nkind = "mail"\nto = ["a@b.org\\nBcc: c@d.org"]',
            ", line 4: [notification] to must hold mail addresses only",
        ),
        (
            '[[notification]]\nname = "a"\nkind = "webhook"\nurl = "http://x"\nsecret = "whsec_%"',
            ", line 5: [notification] secret must be base64 after whsec_",
        ),
        (
            '[mail]\nuser = "a"\nsecurity = "none"',
            ", line 3: [mail] security must be starttls or tls: a password goes over it",
        ),
    ],
)
def test_slips_are_named_with_their_lines(text: str, said: str, tmp_path: Path) -> None:
    assert problems(tmp_path, text) == [said]


def test_targets_have_names_of_their_own(tmp_path: Path) -> None:
    hook = '[[notification]]\nname = "{}"\nkind = "webhook"\nurl = "http://x"\n'
    said = problems(tmp_path, hook.format("a") + hook.format("A"))
    assert said == [
        ", line 6: [notification] name must be a name of its own, of letters, digits, - and _"
    ]


def test_a_webhook_without_a_secret_is_warned_of(tmp_path: Path) -> None:
    """A site that was restored without its secrets can be opened."""
    hook = '[[notification]]\nname = "a"\nkind = "webhook"\nurl = "http://x/KEY"\n'
    found = read(tmp_path, hook)
    (warning,) = found.warnings
    assert "notification a has no secret to be signed with" in warning
    assert read(tmp_path, f'{hook}secret = "x"').warnings == ()
    assert "KEY" not in f"{found!r}{warning}"


def test_mail_needs_a_sender_that_is_an_address(tmp_path: Path) -> None:
    text = '[[notification]]\nname = "a"\nkind = "mail"\nto = ["Ops <x@example.org>"]\n'
    assert problems(tmp_path, text + '[mail]\nhost = "m"\nsender = "wimdock"') == [
        ", line 7: [mail] sender must be a mail address"
    ]


def test_mail_needs_a_server(tmp_path: Path) -> None:
    text = '[[notification]]\nname = "a"\nkind = "mail"\nto = ["x@example.org"]\n'
    assert problems(tmp_path, text + '[mail]\nport = 25\nsender = "y@example.org"') == [
        ", line 5: [mail] host is needed: a notification goes by mail"
    ]


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = '[worker]\nlease = "x"\nmemory = -1\n[mail]\nport = 0\nhots = ""\n[extra]\n'
    said = problems(tmp_path, text, WORKER_CONCURRENCY="many", LOG_SISE="1", STORAGE_NAS="mnt")
    assert sorted(said) == sorted(
        [
            ", line 2: [worker] lease must be a number from 0.5 to 86400",
            ", line 3: [worker] memory must be a whole number from 0 to 1073741824",
            ", line 5: [mail] port must be a whole number from 1 to 65535",
            ", line 6: [mail] hots is no setting of wimdock",
            ", line 7: [extra] there is no such table of settings",
            f"{PREFIX}WORKER_CONCURRENCY must be a whole number from 1 to 256",
            f"{PREFIX}LOG_SISE: the environment names no setting of wimdock",
            ": [storage] nas must be an absolute path",
        ]
    )


@pytest.mark.parametrize(
    "text, line",
    [("[worker\n", "line 1"), ("a = 1\n[x]\nb = = 3", "line 3"), ('[x]\na = "\\q"', "line 2")],
)
def test_what_is_no_toml(text: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=re.escape(str(tmp_path))) as caught:
        read(tmp_path, text)
    assert line in caught.value.message


def test_what_is_no_text(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_NAME).write_bytes(b"[worker]\n# \xff\n")
    with pytest.raises(SettingsError, match="line 2: not UTF-8"):
        read_settings(tmp_path)
    (tmp_path / SETTINGS_NAME).unlink()
    with pytest.raises(StorageError):
        read_settings(tmp_path)
    (tmp_path / SETTINGS_NAME).mkdir()
    with pytest.raises(StorageError):
        read_settings(tmp_path)


@with_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(text=st.text(max_size=80), data=st.binary(max_size=40))
def test_whatever_is_in_the_file_only_our_errors_come(
    text: str, data: bytes, tmp_path: Path
) -> None:
    for content in (text.encode("utf-8", "surrogatepass"), data, WHOLE.encode() + data):
        (tmp_path / SETTINGS_NAME).write_bytes(content)
        said = str(tmp_path)
        try:
            read_settings(tmp_path, {})
        except SettingsError as error:
            said = error.message
        assert str(tmp_path) in said


def test_the_file_of_a_new_site_says_everything(tmp_path: Path) -> None:
    write_settings(tmp_path, "")
    path = tmp_path / SETTINGS_NAME
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert read_settings(tmp_path, {}) == Settings()
    for name, kind in (*TABLES.items(), ("notification", None)):
        assert f"[{name}]" in text
        for field, rule in settings_of(kind) if kind else ():
            assert f"\n# {field.name} = " in text
            assert rule.words.split(". ")[0].rstrip(".")[:40] in text
    assert max(map(len, text.splitlines())) <= 100
    # What is a comment is right as well.
    uncommented = re.sub(r"^# (\w+ = |\[\[)", r"\1", text, flags=re.MULTILINE)
    found = tomllib.loads(uncommented)
    assert found["worker"] == {"concurrency": 1, "heartbeat": 5.0, "lease": 30.0, "memory": 0}
    assert found["storage"] == {"nas": "/mnt/nas"}
    assert found["notification"][0]["name"] == "operators"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h/d",
        "postgresql://u:q\"u\\o'te#%40@h/d?sslmode=require",
        "postgresql://ü:漢@h/d",
        "postgresql://u:a\tb\u007f@h/d",
    ],
)
def test_the_url_is_written_as_it_was_given(url: str, tmp_path: Path) -> None:
    write_settings(tmp_path, url)
    assert read_settings(tmp_path, {}).database.url == url


VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@with_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), VALUES, max_size=3),
    VALUES,
    st.integers(1, 256),
    st.floats(0.1, 3600),
    st.booleans(),
    st.lists(VALUES, max_size=3),
)
def test_what_is_written_is_read_again(
    storage: dict[str, str],
    word: str,
    number: int,
    seconds: float,
    flag: bool,  # noqa: FBT001 - hypothesis gives it
    words: list[str],
) -> None:
    given_: dict[str, Any] = {
        "worker": {"concurrency": number, "heartbeat": seconds},
        "mail": {"host": word, "password": word},
        "log": {"json": flag},
        "storage": storage,
        "notification": [{"name": "a", "kind": "mail", "to": words, "secret": word}],
    }
    found = tomllib.loads(settings_text(given_))
    assert {name: table for name, table in found.items() if table} == {
        name: table for name, table in given_.items() if table
    }
    open_ = tomllib.loads(settings_text(without_secrets(given_)))
    assert open_["mail"] == {"host": word}
    assert open_["notification"] == [{"name": "a", "kind": "mail", "to": words}]


def test_the_file_is_written_whole_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / SETTINGS_NAME
    path.write_text("old")
    path.chmod(0o644)
    write_text(tmp_path, "[log]\njson = true\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [SETTINGS_NAME]
    assert read_settings(tmp_path, {}).log.json


def test_the_database_alone_can_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("swordfish\n")
    names = {f"{PREFIX}DATABASE_PASSWORD_FILE": str(tmp_path / "key"), f"{PREFIX}LOG_SIZE": "x"}
    assert database_settings(names).password == "swordfish"  # noqa: S105 - one of the test's own
    with pytest.raises(SettingsError, match="PASSWORD_FILE must be an absolute path"):
        database_settings({f"{PREFIX}DATABASE_PASSWORD_FILE": "key"})
    with pytest.raises(SettingsError, match="cannot be read from /missing"):
        database_settings({f"{PREFIX}DATABASE_PASSWORD_FILE": "/missing"})


def test_every_setting_is_documented() -> None:
    page = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    for name, kind in TABLES.items():
        assert f"\n## {name}\n" in page
        for field, rule in settings_of(kind):
            row = f"| `{field.name}` | `{variable_of(name, field.name)}` | "
            assert row in page
            assert rule.words in page
    for field, rule in settings_of(Target):
        assert f"| `{field.name}` | `{variable_of('notification', 'NAME', field.name)}` | " in page
        assert rule.words in page


def test_every_setting_is_read_from_the_file_and_the_environment(tmp_path: Path) -> None:
    """Each by itself, with a value that is not the default."""
    for table, kind in TABLES.items():
        for field, rule in settings_of(kind):
            value: Any = field.default
            match value:
                case bool():
                    value = not value
                case int() | float():
                    value = value + 1
                case _ if rule.choices:
                    value = rule.choices[-1]
                case _ if field.name.endswith("_file"):
                    (tmp_path / "secret").write_text("s")
                    value = str(tmp_path / "secret")
                case _ if field.name == "url":
                    value = "postgresql://u@h/d"
                case _:
                    value = "/x" if rule.folder else "x"
            text = settings_text({table: {field.name: value}})
            variable = variable_of(table, field.name).removeprefix(PREFIX)
            for found in (read(tmp_path, text), read(tmp_path, "", **{variable: str(value)})):
                assert getattr(getattr(found, table), field.name) == value
