"""`wimdock doctor`: its text, its JSON against the schema, its page, and what --redact leaves."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.doctor.made_logs import START, Dism, Offline, unmount
from tests.doctor.test_rule_files import WHOLE
from wimdock.cli.main import run
from wimdock.errors import LogError, NoSuchImage, RuleError, StorageError, UsageError

ROOT = Path(__file__).parent.parent.parent
SCHEMA = json.loads((ROOT / "docs/reference/schemas/doctor.json").read_text(encoding="utf-8"))
SECRETS = (
    "jdoe",
    "Jane Doe",
    "jane.doe",
    "CM01",
    "FS-STORE7",
    "WS0815",
    "contoso",
    "S-1-5-21-1004336348-1177238915-682003330-1107",
    "svc_wim",
    "fabrikam",
)

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def case(tmp_path: Path) -> list[str]:
    """Give the logs of a failed run on Server 2012 R2."""
    log = Offline().begin().image("CAS00123").pause(30).unmount_fails("CAS00123")
    log.completed("CAS00123", "Failed").end()
    dism = Dism(START + timedelta(minutes=30)).begin(unmount("CAS00123", "Commit"))
    return [str(log.write(tmp_path)), str(dism.commit_fails().end().write(tmp_path))]


def document(arguments: list[str], capsys: Capture) -> Any:
    assert run(["doctor", "--json", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, SCHEMA, jsonschema.Draft202012Validator)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_text_tells_what_happened_and_what_to_do(case: list[str], capsys: Capture) -> None:
    assert run(["doctor", *case, "--provider", "CM01=6.3.9600"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("1 failure found.\n")
    assert "1. Failure 1 (high confidence): " in out
    assert "OfflineServicingMgr.log:5\n" in out
    assert "ImageRecaptureDirectory:(141)" in out
    assert "0x800700A1 ERROR_BAD_PATHNAME (Windows): The specified path is invalid." in out
    mount = r"D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir"
    assert f"\n         Dism.exe /unmount-image /mountdir:{mount} /discard\n" in out
    assert "CM01, 6.3.9600 (Server 2012 R2): affected." in out
    assert "Reading the logs ... " in err


def test_what_was_found_comes_before_what_was_read(tmp_path: Path, capsys: Capture) -> None:
    log = Offline().begin()
    for package in ("CAS00123", "CAS00456"):
        log.image(package).unmount_fails(package).completed(package, "Failed")
    assert run(["doctor", str(log.end().write(tmp_path))]) == 0
    words = " ".join(capsys.readouterr().out.split())
    first = "1. Failure 1 (medium confidence): "
    assert words.startswith(f"2 failures found. {first}")
    assert words.index("(CAS00456, image 1)") < words.rindex(first) < words.index("What was read:")


def test_json_tells_the_same(case: list[str], capsys: Capture) -> None:
    found = document([*case, "--provider", "CM01=6.3.9600"], capsys)
    assert found["wimdock"] == {"document": "doctor", "version": 1}
    (finding,) = found["findings"]
    assert (finding["rule"], finding["confidence"]) == ("unknown-reparse-points", "high")
    assert finding["case"]["host"] == "6.3.9600 (Server 2012 R2)"
    assert finding["case"]["host_named_at"]["line"] == 2
    assert finding["case"]["began_utc"] == "2021-03-09T21:00:02Z"
    assert len(finding["what_to_do"]) == 4
    assert [each["file"] for each in found["logs"]] == case


def test_a_healthy_log_is_said_to_be_so_and_no_more(tmp_path: Path, capsys: Capture) -> None:
    log = Offline().begin().image("CAS00123").completed("CAS00123", "Success").end("succeeded")
    assert run(["doctor", str(log.write(tmp_path))]) == 0
    out = capsys.readouterr().out
    assert out.startswith("No failure was found in what was read.\n")
    words = " ".join(out.split())
    assert "5 telling records of OfflineServicingMgr.log up to line 5, 2021-03-09 22:00:01" in words
    assert document([str(tmp_path)], capsys)["findings"] == []


@pytest.mark.parametrize(
    "text, words",
    [("", "nothing to judge"), ("Dear all,\nthe image fails.\n", "this says little")],
)
def test_what_holds_no_records_is_not_called_healthy(
    text: str, words: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "mail.txt"
    path.write_text(text)
    assert run(["doctor", str(path)]) == 0
    assert words in " ".join(capsys.readouterr().out.split())
    assert document([str(path)], capsys)["findings"] == []


def test_hostile_text_steers_nothing(tmp_path: Path, capsys: Capture) -> None:
    evil = "CAS\x1b[2J\u202e<script>alert(1)</script>"
    log = Offline().begin().line(f"UnMountImage returned code 0x80070bc9~ {evil}")
    log.unmount_fails('"><img src=x onerror=y>', system="<b>x</b>").end()
    page = tmp_path / "page.html"
    assert run(["doctor", str(log.write(tmp_path)), "--html", str(page)]) == 0
    out = capsys.readouterr().out
    assert not any(sign in out for sign in "\x1b\u202e")
    text = page.read_text(encoding="utf-8")
    assert not any(sign in text for sign in "\x1b\u202e")
    tags = Tags()
    tags.feed(text)
    assert tags.names <= ALLOWED
    assert tags.attributes <= {
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "id",
        "href",
        "rel",
    }
    assert "<script>alert(1)</script>" in html.unescape(text)
    jsonschema.validate(document([str(tmp_path / "OfflineServicingMgr.log")], capsys), SCHEMA)


ALLOWED = frozenset(
    {"html", "head", "meta", "title", "style", "body", "header", "main", "section", "h1", "h2"}
    | {"h3", "p", "ul", "ol", "li", "dl", "dt", "dd", "div", "pre", "span", "strong", "table"}
    | {"tr", "th", "td", "a", "br"}
)


class Tags(HTMLParser):
    """What a browser would make of a page: which elements, which attributes, which targets."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: list[str] = []
        self.depth: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "br"):
            self.depth.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.depth.pop() == tag


def test_the_page_is_whole_and_needs_nothing(
    case: list[str], tmp_path: Path, capsys: Capture
) -> None:
    page = tmp_path / "page.html"
    assert run(["doctor", *case, "--html", str(page), "--provider", "CM02=Server 2019"]) == 0
    text = page.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert tags.depth == []
    assert tags.names <= ALLOWED
    assert all(target.startswith("https://") for target in tags.targets)
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "@import" not in text
    shown = html.unescape(re.sub(r"<[^>]+>", "", text))
    for words in (
        "Failure 1 (high confidence)",
        "ImageRecaptureDirectory:(141)",
        r"/mountdir:D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir /discard",
        "not affected",
    ):
        assert words in shown
    assert "1 failure found." in capsys.readouterr().out


def test_the_page_is_written_over_a_page_only(
    case: list[str], tmp_path: Path, capsys: Capture
) -> None:
    before = Path(case[1]).read_bytes()
    assert run(["doctor", *case, "--html", case[1]]) == UsageError.exit_code
    assert "is no report of wimdock doctor" in capsys.readouterr().err
    assert Path(case[1]).read_bytes() == before
    page = tmp_path / "page.html"
    assert run(["doctor", *case, "--html", str(page)]) == 0
    assert run(["doctor", *case, "--html", str(page)]) == 0
    nowhere = tmp_path / "no" / "page.html"
    assert run(["doctor", *case, "--html", str(nowhere)]) == StorageError.exit_code
    assert not list(tmp_path.glob(".page*"))


def test_nothing_secret_is_left_anywhere(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "home" / "jdoe"
    folder.mkdir(parents=True)
    log = Offline().begin().image("CAS00123")
    log.line(r"Copying \\FS-STORE7\images\CAS00123.wim as CONTOSO\svc_wim")
    log.line(r"Temporary folder C:\Users\Jane Doe\AppData\Local\Temp")
    log.line(r"InstallUpdate returned code 0x80070bc9~ for jdoe on fs-store7 (contoso)")
    log.line(
        "Owner S-1-5-21-1004336348-1177238915-682003330-1107, jane.doe@fabrikam.com, cm01: "
        "0x80070bc8"
    )
    log.line("Computer name: WS0815 returned code 0x80070bc7").pause(30)
    log.unmount_fails("CAS00123", system="CM01.contoso.local").completed("CAS00123", "Failed").end()
    dism = Dism(START + timedelta(minutes=30)).begin(
        r'"C:\Users\jdoe\Dism.exe" /Unmount-Image '
        r"/MountDir:D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir /Commit "
        r"/LogPath:\\fs-store7.contoso.local\logs\jdoe.log"
    )
    dism.line(r"DISM WIM Provider: Jane Doe was here - CONTOSO\svc_wim (hr:0x80004005)", "Error")
    dism.commit_fails().end()
    paths = [str(log.write(folder)), str(dism.write(folder, "CM01-dism.log"))]
    page = tmp_path / "page.html"
    options = ["--redact", "--provider", "CM01=6.3.9600", "--html", str(page)]
    found = document([*paths, *options], capsys)
    assert run(["doctor", *paths, *options]) == 0
    text, err = capsys.readouterr()
    for output in (json.dumps(found), text, err, page.read_text(encoding="utf-8")):
        for secret in SECRETS:
            assert secret.casefold() not in output.casefold(), secret
    assert found["redacted"] is True
    first = next(each for each in found["findings"] if each["known"])
    assert first["confidence"] == "high"
    assert first["case"]["server"].startswith("HOST")
    assert first["case"]["server"].split(".")[0] == first["hosts"][0]["name"]
    assert first["case"]["package"] == "CAS00123"


def test_rules_of_a_user_are_used(tmp_path: Path, capsys: Capture) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    text = WHOLE.replace('all = ["seen", "old_host"]', 'all = ["seen"]\nnone = ["old_host"]')
    (rules / "77-of-ours.toml").write_text(text, encoding="utf-8")
    log = Offline().begin().image("CAS00123").line("InstallUpdate returned code 0x80070bc9~")
    path = log.completed("CAS00123", "Failed").end().write(tmp_path)
    (finding,) = document([str(path), "--rules", str(rules)], capsys)["findings"]
    assert (finding["rule"], finding["what_happened"]) == (
        "of-ours",
        "CAS00123 failed with 0x80070BC9",
    )
    (finding,) = document([str(path)], capsys)["findings"]
    assert (finding["known"], finding["rule"], finding["confidence"]) == (False, None, None)
    (rules / "77-of-ours.toml").write_text(text.replace("cause =", "causes =", 1))
    assert run(["doctor", str(path), "--rules", str(rules)]) == RuleError.exit_code
    assert "77-of-ours.toml: cause: is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, status",
    [
        (["nowhere.log"], StorageError.exit_code),
        (["."], LogError.exit_code),
        (["a.log", "--index", "1"], UsageError.exit_code),
        (["a.log", "--provider", "CM01=Server 95"], UsageError.exit_code),
        (["a.log", "--encoding", "klingon"], UsageError.exit_code),
        (["a.log", "--image", "nowhere.wim"], StorageError.exit_code),
        ([], UsageError.exit_code),
    ],
)
def test_errors_have_their_statuses(
    options: list[str],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text("x\n")
    assert run(["doctor", *options]) == status
    assert "Traceback" not in capsys.readouterr().err


def test_the_image_is_looked_at(
    case: list[str], lab_image: Callable[[str], Path], capsys: Capture
) -> None:
    image = lab_image("lzx")
    found = document([*case, "--image", str(image), "--index", "1"], capsys)
    (finding,) = found["findings"]
    applications = finding["what_to_do"][2]["applications"]
    store = next(each for each in applications if each["name"] == "Store alias")
    assert store["unknown_to_host"] == store["count"] > 0
    assert all(each["name"] != "Windows itself" for each in applications)
    assert finding["hosts"][0]["verdict"] == "cannot"
    assert finding["what_to_do"][3]["fits"] in {"fits", "does_not_fit"}
    assert run(["doctor", *case, "--image", str(image), "--index", "99"]) == NoSuchImage.exit_code


def test_without_an_image_nothing_is_loaded_that_needs_linux() -> None:
    program = (
        "import sys\n"
        "sys.modules['fcntl'] = None\n"
        "import wimdock.cli.doctor, wimdock.cli.doctor_text, wimdock.doctor.report_html\n"
        "import wimdock.doctor.redaction, wimdock.doctor.examination, wimdock.doctor.rules\n"
        "rooms = ('wim.', 'image.', 'servicing.', 'registry.', 'cbs.')\n"
        "sys.exit(any(name.removeprefix('wimdock.').startswith(rooms) for name in sys.modules\n"
        "             if name.startswith('wimdock.')))\n"
    )
    assert subprocess.run((sys.executable, "-c", program), check=False).returncode == 0
