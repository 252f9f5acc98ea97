"""`wimdock run`: runs listed, shown, watched, cancelled and made anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.demo_files import copy_demo
from tests.cli.site_command import SiteCommand
from wimdock.errors import (
    AlreadyRecorded,
    NoSuchRecord,
    RunCancelled,
    UnsignedPackage,
    UnsupportedPackage,
)
from wimdock.site.images.adding import add_package
from wimdock.site.models import ImagePackage, RunState, StepName
from wimdock.site.runs.create import RunRequest, create_run
from wimdock.site.runs.queue import WorkerOffer, begin, claim, register_worker, stop_worker
from wimdock.site.steps.perform import fail_step, perform
from wimdock.site.updates.importing import import_updates

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site with the demo's image and update."""
    made = SiteCommand(tmp_path / "site", capsys)
    copy_demo(tmp_path)
    add_package(made.site, tmp_path / "demo.wim")
    import_updates(made.site, tmp_path / "demo-update.cab")
    yield made
    made.close()


def new_run(command: SiteCommand, **options: Any) -> int:
    with command.site.writing() as session:
        package = session.get_one(ImagePackage, "CAS00001")
        run = create_run(session, command.site, RunRequest(package, [0x01000001], options=options))
        assert run is not None
    return run.id


def execute(command: SiteCommand, run_id: int) -> None:
    site = command.site
    worker = register_worker(site, WorkerOffer(site.host, "boot", 1))
    assert claim(site, worker, 1)
    token = begin(site, run_id, 1, worker)
    assert token is not None
    for step in StepName:
        perform(site, run_id, token, step)
    stop_worker(site, worker)


def check(name: str, document: dict[str, Any]) -> dict[str, Any]:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    return document


def test_there_are_no_runs_at_first(command: SiteCommand) -> None:
    assert command("run", "list").out == "There is no such run.\n"


def test_a_run_is_listed_shown_and_told(command: SiteCommand) -> None:
    run_id = new_run(command, allow_unsigned=True)
    execute(command, run_id)
    listed = check("runs", json.loads(command("run", "list", "--json").out))
    assert [each["state"] for each in listed["runs"]] == ["succeeded"]
    assert "CAS00001" in command("run", "list").out
    assert "CAS00001" in command("run", "list", "--image", "cas00001").out
    shown = check("run", json.loads(command("run", "show", str(run_id), "--json").out))
    assert [each["update_status"] for each in shown["results"]] == [2]
    text = command("run", "show", str(run_id)).out
    assert f"run {run_id} of CAS00001 (no schedule): succeeded" in text
    assert "nothing was written" not in text
    told = check("run_log", json.loads(command("run", "log", str(run_id), "--json").out))
    assert {"apply", "verify"} <= {each["step"][0] for each in told["events"] if each["step"]}
    assert "apply / Commit: done" in command("run", "log", str(run_id)).out


def test_of_several_runs_each_line_says_whose_it_is(command: SiteCommand) -> None:
    first, second = new_run(command, allow_unsigned=True), new_run(command, allow_unsigned=True)
    execute(command, first)
    execute(command, second)
    alone = command("run", "watch", str(first)).err
    assert "apply ..." in alone
    assert f"run {first}:" not in alone
    lines = command("run", "watch", str(first), str(second)).err.splitlines()
    assert {line.split()[1] for line in lines} == {f"{first}:", f"{second}:"}


def test_runs_are_listed_by_every_state_that_there_is(command: SiteCommand) -> None:
    for state in RunState:
        assert command("run", "list", "--state", state.value).out == "There is no such run.\n"


def test_what_failed_is_the_status_of_watching(command: SiteCommand) -> None:
    run_id = new_run(command)
    execute(command, run_id)
    ended = command("run", "watch", str(run_id))
    assert ended.status == UnsignedPackage.exit_code
    assert f"run {run_id} of CAS00001: failed" in ended.out
    assert "what to do:" in ended.out
    assert command("run", "list", "--state", "succeeded").out == "There is no such run.\n"


def test_a_waiting_run_is_cancelled_at_once(command: SiteCommand) -> None:
    run_id = new_run(command)
    assert command("run", "cancel", str(run_id)).out == f"run {run_id} of CAS00001 is cancelled\n"
    assert command("run", "cancel", str(run_id)).status == AlreadyRecorded.exit_code


def test_of_several_runs_all_or_none_is_cancelled(command: SiteCommand) -> None:
    first, second = new_run(command), new_run(command)
    ended = command("run", "cancel", str(first), "99")
    assert ended.status == NoSuchRecord.exit_code
    assert "queued" in command("run", "show", str(first)).out
    assert command("run", "cancel", str(second)).status == 0
    ended = command("run", "cancel", str(first), str(second))
    assert ended.status == AlreadyRecorded.exit_code
    assert "queued" in command("run", "show", str(first)).out


def test_a_run_made_anew_is_executed_here_where_no_worker_is(command: SiteCommand) -> None:
    run_id = new_run(command, allow_unsigned=True)
    assert command("run", "retry", str(run_id)).status == AlreadyRecorded.exit_code
    command("run", "cancel", str(run_id))
    ended = command("run", "retry", str(run_id), "--wait", "--json")
    assert ended.status == 0, ended.err
    [run] = check("runs", json.loads(ended.out))["runs"]
    assert (run["state"], run["retry_of"], run["generation"]) == ("succeeded", run_id, 3)


@pytest.mark.parametrize("verb", ["show", "log", "watch", "cancel", "retry"])
def test_a_run_that_there_is_not_is_said_so(command: SiteCommand, verb: str) -> None:
    ended = command("run", verb, "77")
    assert ended.status == NoSuchRecord.exit_code
    assert "there is no run 77" in ended.err


def test_a_run_that_was_cancelled_is_no_success_to_whoever_watches(command: SiteCommand) -> None:
    run_id = new_run(command)
    command("run", "cancel", str(run_id))
    ended = command("run", "watch", str(run_id), "--json")
    assert ended.status == RunCancelled.exit_code
    [run] = check("runs", json.loads(ended.out))["runs"]
    assert run["error"]["type"] == "RunCancelled"


def test_the_reasons_of_an_unsupported_update_are_shown(command: SiteCommand) -> None:
    run_id = new_run(command)
    worker = register_worker(command.site, WorkerOffer(command.site.host, "boot", 1))
    assert claim(command.site, worker, 1)
    token = begin(command.site, run_id, 1, worker)
    assert token is not None
    error = UnsupportedPackage("not this one", reasons=("a driver", "\x1b[31mred"))
    fail_step(command.site, run_id, token, StepName.PLAN, error)
    perform(command.site, run_id, token, StepName.RECORD)
    for verb in ("show", "watch"):
        text = command("run", verb, str(run_id)).out
        assert "- a driver\n" in text
        assert "\x1b" not in text
    shown = check("run", json.loads(command("run", "show", str(run_id), "--json").out))
    assert shown["error"]["reasons"] == ["a driver", "\x1b[31mred"]
