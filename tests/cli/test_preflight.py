"""`wimdock preflight`: its document, its text, its exit statuses."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import trustme

from tests.configmgr.site_server import SiteServer, provider_location
from tests.lab.tool import run as run_tool
from tests.servicing.surroundings import cabinet_of
from wimdock.cli.main import run

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/reference/schemas/preflight.json").read_text("utf-8")
)
Copies = Callable[[str], Path]


def said(capsys: pytest.CaptureFixture[str], status: int, *words: object) -> str:
    """Run the command, which must end with this status, and give what it printed."""
    ended = run(["preflight", *map(str, words)])
    printed = capsys.readouterr()
    assert ended == status, printed.err
    return printed.out


def document(capsys: pytest.CaptureFixture[str], status: int, *words: object) -> dict[str, Any]:
    """Give the JSON document, which must be as its schema says."""
    found: dict[str, Any] = json.loads(said(capsys, status, *words, "--json"))
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "providers, status, readiness",
    [
        (["CM01=6.3.9600"], 58, "blocked"),
        (["CM01=6.3.9600", "CM02=Server 2019"], 58, "blocked"),
        (["CM02=Server 2019"], 0, "ready"),
        (["CM03"], 59, "uncertain"),
        (["wimdock"], 0, "ready"),
        ([], 59, "uncertain"),
    ],
)
def test_documents_and_statuses(
    lab_image: Copies,
    capsys: pytest.CaptureFixture[str],
    providers: list[str],
    status: int,
    readiness: str,
) -> None:
    options = [f"--provider={each}" for each in providers]
    found = document(capsys, status, lab_image("xpress"), *options)
    assert found["readiness"] == readiness
    assert found["hosts_named"] is bool(providers)
    assert [each["name"] for each in found["hosts"]][: len(providers)] == [
        each.partition("=")[0] for each in providers
    ]


def test_a_full_document(
    lab_image: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "office.exe"
    program.write_bytes(b"MZ" + bytes(100))
    found = document(
        capsys,
        58,
        lab_image("multi"),
        f"--update={cabinet_of('plain', tmp_path)}",
        f"--update={program}",
        "--provider=CM01=6.3.9600",
        "--provider=wimdock",
        f"--staging={tmp_path}",
    )
    checks = {(each["check"], each["index"]): each for each in found["checks"]}
    assert checks["update-applicability", 1]["result"] == "passed"
    assert checks["wimdock-plan", 1]["update"] == "plain.cab"
    assert found["counts"]["failed"] == sum(e["result"] == "failed" for e in found["checks"])
    assert {each["failure"] for each in found["checks"]} >= {None, 5}
    verdict = found["images"][0]["verdicts"][0]
    assert verdict["strong"] == sum(
        each["count"] for each in verdict["troubles"] if each["strength"] == "strong"
    )
    assert found["space"]
    assert found["what_to_do"]


def test_hosts_from_a_file(
    lab_image: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = tmp_path / "hosts.csv"
    hosts.write_text("name,build\nCM01,6.3.9600\nCM02,Server 2019\ncm02,10.0.17763\n")
    found = document(capsys, 58, lab_image("xpress"), f"--providers={hosts}")
    assert [each["build"] for each in found["hosts"]] == ["6.3.9600", "10.0.17763"]
    assert found["hosts"][0]["source"] == str(hosts)


@pytest.mark.parametrize(
    "words, status",
    [
        (["--provider", "CM01=Windows 3.1"], 2),
        (["--index", "0"], 2),
        (["--index", "2"], 15),
        (["--providers", "no such file"], 4),
    ],
)
def test_what_makes_no_sense(
    lab_image: Copies, capsys: pytest.CaptureFixture[str], words: list[str], status: int
) -> None:
    assert said(capsys, status, lab_image("xpress"), *words) == ""


def test_text_for_one_host(lab_image: Copies, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, 58, lab_image("xpress"), "--provider=CM01=6.3.9600")
    assert "CM01  Server 2012 R2  cannot commit" in text
    assert "Store alias: APPEXECLINK came with Windows 10 1709" in text
    assert "captured probably by wimlib (high confidence)" in text
    assert "NOT READY: a host cannot commit" in text
    assert "1709 ADK does not fit" in text
    assert "so the worst of them counts" not in text


def test_strong_findings_come_first_and_of_an_unknown_host_nothing_is_claimed(
    lab_image: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    image = lab_image("special")
    text = said(capsys, 58, image, "--provider=CM01=6.3.9600", "--provider=CM02")
    found = [line.split()[0] for line in text.splitlines() if re.match("(strong|weak) ", line)]
    assert found == sorted(found)
    assert "for CM02: WOF came with Server 2012 R2: Server 2012 does not know it." in text
    assert "Store alias: APPEXECLINK came with Windows 10 1709: the host does not know it" in text
    text = said(capsys, 59, image, "--provider=CM02")
    assert "the host does not know" not in text


def test_no_gap_where_there_is_nothing_to_say(
    lab_image: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, 0, lab_image("xpress"), "--provider=CM01=Server 2019")
    assert "\n\n\n" not in text


def test_several_hosts_get_the_note_of_the_article(
    lab_image: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = "--provider=CM01=6.3.9600", "--provider=CM02=Server 2022"
    text = said(capsys, 58, lab_image("xpress"), *hosts)
    assert "Any of these hosts may do the work, so the worst of them counts." in text


def test_text_names_what_a_check_becomes(
    lab_image: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "office.exe"
    program.write_bytes(b"MZ" + bytes(100))
    hosts = "--provider=CM02=Server 2022", f"--update={program}"
    text = said(capsys, 58, lab_image("xpress"), *hosts)
    assert "FAILED       Update file, office.exe: " in text
    assert "in a run this becomes failure 5: " in text
    assert text.rindex("FAILED") > text.rindex("passed  ")


def test_images_that_are_alike_are_told_once(
    lab_image: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, 58, lab_image("multi"), "--provider=CM01=6.3.9600")
    assert "reparse points and capture as of image 1" in text
    assert "cannot commit  images 1, 2" in text
    assert "6 Store alias, in images 1, 2" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_a_terminal(
    lab_image: Copies,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
) -> None:
    """Only a path may be longer: folded it could not be copied."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    text = said(capsys, 58, lab_image("xpress"), "--provider=CM01=6.3.9600")
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    long = [line for line in text.splitlines() if len(line) > width]
    assert [line for line in long if "\\" not in line and "/" not in line] == []
    assert any(line.startswith("        ") for line in text.splitlines())


def test_of_images_that_were_left_out_nothing_is_claimed(
    lab_image: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, 59, lab_image("multi"), "--index=1", "--provider=CM01=Server 2019")
    assert "UNCERTAIN: every host can commit, as far as the images were looked at;" in text


def test_names_cannot_steer_the_terminal(
    lab_image: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = lab_image("xpress")
    run_tool("wimlib-imagex", "info", image, "1", "a\u202eb")
    update = tmp_path / "up\x1b[2J\u202edate.exe"
    update.write_bytes(b"MZ")
    text = said(capsys, 58, image, f"--update={update}", "--provider=CM01=6.3.9600")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"\u202e" in text


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[SiteServer, str]]:
    """Give a site on loopback, and the option that names who signed its certificate."""
    authority = trustme.CA()
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    with SiteServer(authority=authority) as server:
        yield server, f"--ca={path}"


def test_the_hosts_of_a_site(
    lab_image: Copies,
    tmp_path: Path,
    site: tuple[SiteServer, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    server, ca = site
    image = lab_image("xpress").rename(tmp_path / "golden.wim")
    server.token = "abc.def"  # noqa: S105 - no secret
    token = tmp_path / "token"
    token.write_text(server.token)
    options = f"--adminservice={server.url}", ca, f"--token-file={token}"
    found = document(capsys, 58, image, *options, "--provider=wimdock")
    assert [(each["name"], each["build"], each["site"]) for each in found["hosts"]] == [
        ("wimdock", None, ""),
        ("CM01.contoso.com", "6.3.9600", "CAS"),
        ("CM02.contoso.com", "10.0.17763", "CAS"),
    ]
    assert found["hosts_named"]
    (package,) = found["packages"]
    assert (package["package_id"], package["sure"]) == ("CAS00123", False)


def test_a_server_of_a_site_is_never_taken_for_wimdock(
    lab_image: Copies, site: tuple[SiteServer, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a server by this name nothing is known, and wimdock itself can always commit."""
    server, ca = site
    server.classes["SMS_ProviderLocation"] = [provider_location("WIMDOCK")]
    options = f"--adminservice={server.url}", ca, "--provider=wimdock"
    found = document(capsys, 59, lab_image("xpress"), *options)
    assert [(each["wimdock"], each["ability"]) for each in found["hosts"]] == [
        (True, "can_commit"),
        (False, "unknown"),
    ]


def test_a_site_that_cannot_be_asked(
    lab_image: Copies, site: tuple[SiteServer, str], capsys: pytest.CaptureFixture[str]
) -> None:
    server, ca = site
    image = lab_image("xpress")
    assert said(capsys, 66, image, f"--adminservice={server.url}") == ""
    server.token = "abc.def"  # noqa: S105 - no secret
    assert said(capsys, 67, image, f"--adminservice={server.url}", ca) == ""
    assert said(capsys, 2, image, ca) == ""
