"""`wimdock inspect`: what it shows, what it says in JSON, and that it steers no terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import REPOSITORY
from tests.image.sample import make_image, put_hive
from tests.lab.lab import Lab
from wimdock.cli.failure import EXIT_INTERNAL
from wimdock.cli.main import run
from wimdock.image.change_set import HiveName, PutDirectory, PutFile, PutReparsePoint
from wimdock.paths import ImagePath
from wimdock.registry import Hive
from wimdock.reparse import AppExecLink, Owner, tags
from wimdock.reparse.encode import encode, junction, symbolic_link

ESCAPE = "red\x1b[31m"
REVERSED = "txt\u202egpj.exe"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Give an image with hostile names and a few reparse points."""
    link_tag, link = encode(symbolic_link("..\\one.txt"))
    alias_tag, alias = encode(AppExecLink("P_1", "P_1!App", "C:\\p.exe", "0"))
    junction_tag, users = encode(junction("C:\\Users"))
    vendor = bytes(range(16)) + b"vendor"
    return make_image(
        tmp_path / "sample.wim",
        PutFile(ImagePath(r"\A\one.txt"), b"12345"),
        PutFile(ImagePath(("A", ESCAPE)), b"1"),
        PutFile(ImagePath(("A", REVERSED)), b"2"),
        PutReparsePoint(ImagePath(("A", f"link {REVERSED}")), link_tag, link),
        PutReparsePoint(ImagePath(r"\Users\alias.exe"), alias_tag, alias),
        PutReparsePoint(ImagePath(r"\Documents and Settings"), junction_tag, users, directory=True),
        PutReparsePoint(ImagePath(r"\A\vendor"), 0x12345, vendor),
        properties={"DESCRIPTION": "made by a test"},
        name="Sample image",
    )


def shown(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run the command in this process and give what it printed; it must end well."""
    status = run(["inspect", *map(str, arguments)])
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    return printed.out


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """Run the command with --json and give the document."""
    found: dict[str, Any] = json.loads(shown(capsys, *arguments, "--json"))
    assert found["wimdock"] == {"document": "inspect", "version": 1}
    return found


def failed(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Run the command and give its status and what it said; nothing may be on stdout."""
    status = run(["inspect", *map(str, arguments)])
    printed = capsys.readouterr()
    assert printed.out == ""
    return status, printed.err


def test_the_table_of_images(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, image)
    assert out.splitlines()[0].startswith(f"{image}: 1 image, ")
    assert "XPRESS in chunks of 32.0 KiB" in out
    assert "Sample image" in out
    assert "2024-05-01" in out


def test_the_lab(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, lab.image("multi")).splitlines()
    assert "3 images" in lines[0]
    assert "image 2 boots" in lines[0]
    columns = ["Windows 10 Enterprise", "Enterprise", "amd64", "10.0.19041.388", "en-US"]
    assert all(column in lines[3] for column in columns)
    assert "Professional" in lines[4]
    assert lines[5].split()[:2] == ["3", "Data"]


def test_reparse_points_are_summed_up_then_listed(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(capsys, image, "--reparse")
    head, summary, listed, _ = out.split("\n\n")
    assert head.startswith("Image 1: 4 reparse points, ")
    assert "For example" in summary
    assert "Windows itself" in summary
    assert "\\Documents and Settings\\ -> C:\\Users" in listed
    assert "\\Users\\alias.exe -> C:\\p.exe (package P_1, entry point P_1!App, type 0)" in listed
    assert "third party {03020100-0504-0706-0809-0A0B0C0D0E0F}" in listed
    assert "THIRD_PARTY_00012345" in listed


def test_a_file_without_reparse_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = make_image(tmp_path / "plain.wim", PutFile(ImagePath("x"), b"x"))
    assert shown(capsys, plain, "--reparse").startswith("Image 1: 0 reparse points, 0 bytes")


def test_a_folder(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, image, "--tree", "/a")
    assert out.startswith("Image 1, \\a: 5 entries")
    assert "one.txt" in out
    assert "[SYMLINK]" in out
    assert "alias.exe" not in out
    assert "alias.exe" in shown(capsys, image, "--tree", "\\", "--depth", 0)


def test_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = make_image(tmp_path / "plain.wim", PutDirectory(ImagePath("x")))
    assert shown(capsys, plain, "--tree", "x") == "Image 1, \\x: 0 entries\n\n"


def test_packages(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, lab.image("multi"), "--packages")
    assert "Image 1: 7 packages" in out
    assert "Image 2: 6 packages" in out
    assert "Image 3: 0 packages" in out
    (line,) = {line for line in out.splitlines() if "19041.264" in line}
    assert line.split() == [
        "superseded",
        "2020-01-01",
        "04:31:15Z",
        "Feature",
        "Pack",
        "Package_for_RollupFix~31bf3856ad364e35~amd64~~19041.264.1.6",
    ]


def test_one_image_of_many(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, lab.image("multi"), "--index", 2)
    assert "Professional" in out
    assert "Data" not in out
    assert shown(capsys, lab.image("multi"), "--index", 3, "--tree", "\\").startswith("Image 3, \\")


def test_hostile_names_steer_no_terminal(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in (["--tree", "\\", "--depth", 0], ["--reparse"]):
        for as_json in ([], ["--json"]):
            out = shown(capsys, image, *options, *as_json)
            assert "\x1b" not in out
            assert "\u202e" not in out
            assert "\\u202e" in out


def test_the_document_says_everything(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, image, "--reparse", "--tree", "\\a", "--packages")
    assert found["file"]["path"] == str(image)
    assert found["file"]["compression"] == "xpress"
    assert found["file"]["size"] == image.stat().st_size
    (only,) = found["images"]
    assert only["name"] == "Sample image"
    assert only["description"] == "made by a test"
    assert only["modified"] == "2024-05-01T12:00:00Z"
    assert only["packages"] == []
    reparse = only["reparse"]
    assert reparse["count"] == len(reparse["points"]) == 4
    alias = next(point for point in reparse["points"] if point["tag"] == "APPEXECLINK")
    assert alias == {
        "path": "\\Users\\alias.exe",
        "directory": False,
        "tag": "APPEXECLINK",
        "tag_value": "0x8000001B",
        "microsoft": True,
        "owner": "Store alias",
        "size": alias["size"],
        "kind": "app_exec_link",
        "data": {
            "version": 3,
            "package": "P_1",
            "entry_point": "P_1!App",
            "target": "C:\\p.exe",
            "application_type": "0",
        },
    }
    vendor = next(point for point in reparse["points"] if not point["microsoft"])
    assert vendor["data"] == {"guid": "{03020100-0504-0706-0809-0A0B0C0D0E0F}", "size": 6}
    names = {entry["path"] for entry in only["tree"]["entries"]}
    assert f"\\A\\{REVERSED}" in names
    assert f"\\A\\{ESCAPE}" in names


def test_the_document_without_options(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, lab.image("multi"))
    assert [one["edition"] for one in found["images"]] == ["Enterprise", "Professional", ""]
    assert [one["bootable"] for one in found["images"]] == [False, True, False]
    assert not {"reparse", "packages", "tree"} & set(found["images"][0])


def test_what_is_asked_wrongly(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failed(capsys, image, "--index", 2)[0] == 15
    assert failed(capsys, image, "--tree", "\\nothing")[0] == 15
    assert failed(capsys, image, "--tree", "\\a\\..\\b")[0] == 2
    assert failed(capsys, image, "--depth", 2)[0] == 2
    assert failed(capsys, image, "--index", 0)[0] == 2
    assert failed(capsys, image.with_name("missing.wim"))[0] == 4


def test_broken_hives_leave_the_table_and_fail_the_packages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    software = bytearray(Hive.empty("SOFTWARE").to_bytes())
    software[100] ^= 1
    broken = make_image(
        tmp_path / "broken.wim", PutFile(HiveName.SOFTWARE.path, bytes(software)), name="Broken"
    )
    assert "Broken" in shown(capsys, broken)
    status, said = failed(capsys, broken, "--packages")
    assert status == 21
    assert "checksum" in said


def test_no_packages_are_registered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = make_image(tmp_path / "a.wim", put_hive(HiveName.SOFTWARE, Hive.empty("SOFTWARE")))
    assert shown(capsys, image, "--packages") == "Image 1: 0 packages\n\n"


def test_a_pipe_gets_every_character(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = ImagePath(tuple("long folder name" * 4 for _ in range(40)))
    tag, data = encode(symbolic_link("x" * 4000))
    image = make_image(tmp_path / "deep.wim", PutReparsePoint(deep / "link", tag, data))
    out = shown(capsys, image, "--reparse")
    assert f"{deep}\\link -> {'x' * 4000}\n" in out


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_loses_nothing(lab: Lab, columns: int) -> None:
    main, worker = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "wimdock", "inspect", str(lab.image("multi"))]
    with subprocess.Popen(command, stdout=worker, env=environment) as process:
        os.close(worker)
        text = b""
        while True:
            try:
                piece = os.read(main, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
    os.close(main)
    assert process.returncode == 0
    out = text.decode()
    for fact in ("Windows 10 Enterprise", "Professional", "10.0.19041.388", "85"):
        assert fact in out


def test_reparse_points_are_shown_without_heavy_libraries(image: Path) -> None:
    program = (
        "import sys; from wimdock.cli.main import run; "
        f"status = run(['inspect', {str(image)!r}, '--reparse']); "
        "heavy = {'lxml', 'rich', 'cffi', 'pefile', 'wimdock.registry'} & set(sys.modules); "
        "sys.exit(status or ' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert tags.tag_of(tags.APPEXECLINK).name in done.stdout


def members(part: object) -> set[str]:
    """Name every member of every object in a document."""
    if isinstance(part, dict):
        return set(part).union(*map(members, part.values()))
    return set().union(*map(members, part)) if isinstance(part, list) else set()


def test_every_member_of_the_document_is_described(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (REPOSITORY / "docs" / "reference" / "inspect.md").read_text(encoding="utf-8")
    found = document(capsys, lab.image("special"), "--reparse", "--packages", "--tree", "\\Windows")
    assert {name for name in members(found) if f"`{name}`" not in page} == {
        "wimdock",
        "document",
    }
    kinds = {point["kind"] for point in found["images"][0]["reparse"]["points"]}
    assert {kind for kind in kinds if f"`{kind}`" not in page} == set()


def test_every_owner_is_described() -> None:
    page = (REPOSITORY / "docs" / "reference" / "inspect.md").read_text(encoding="utf-8")
    assert [owner for owner in Owner if f"| {owner.value} |" not in page] == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_ends_in_anything_but_our_errors(image: Path, draw: st.DataObject) -> None:
    data = bytearray(image.read_bytes())
    for _ in range(draw.draw(st.integers(1, 3))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    damaged = image.with_name("damaged.wim")
    damaged.write_bytes(data[: draw.draw(st.integers(1, len(data)) | st.just(len(data)))])
    for options in ([], ["--reparse"], ["--tree", "\\", "--depth", "0"], ["--packages", "--json"]):
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
            status = run(["inspect", str(damaged), *options])
        assert status != EXIT_INTERNAL, said.getvalue()
