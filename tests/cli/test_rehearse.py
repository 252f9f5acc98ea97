"""`wimdock rehearse`: what it prints, its JSON document, and its exit statuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from tests.cli.demo_files import copy_demo
from tests.conftest import REPOSITORY
from wimdock.cli.main import run
from wimdock.reparse.hosts import Build
from wimdock.reparse.judgement import Judgement, Strength
from wimdock.servicing.mounts import list_mounts, unmount
from wimdock.servicing.preflight import host

SCHEMA = REPOSITORY / "docs" / "reference" / "schemas" / "rehearse.json"
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(
    lab_image: object,  # the lab's needs are this command's: root and FUSE
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Said]:
    """Give a function that runs the command in a folder with demo.wim and a folder d."""
    copy_demo(tmp_path)
    assert lab_image
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIMDOCK_STATE", str(tmp_path / "state"))
    (tmp_path / "d").mkdir()

    def said(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = run(["rehearse", "demo.wim", "--staging", "d", *arguments])
        return status, *capfd.readouterr()

    yield said
    for mounted in list_mounts():
        if mounted.directory.is_relative_to(tmp_path):
            unmount(mounted.directory, commit=False)


def test_every_ending_is_a_document_of_the_published_schema(say: Said) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    seen = []
    for arguments, status in (
        (("--provider", "Server=10.0.17763", "--update", "demo-update.cab"), 0),
        (("--provider", "CM01=6.3.9600"), 54),
        (("--provider", "CM02=10.0.17763"), 56),
    ):
        ended, out, _ = say(*arguments, "--allow-unsigned", "--json")
        document = json.loads(out)
        jsonschema.validate(document, schema, format_checker=jsonschema.FormatChecker())
        assert ended == status
        seen.append((document["ending"], len(document["status_messages"])))
    assert seen == [("committed", 1), ("failed", 2), ("failed", 1)]


def test_a_failure_says_where_everything_is_and_what_to_do(say: Said) -> None:
    status, out, err = say("--provider", "CM01=Server 2012 R2")
    assert status == 54
    assert "image 1: CM01 cannot commit." in out
    assert "OfflineServicingMgr.log" in out
    assert "still mounted:" in out
    assert "(0x800700A1)" in err
    assert "wimdock doctor" in err
    assert "wimdock cleanup" in err


def test_a_success_says_where_the_result_is(say: Said) -> None:
    status, out, err = say("--provider", "wimdock")
    assert status == 0
    assert "PackageSource/CAS00123/demo.wim" in out
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments, status",
    [
        (("--provider", "CM01"), 2),
        (("--provider", "CM01=seven"), 2),
        (("--provider", "CM01=6.3.9600", "--provider", "CM02=10.0.17763"), 2),
        (("--provider", "CM01=6.3.9600", "--package-id", "cas"), 2),
        (("--provider", "CM01=6.3.9600", "--remove-superseded"), 2),
        (("--provider", "CM01=6.3.9600", "--index", "9"), 15),
        (("--provider", "CM01=6.3.9600", "--staging", "nowhere"), 4),
        (("--provider", "CM01=6.3.9600", "--update", "demo.wim.missing"), 4),
        ((), 2),
    ],
)
def test_wrong_input_is_refused_with_its_status(
    say: Said, arguments: tuple[str, ...], status: int
) -> None:
    ended, _, err = say(*arguments)
    assert ended == status
    assert "what to do:" in err
    assert not Path("d/Logs").exists()


def test_a_package_id_and_a_drive_may_be_typed_in_small_letters(say: Said) -> None:
    status, out, _ = say("--provider", "wimdock", "--package-id", "abc0012f", "--drive", "e:")
    assert status == 0
    assert "PackageSource/ABC0012F/demo.wim" in out


def test_an_update_that_failed_is_told_by_the_exit_status(say: Said) -> None:
    Path("broken.cab").write_bytes(b"MSCF but not really")
    asked = ("--provider", "wimdock", "--update", "broken.cab", "--continue-on-error")
    status, out, err = say(*asked)
    assert status not in (0, 70)
    assert "committed:" in out
    assert "image 1: " in err
    with_json = say(*asked, "--json")
    assert with_json[0] == status
    assert json.loads(with_json[1])["ending"] == "committed"


def test_a_commit_that_might_fail_there_is_not_status_0(
    say: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak = Judgement(Strength.WEAK, "it has an unusual target")
    monkeypatch.setattr(host, "CARRIES_WINDOWS_10", Build(99, 0, 0))
    monkeypatch.setattr(host, "judge", lambda *_given: weak)
    status, out, _ = say("--provider", "CM01=10.0.17763")
    assert status == 59
    assert "committed here, not certain there" in out
