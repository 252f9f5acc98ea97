"""`wimdock provider`: hosts kept, imported, and judged by the image packages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import trustme

from tests.cli.ended import Ended
from tests.cli.site_command import SiteCommand
from tests.configmgr.site_server import SiteServer
from wimdock.errors import AlreadyRecorded, NoSuchRecord, UntrustedCertificate, UsageError

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site without providers."""
    made = SiteCommand(tmp_path / "site", capsys)
    yield made
    made.close()


def document(ended: Ended, name: str) -> dict[str, Any]:
    """Give a command's document, which must be as its schema says."""
    assert ended.status == 0, ended.err
    found = ended.document
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(found, schema, format_checker=checker)
    return found


def known(command: SiteCommand) -> dict[str, str | None]:
    """Give the providers with their builds."""
    found = document(command("provider", "list", "--json"), "providers")
    return {each["name"]: each["build"] for each in found["providers"]}


def refused(ended: Ended, error: type[Any]) -> str:
    """Give what a command says that ended with an error."""
    assert (ended.status, ended.out) == (error.exit_code, "")
    return ended.err


def test_add_list_remove(command: SiteCommand) -> None:
    assert "There is no provider" in command("provider", "list").out
    ended = command("provider", "add", "CM01=6.3.9600", "cm00=Server 2019", "CM02=20348")
    assert ended.out.splitlines() == [
        "CM01 was added (Server 2012 R2)",
        "cm00 was added (Server 2019)",
        "CM02 was added (Server 2022)",
    ]
    assert known(command) == {"cm00": "10.0.17763", "CM01": "6.3.9600", "CM02": "10.0.20348"}
    document(command("provider", "add", "CM03=14393", "--json"), "provider_add")
    assert command("provider", "remove", "cm01").out == "CM01 was removed\n"
    removed = document(command("provider", "remove", "CM03", "--json"), "provider_remove")
    assert removed["provider"]["build_name"] == "Server 2016"
    assert list(known(command)) == ["cm00", "CM02"]
    for verb in ("show", "remove"):
        assert "no provider CM01" in refused(command("provider", verb, "CM01"), NoSuchRecord)


@pytest.mark.parametrize(
    "words, error",
    [
        (("CM02=Server 2019", "cm01=Server 2019"), AlreadyRecorded),
        (("CM02=14393", "CM02=14393"), AlreadyRecorded),
        (("CM02=14393", "CM03"), UsageError),
        (("CM02=14393", "wimdock"), UsageError),
        (("CM02=14393", "CM03=Server 1"), UsageError),
        (("CM02=14393", "x" * 256 + "=14393"), UsageError),
    ],
)
def test_all_are_added_or_none(
    command: SiteCommand, words: tuple[str, ...], error: type[Exception]
) -> None:
    command("provider", "add", "CM01=6.3.9600")
    refused(command("provider", "add", *words), error)
    assert known(command) == {"CM01": "6.3.9600"}


def test_names_cannot_steer_the_terminal(command: SiteCommand, tmp_path: Path) -> None:
    listed = tmp_path / "hosts.json"
    listed.write_text(json.dumps([{"name": "CM\u20ac", "build": "14393"}]), encoding="utf-8")
    assert command("provider", "import", f"--providers={listed}").status == 0
    assert "CM\u20ac" in command("provider", "list").out
    assert "names no provider" in refused(
        command("provider", "add", "CM\x1b[31m=14393"), UsageError
    )


def test_who_can_commit_what(
    command: SiteCommand, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    command("provider", "add", "CM01=6.3.9600", "CM02=Server 2019")
    listed = tmp_path / "hosts.csv"
    listed.write_text("name,build\nCM03,\n", "utf-8")
    command("provider", "import", f"--providers={listed}")
    assert "no image package" in command("provider", "show", "CM01").out
    command("image", "add", str(lab_image("multi")), str(lab_image("lzx")))
    found = document(command("provider", "list", "--json"), "providers")
    assert [tuple(each["image_packages"].values()) for each in found["providers"]] == [
        (0, 2, 0),
        (2, 0, 0),
        (0, 0, 2),
    ]
    rows = command("provider", "list").out.splitlines()
    assert rows[1].split()[:7] == ["CM01", "Server", "2012", "R2", "0", "2", "0"]
    text = command("provider", "show", "CM01").out
    assert text.splitlines()[0] == "CM01: Server 2012 R2, known from the command line"
    assert "CAS00001  multi  cannot commit  Server 2012 R2 does not know 13 reparse" in text
    shown = document(command("provider", "show", "cm01", "--json"), "provider")
    first = shown["image_packages"][0]
    assert [image["ability"] for image in first["images"]] == ["cannot", "cannot", "can_commit"]
    assert first["troubles"][0]["strength"] == "strong"


def test_import_a_list(command: SiteCommand, tmp_path: Path) -> None:
    command("provider", "add", "CM01=6.3.9600", "CM02=Server 2019", "CM09=Server 2022")
    listed = tmp_path / "hosts.csv"
    listed.write_text("name,build\ncm01,Server 2016\nCM02,\nCM03,\nCM03,14393\n", "utf-8")
    found = document(
        command("provider", "import", f"--providers={listed}", "--json"), "provider_import"
    )
    assert (found["added"], found["changed"], found["unchanged"]) == (["CM03"], ["CM01"], ["CM02"])
    assert known(command) == {
        "CM01": "10.0.14393",
        "CM02": "10.0.17763",
        "CM03": "10.0.14393",
        "CM09": "10.0.20348",
    }
    again = command("provider", "import", f"--providers={listed}")
    assert again.out == "0 providers added, 0 changed, 3 as they were\n"


def test_a_list_that_cannot_be_taken_changes_nothing(command: SiteCommand, tmp_path: Path) -> None:
    listed = tmp_path / "hosts.csv"
    listed.write_text("name,build\nCM01,Server 2016\nCM02,Server 1\n", "utf-8")
    refused(command("provider", "import", f"--providers={listed}"), UsageError)
    assert known(command) == {}
    assert "--adminservice" in refused(command("provider", "import"), UsageError)
    assert "none is named" in refused(command("provider", "import", "--user=x"), UsageError)


def test_import_from_a_site(command: SiteCommand, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with SiteServer(authority=authority) as server:
        words = ("provider", "import", f"--adminservice={server.url}")
        refused(command(*words), UntrustedCertificate)
        assert known(command) == {}
        ended = command(*words, f"--ca={tmp_path / 'ca.pem'}", "--json")
        assert document(ended, "provider_import")["added"] == [
            "CM01.contoso.com",
            "CM02.contoso.com",
        ]
    assert known(command) == {"CM01.contoso.com": "6.3.9600", "CM02.contoso.com": "10.0.17763"}
