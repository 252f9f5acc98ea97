"""Sites with targets, runs that ended, and authorities that are trusted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from wimdock.site.models import ImagePackage, Run, RunState, StepName
from wimdock.site.notifications import enqueue, event_of
from wimdock.site.settings import MailSettings, Settings, Target
from wimdock.site.site import Site

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = bytes.fromhex("31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0")
ERROR = {
    "class": "CorruptPackage",
    "message": "a hash in the package does not match",
    "hint": "Download the update again.",
    "exit_code": 42,
    "hresult": "0x80070570",
    "win32": 1392,
}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Give an authority that this machine trusts, as docs/guide/notifications.md says how."""
    made = trustme.CA()
    path = tmp_path / "authority.pem"
    made.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return made


def webhook(url: str, name: str = "ops", *events: str) -> Target:
    """Give a target that hears everything, or what is named."""
    heard = events or ("failed", "succeeded", "refused")
    return Target(name=name, kind="webhook", events=heard, url=url, secret=SECRET)


def told(site: Site, *targets: Target, mail: MailSettings | None = None) -> Site:
    """Give the site with other settings."""
    settings = Settings(notification=targets, mail=mail or MailSettings())
    return dataclasses.replace(site, settings=settings)


EndRun = Callable[..., int]


@pytest.fixture
def end_run() -> EndRun:
    """Give a function that makes a run that ended, with its notifications, and gives its ID."""

    def end(site: Site, state: RunState = RunState.FAILED, **members: Any) -> int:
        with site.writing() as session:
            if session.get(ImagePackage, "CAS00001") is None:
                session.add(
                    ImagePackage(
                        id="CAS00001",
                        type=257,
                        name="Golden",
                        path="/srv/golden.wim",
                        header="00",
                        length=1,
                        preflight={},
                        added_at=site.now(),
                        read_at=site.now(),
                    )
                )
                session.flush()
            run = Run(
                **{
                    "package_id": "CAS00001",
                    "state": state,
                    "queue": "default",
                    "priority": 0,
                    "indexes": [],
                    "update_ids": [1],
                    "options": {},
                    "storage": "",
                    "architecture": "amd64",
                    "memory": 1,
                    "attempt": 1,
                    "step": StepName.APPLY,
                    "created_at": site.now(),
                    "created_by": "tester",
                    "started_at": site.now(),
                    "ended_at": site.now(),
                    "error": {} if state is RunState.SUCCEEDED else ERROR,
                }
                | members
            )
            session.add(run)
            session.flush()
            event = event_of(state)
            if event is not None:
                enqueue(session, site, event, run)
            return run.id

    return end
