"""`wimdock distribution`: points, transfers and what is where, in words and in JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.site_command import SiteCommand
from tests.conftest import REPOSITORY
from tests.site.distribution.distributing import ServedImage, committed, register
from wimdock.errors import (
    AlreadyRecorded,
    ContentMismatch,
    DistributionError,
    NoSuchRecord,
    PointDown,
    UsageError,
)

SCHEMAS = REPOSITORY / "docs" / "reference" / "schemas"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site."""
    made = SiteCommand(tmp_path / "site", capsys)
    yield made
    made.close()


@pytest.fixture
def served(command: SiteCommand, lab_image: Callable[[str], Path], tmp_path: Path) -> ServedImage:
    """Give an image package of that site, and a folder that is no point yet."""
    return register(command.site, lab_image("xpress"), tmp_path / "point")


def document(name: str, command: SiteCommand, *words: str, status: int = 0) -> dict[str, Any]:
    """Run a command with --json and give the document, which fits its schema."""
    ended = command("distribution", *words, "--json")
    assert ended.status == status, ended.err
    found = ended.document
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.validate(found, schema, format_checker=jsonschema.FormatChecker())
    return found


def said(command: SiteCommand, *words: str) -> str:
    """Run a command that ends well; give what it said."""
    ended = command("distribution", *words)
    assert ended.status == 0, ended.err
    return ended.out


def test_from_the_first_transfer_to_the_last(command: SiteCommand, served: ServedImage) -> None:
    assert "no distribution point" in said(command, "list")
    assert said(command, "add", "here", str(served.point)) == f"here: added, {served.point}\n"
    assert "No image package" in said(command, "status")
    assert "No distribution point" in said(command, "update")
    out = said(command, "send", served.id, "--to", "here")
    assert out.startswith("CAS00001 at here: the whole file, ")
    assert "has it already" in said(command, "send", served.id)
    added = served.service()
    assert " older " in said(command, "status")
    (sent,) = document("distribution_sent", command, "update")["sent"]
    assert (sent["way"], sent["outcome"]) == ("tail", "sent")
    assert sent["sent_bytes"] == added + 208
    assert committed(served.served) == committed(served.image)
    served.roll_back()
    assert "the header, 208 bytes sent" in said(command, "update", served.id)
    out = said(command, "verify", "here")
    assert "CAS00001: as it was sent" in out
    shown = document("distribution_point", command, "show", "here")
    assert shown["contents"][0]["sha256"] in out
    assert shown["point"]["sent_bytes"] > served.image.stat().st_size - added
    assert said(command, "withdraw", served.id, "--from", "here") == (
        "CAS00001: withdrawn from here\n"
    )
    assert not served.served.exists()
    assert "It holds no image package." in said(command, "show", "here")
    assert "removed" in said(command, "remove", "here")
    assert list(served.point.iterdir()) == []


def test_the_documents(command: SiteCommand, served: ServedImage) -> None:
    found = document("distribution_point", command, "add", "here", str(served.point))["point"]
    assert (found["kind"], found["state"], found["follow"]) == ("folder", "up", False)
    (sent,) = document("distribution_sent", command, "send", served.id)["sent"]
    assert (sent["outcome"], sent["way"], sent["content_version"]) == ("sent", "whole", 1)
    (sent,) = document("distribution_sent", command, "send", served.id)["sent"]
    assert (sent["outcome"], sent["way"], sent["sent_bytes"]) == ("current", "nothing", 0)
    (content,) = document("distribution_contents", command, "status", "cas00001")["contents"]
    assert (content["state"], content["current"]) == ("current", True)
    assert content["file"] == f"{served.id}/{served.image.name}"
    (verified,) = document("distribution_verified", command, "verify", "here")["verified"]
    assert (verified["as_sent"], verified["sha256"]) == (True, content["sha256"])
    found = document("distribution_point", command, "follow", "here")
    assert (found["point"]["follow"], len(found["contents"])) == (True, 1)
    assert not document("distribution_point", command, "follow", "here", "--off")["point"]["follow"]
    disabled = document("distribution_point", command, "disable", "here")["point"]
    assert (disabled["state"], disabled["enabled"]) == ("disabled", False)
    assert "point disabled" in said(command, "status", "--point", "here")
    document("distribution_point", command, "enable", "here")
    (point,) = document("distribution_points", command, "list")["points"]
    assert point["state"] == "up"
    words = ("withdraw", served.id, "--from", "here")
    assert document("distribution_withdrawn", command, *words)["image_packages"] == [served.id]
    document("distribution_point", command, "remove", "here")


def test_a_point_that_is_down_stops_no_other(
    command: SiteCommand, served: ServedImage, tmp_path: Path
) -> None:
    for name in ("down", "up"):
        (tmp_path / name).mkdir()
        said(command, "add", name, str(tmp_path / name))
    shutil.rmtree(tmp_path / "down")
    words = ("send", served.id)
    first, second = document("distribution_sent", command, *words, status=PointDown.exit_code)[
        "sent"
    ]
    assert (first["outcome"], first["error"]["type"]) == ("failed", "PointDown")
    assert (second["outcome"], second["error"]) == ("sent", None)
    ended = command("distribution", *words)
    assert ended.status == PointDown.exit_code
    assert "CAS00001 at down: failed; it is tried again later" in ended.out
    assert "is no folder now" in ended.err
    assert "what to do: " in ended.err
    down, _ = document("distribution_points", command, "list")["points"]
    assert down["state"] == "down"
    assert down["retry_at"] > down["down_since"]
    assert " down " in said(command, "list")
    assert "point down" in said(command, "status")


def test_damage_is_told_and_made_good(command: SiteCommand, served: ServedImage) -> None:
    said(command, "add", "here", str(served.point))
    said(command, "send", served.id)
    with served.served.open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    status = ContentMismatch.exit_code
    words = ("verify", "here", served.id)
    (found,) = document("distribution_verified", command, *words, status=status)["verified"]
    assert (found["as_sent"], found["sha256"]) == (False, None)
    assert found["error"]["type"] == "ContentMismatch"
    ended = command("distribution", *words)
    assert (ended.status, ended.out) == (status, "CAS00001: NOT as sent\n")
    assert "the whole file" in said(command, "update")
    assert committed(served.served) == committed(served.image)


@pytest.mark.parametrize(
    "words, error",
    [
        (("show", "nowhere"), NoSuchRecord),
        (("remove", "nowhere"), NoSuchRecord),
        (("enable", "nowhere"), NoSuchRecord),
        (("verify", "nowhere"), NoSuchRecord),
        (("status", "CAS00009"), NoSuchRecord),
        (("status", "--point", "nowhere"), NoSuchRecord),
        (("send", "CAS00009"), NoSuchRecord),
        (("send", "CAS00001", "--to", "nowhere"), NoSuchRecord),
        (("update", "CAS00009"), NoSuchRecord),
        (("withdraw", "CAS00001", "--from", "here"), NoSuchRecord),
        (("add", "here", "/"), AlreadyRecorded),
        (("add", "a/b", "/srv"), UsageError),
        (("add", "other", "smb://server/share"), UsageError),
        (("add", "other", "/nowhere/at/all"), PointDown),
    ],
)
def test_what_is_wrong(
    words: tuple[str, ...],
    error: type[DistributionError],
    command: SiteCommand,
    served: ServedImage,
) -> None:
    said(command, "add", "here", str(served.point))
    ended = command("distribution", *words)
    assert (ended.status, ended.out) == (error.exit_code, ""), ended.err
    assert ended.err.startswith("wimdock: ")


def test_names_cannot_steer_the_terminal(command: SiteCommand, served: ServedImage) -> None:
    said(command, "add", "here", str(served.point))
    ended = command("distribution", "show", "here\x1b[31m")
    assert "\x1b" not in ended.out + ended.err
