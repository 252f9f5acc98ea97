"""Mail: over verified TLS, to those it is for, with what a person needs, and no way to forge it."""

from __future__ import annotations

import json
import logging
import socket
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme
from sqlalchemy import select

from tests.site.conftest import SetClock
from tests.site.notifications.conftest import EndRun, told
from tests.site.notifications.mail_server import PASSWORD, USER, mail_server
from wimdock.site.models import (
    Notification,
    Run,
    RunState,
    Step,
    StepName,
    StepState,
    UpdateResultRow,
)
from wimdock.site.notifications import enqueue, outbox, send_due, send_now
from wimdock.site.notifications import mail as mail_module
from wimdock.site.notifications.delivery_failure import NotSent
from wimdock.site.notifications.mail import send_mail, write_mail
from wimdock.site.notifications.mail_text import subject_of, text_of
from wimdock.site.settings import MailSettings, Target
from wimdock.site.site import Site

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
OPS = Target(
    name="people",
    kind="mail",
    events=("failed", "succeeded", "refused"),
    to=("ops@contoso.com", "Team B <b@contoso.com>"),
)


def settings(port: int, security: str = "none", **others: Any) -> MailSettings:
    given = {"host": "localhost", "sender": "wimdock <wimdock@contoso.com>"} | others
    return MailSettings(port=port, security=security, **given)


def notice(**members: Any) -> dict[str, Any]:
    run = {
        "id": 12,
        "attempt": 1,
        "state": "failed",
        "step": "apply",
        "started": "2026-11-03T11:00:00Z",
        "ended": "2026-11-03T11:05:00Z",
        "generation": None,
        "added_bytes": 0,
    }
    return {
        "id": "0b8c8b8e-0000-4000-8000-000000000001",
        "event": "failed",
        "site": {"code": "CAS", "id": "0"},
        "image_package": {"id": "CAS00001", "name": "Golden"},
        "schedule": {"id": 16777217, "name": "Monthly"},
        "run": run,
        "error": {
            "message": "a hash in the package does not match",
            "what_to_do": "Download the update again.",
            "hresult": "0x80070570",
            "win32": 1392,
        },
        "updates": {"outcomes": {}, "failed": []},
        "commands": ["wimdock run show 12", "wimdock run log 12"],
    } | members


def refusal(mail: MailSettings, target: Target = OPS, seconds: float = 10.0) -> NotSent:
    with pytest.raises(NotSent) as found:
        send_mail(mail, target, write_mail(mail, target, notice(), NOW), "site.test", seconds)
    assert PASSWORD not in f"{found.value!r}{found.value.hint}"
    assert found.value.__suppress_context__ or found.value.__context__ is None
    return found.value


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_arrives(
    site: Site, end_run: EndRun, authority: trustme.CA, security: str, clock: SetClock
) -> None:
    with mail_server(security, authority, login=security != "none") as box:
        login = {} if security == "none" else {"user": USER, "password": PASSWORD}
        site = told(site, OPS, mail=settings(box.port, security, **login))
        run_id = end_run(site)
        assert send_due(site) == 1
        assert box.encrypted == [security != "none"]
        assert len(box.logins) == (security != "none")
        assert box.envelopes == [("wimdock@contoso.com", ["ops@contoso.com", "b@contoso.com"])]
        (mail,) = box.mails
    assert mail["Subject"] == (
        f"[CAS] CAS00001 failed, run {run_id}: a hash in the package does not match"
    )
    assert mail["To"] == "ops@contoso.com, Team B <b@contoso.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == clock.now()
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    for needed in (
        f"Run {run_id} of image package CAS00001 (Golden): failed.",
        "a hash in the package does not match",
        "Code: 0x80070570, Win32 1392",
        "What to do: Download the update again.",
        f"wimdock run show {run_id}",
        f"wimdock run log {run_id}",
    ):
        assert needed in text
    (row,) = outbox(site)
    assert mail["Message-ID"] == f"<{row.body['id']}@contoso.com>"


def test_an_authority_that_is_not_trusted(authority: trustme.CA) -> None:
    del authority
    for security in ("starttls", "tls"):
        with mail_server(security, trustme.CA()) as box:
            error = refusal(settings(box.port, security))
            assert "not signed by an authority that is trusted here" in error.message
            assert box.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_for_another_name(authority: trustme.CA, security: str) -> None:
    with mail_server(security, authority, names=("mail.example.org",)) as box:
        error = refusal(settings(box.port, security))
        assert "for another name than localhost" in error.message
        assert box.mails == []


def test_without_starttls_nothing_is_sent(authority: trustme.CA) -> None:
    with mail_server("none", authority, login=True) as box:
        error = refusal(settings(box.port, "starttls", user=USER, password=PASSWORD))
        assert "offers no STARTTLS" in error.message
        assert (box.mails, box.logins) == ([], [])


def test_a_password_goes_nowhere_without_tls(authority: trustme.CA) -> None:
    with mail_server("none", authority, login=True) as box:
        error = refusal(settings(box.port, "none", user=USER, password=PASSWORD))
        assert "without TLS" in error.message
        assert box.logins == []


def test_a_wrong_password(authority: trustme.CA) -> None:
    with mail_server("starttls", authority, login=True) as box:
        mail = settings(box.port, "starttls", user=USER, password=f"{PASSWORD}!")
        assert refusal(mail).message == ("localhost does not accept user and password (code 535)")
        assert box.mails == []


def test_recipients_that_are_refused(site: Site, end_run: EndRun, authority: trustme.CA) -> None:
    with mail_server("none", authority) as box:
        box.refused = {"b@contoso.com"}
        site = told(site, OPS, mail=settings(box.port))
        end_run(site)
        assert send_due(site) == 1
        assert box.envelopes == [("wimdock@contoso.com", ["ops@contoso.com"])]
        assert outbox(site)[0].error == "refused for b@contoso.com; the others have it"
        box.refused = {"b@contoso.com", "ops@contoso.com"}
        error = refusal(settings(box.port))
        assert error.message == "localhost refuses every recipient of people (code 550)"


def test_a_server_that_does_not_take_it_now(
    site: Site, end_run: EndRun, authority: trustme.CA, clock: SetClock
) -> None:
    with mail_server("none", authority) as box:
        box.answer = f"451 later, {PASSWORD}"
        site = told(site, OPS, mail=settings(box.port))
        end_run(site)
        assert send_now(site).failed == 1
        assert outbox(site)[0].error == "localhost does not take the mail (code 451)"
        box.answer = "250 taken"
        clock.advance(minutes=1)
        assert send_due(site) == 1
        assert len(box.mails) == 1


def test_a_server_that_is_down_or_silent_or_gone() -> None:
    assert "refuses connections on port 9" in refusal(settings(9, host="127.0.0.1")).message
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for security in ("none", "tls"):
            error = refusal(settings(silent.getsockname()[1], security), seconds=0.5)
            assert error.message == "localhost did not answer within 0.5 s"


@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_silent_server_is_said_to_be_silent(
    security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_module, "_SILENT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(settings(silent.getsockname()[1], security), seconds=60)
    assert error.message == "localhost did not answer within 0.5 s"


def test_a_password_that_cannot_be_sent(authority: trustme.CA) -> None:
    with mail_server("starttls", authority, login=True) as box:
        error = refusal(settings(box.port, "starttls", user=USER, password="Grüße"))  # noqa: S106
        assert "characters beyond ASCII" in error.message
        assert (box.mails, box.logins) == ([], [])


def test_no_server_in_the_settings() -> None:
    assert "name no mail server" in refusal(settings(25, host="")).message


@pytest.mark.parametrize(
    "sender,to",
    [
        ("wimdock", ("ops@contoso.com",)),
        ("", ("ops@contoso.com",)),
        ("a@contoso.com, b@contoso.com", ("ops@contoso.com",)),
        ("a@contoso.com\nBcc: eve@example.org", ("ops@contoso.com",)),
        ("a@contoso.com", ("ops@contoso.com, eve@example.org",)),
        ("a@contoso.com", ("ops@contoso.com\r\nBcc: eve@example.org",)),
        ("a@contoso.com", ("ops",)),
        ("a@contoso.com", ("<>",)),
        ("a@contoso.com", ()),
    ],
)
def test_what_is_no_address(sender: str, to: tuple[str, ...]) -> None:
    target = Target(name="people", kind="mail", to=to)
    with pytest.raises(NotSent, match="no mail address"):
        write_mail(settings(25, sender=sender), target, notice(), NOW)


def test_no_name_and_no_error_becomes_a_header(authority: trustme.CA) -> None:
    evil = "x\r\nBcc: eve@example.org\r\n\r\n.\r\nMAIL FROM:<eve@example.org>\r\n\x1b[2J\u202e"
    made = notice(
        package={"id": "CAS00001", "name": evil},
        error={"message": evil, "what_to_do": evil, "hresult": None, "win32": None},
    )
    with mail_server("none", authority) as box:
        mail = settings(box.port)
        send_mail(mail, OPS, write_mail(mail, OPS, made, NOW), "site.test", 10)
        (got,) = box.mails
        assert box.envelopes == [("wimdock@contoso.com", ["ops@contoso.com", "b@contoso.com"])]
    assert set(got.keys()) == {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
        "X-Peer",
        "X-MailFrom",
        "X-RcptTo",
    } - ({"X-Peer", "X-MailFrom", "X-RcptTo"} - set(got.keys()))
    text = got.get_content()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not any(line.startswith("Bcc") for line in text.splitlines())


def test_names_beyond_ascii_and_long_ones(authority: trustme.CA) -> None:
    made = notice(
        image_package={"id": "CAS00001", "name": "Grüße 画像"},
        error={"message": "ü" * 3000, "what_to_do": "", "hresult": None, "win32": 0},
    )
    assert len(subject_of(made)) == 150
    with mail_server("none", authority) as box:
        mail = settings(box.port)
        send_mail(mail, OPS, write_mail(mail, OPS, made, NOW), "site.test", 10)
        (got,) = box.mails
    assert got["Subject"].endswith("ü…")
    assert "Grüße 画像" in got.get_content()
    assert "ü" * 3000 in got.get_content()
    assert "Code:" not in got.get_content()


def test_what_is_said_of_updates_and_of_a_good_end() -> None:
    failed = {"index": 1, "package": "Package_for_KB1", "reason": "no room", "hresult": "0x1"}
    text = text_of(
        notice(updates={"outcomes": {"failed": 22, "installed": 3}, "failed": [failed] * 20})
    )
    assert "Updates: 22 failed, 3 installed" in text
    assert "  image 1, Package_for_KB1: no room (0x1)" in text
    assert "  and 2 more that failed" in text
    run = notice()["run"] | {"state": "succeeded", "generation": 3, "added_bytes": 5 << 20}
    text = text_of(notice(event="succeeded", run=run, error=None, schedule=None))
    assert "Run 12 of image package CAS00001 (Golden): succeeded." in text
    assert "Generation:  3" in text
    assert "Added:       5.0 MiB" in text
    assert "What went wrong" not in text
    run = notice()["run"] | {"state": "timed out"}
    assert "failed (timed out)" in text_of(notice(run=run))


def test_the_notice_holds_what_became_of_the_updates(site: Site, end_run: EndRun) -> None:
    site = told(site, OPS)
    run_id = end_run(site, RunState.CANCELLED)
    with site.writing() as session:
        run = session.get_one(Run, run_id)
        run.state, run.error = RunState.FAILED, {"message": "gone", "hresult": 0x80070570}
        for update_id, outcome in enumerate(("installed", "failed", "failed")):
            session.add(
                UpdateResultRow(
                    run_id=run_id,
                    index=1,
                    update_id=update_id,
                    package=f"Package_for_KB{update_id}",
                    status=2,
                    outcome=outcome,
                    reason="because",
                    win32=None,
                    hresult=0x800F0823,
                    at=site.now(),
                )
            )
        for name, state in ((StepName.APPLY, StepState.FAILED), (StepName.RECORD, "running")):
            session.add(
                Step(
                    run_id=run_id,
                    name=name,
                    state=StepState(state),
                    attempt=1,
                    token="",
                    started_at=site.now(),
                    result={},
                    error={},
                )
            )
        run.step = StepName.RECORD
        enqueue(session, site, "failed", run)
    with site.reading() as session:
        body = session.scalars(select(Notification)).one().body
    assert body["updates"]["outcomes"] == {"installed": 1, "failed": 2}
    assert [each["package"] for each in body["updates"]["failed"]] == [
        "Package_for_KB1",
        "Package_for_KB2",
    ]
    assert body["updates"]["failed"][0]["hresult"] == "0x800F0823"
    assert body["error"]["hresult"] == "0x80070570"
    assert body["run"]["step"] == "apply"


def test_passwords_show_nowhere(
    site: Site, end_run: EndRun, authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), mail_server("tls", authority, login=True) as box:
        box.answer = f"554 {PASSWORD}"
        mail = settings(box.port, "tls", user=USER, password=PASSWORD)
        site = told(site, OPS, mail=mail)
        end_run(site)
        send_due(site)
    (row,) = outbox(site)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("wimdock")]
    assert PASSWORD not in f"{row.error}{json.dumps(row.body)}{mail!r}{ours}"
