"""`wimdock notification`: what it shows, and its documents by their schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import trustme

from tests.conftest import REPOSITORY
from tests.site.notifications.conftest import SECRET, EndRun, told, webhook
from tests.site.notifications.mail_server import mail_server
from tests.site.notifications.receiver import Receiver
from wimdock.cli.main import run
from wimdock.errors import NoSuchRecord, NotificationError
from wimdock.site.models import RunState
from wimdock.site.notifications import send_now
from wimdock.site.settings import SETTINGS_NAME
from wimdock.site.site import Site

SCHEMAS = REPOSITORY / "docs" / "reference" / "schemas"

Ask = Callable[..., str]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], make_site: Callable[[str | None], Site]) -> Ask:
    del make_site  # its sites are closed after the command's own

    def asked(site: Site, *words: str, status: int = 0) -> str:
        capsys.readouterr()
        assert run(["notification", *words, "--site", str(site.folder)]) == status
        ended = capsys.readouterr()
        assert SECRET not in ended.out + ended.err
        assert "KEY-IN-THE-ADDRESS" not in ended.out + ended.err
        return ended.out if status == 0 else ended.err

    return asked


def validated(text: str, name: str) -> dict[str, Any]:
    """Give a document, which must be as its schema says."""
    found: dict[str, Any] = json.loads(text)
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(found)
    assert found["wimdock"]["document"] == name
    return found


def write_settings(site: Site, *lines: str) -> None:
    """Put lines after the settings that the site was made with."""
    path = site.folder / SETTINGS_NAME
    path.write_text("\n".join((path.read_text(encoding="utf-8"), *lines, "")), encoding="utf-8")


def of_webhook(url: str) -> tuple[str, ...]:
    return (
        "[[notification]]",
        'name = "ops"',
        'kind = "webhook"',
        'events = ["failed", "refused", "succeeded"]',
        f'url = "{url}"',
        f'secret = "{SECRET}"',
    )


def test_targets(site: Site, ask: Ask) -> None:
    assert "name nobody" in ask(site, "targets")
    write_settings(site, *of_webhook("https://hooks.contoso.com/KEY-IN-THE-ADDRESS"))
    out = ask(site, "targets")
    assert "ops" in out
    assert "hooks.contoso.com" in out
    (target,) = validated(ask(site, "targets", "--json"), "notification_targets")["targets"]
    assert (target["host"], target["kind"]) == ("hooks.contoso.com", "webhook")


def test_list_and_retry(site: Site, ask: Ask, end_run: EndRun) -> None:
    assert "no such notification" in ask(site, "list")
    down = told(site, webhook("http://127.0.0.1:9/KEY-IN-THE-ADDRESS"))
    for state in (RunState.FAILED, RunState.SUCCEEDED, RunState.REFUSED):
        end_run(down, state)
    send_now(down)
    out = ask(site, "list")
    assert out.count("127.0.0.1 refuses connections on port 9") == 1
    assert "refused" in out.splitlines()[1]
    found = validated(ask(site, "list", "--json", "--last", "2"), "notifications")
    assert [each["event"] for each in found["notifications"]] == ["refused", "succeeded"]
    assert found["notifications"][0]["notice"]["run"]["state"] == "refused"
    assert "no such notification" in ask(site, "list", "--state", "sent")
    with Receiver() as receiver:
        write_settings(site, *of_webhook(receiver.url))
        # The site's clock stands in the past: all three are due by the clock of the command.
        out = ask(site, "retry")
        assert out == "1 notification to be tried again; 3 sent\n"
        assert len(receiver.received) == 3
        for received in receiver.received:
            validated(received.body.decode(), "notification")
    found = validated(ask(site, "list", "--state", "sent", "--json"), "notifications")
    assert [each["next_try"] for each in found["notifications"]] == [None] * 3
    assert "was sent, is being sent, or does not exist" in ask(
        site, "retry", "1", status=NoSuchRecord.exit_code
    )
    found = validated(ask(site, "retry", "--json"), "notification_retry")
    assert (found["numbers"], found["sent"]) == ([], 0)


def test_a_retry_that_fails(site: Site, ask: Ask, end_run: EndRun) -> None:
    write_settings(site, *of_webhook("http://127.0.0.1:9/KEY-IN-THE-ADDRESS"))
    end_run(told(site, webhook("http://127.0.0.1:9/")))
    out = ask(site, "retry", "1")
    assert "1 notification to be tried again; 0 sent" in out
    assert "1 target did not take it" in out


def test_a_trial_where_the_settings_name_nobody(site: Site, ask: Ask) -> None:
    error = ask(site, "test", "ops", status=NoSuchRecord.exit_code)
    assert "none" not in error
    assert "[[notification]]" in error


def test_a_trial(site: Site, ask: Ask, authority: trustme.CA) -> None:
    with Receiver(authority) as receiver:
        write_settings(site, *of_webhook(receiver.url))
        assert ask(site, "test", "ops") == "ops has taken it\n"
        validated(ask(site, "test", "ops", "--json"), "notification_test")
        assert [each.notice["event"] for each in receiver.received] == ["test", "test"]
        notice = validated(receiver.received[0].body.decode(), "notification")
        assert notice["run"] is None
        receiver.status = 500
        error = ask(site, "test", "ops", status=NotificationError.exit_code)
        assert "localhost answered with status 500" in error
        assert "what to do" in error
    assert "no such notification" in ask(site, "list")
    error = ask(site, "test", "nobody", status=NoSuchRecord.exit_code)
    assert "Name one of ops;" in error


def test_a_trial_by_mail(site: Site, ask: Ask, authority: trustme.CA) -> None:
    with mail_server("starttls", authority) as box:
        path = site.folder / SETTINGS_NAME
        table = f'[mail]\nhost = "localhost"\nport = {box.port}\nsender = "wimdock@contoso.com"\n'
        path.write_text(path.read_text(encoding="utf-8").replace("[mail]\n", table), "utf-8")
        write_settings(
            site,
            "[[notification]]",
            'name = "people"',
            'kind = "mail"',
            'to = ["ops@contoso.com"]',
        )
        assert ask(site, "test", "people") == "people has taken it\n"
        (mail,) = box.mails
    assert mail["Subject"] == "[CAS] wimdock: a test of notifications"
    assert "Nothing has happened" in mail.get_content()
