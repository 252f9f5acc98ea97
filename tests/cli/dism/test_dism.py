"""`wimdock dism` on image files: layout, codes, log; nothing is mounted here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.demo_files import DEMO_PACKAGE
from tests.cli.dism.conftest import Dism
from wimdock.cli import main as frame
from wimdock.cli.dism import session
from wimdock.cli.dism.usage import show_usage
from wimdock.cli.dism.verbs import SERVED
from wimdock.cli.failure import EXIT_INTERNAL, EXIT_INTERRUPTED
from wimdock.servicing.service import ServiceOptions, service

DONE = "The operation completed successfully."


def test_the_images_of_a_file(dism: Dism, image: Path) -> None:
    ended = dism("/Get-ImageInfo", f"/ImageFile:{image}")
    assert ended.status == 0
    assert ended.lines == [
        f"Details for image : {image}",
        "",
        "Index : 1",
        "Name : wimdock demo",
        "Description : An image for `wimdock demo`",
        ended.lines[5],
        "",
        DONE,
    ]
    assert re.fullmatch(r"Size : \d{1,3}(,\d{3})+ bytes", ended.lines[5])


@pytest.mark.parametrize("chosen", ["/Index:1", "/Name:wimdock demo", "/name:WIMDOCK Demo"])
def test_the_details_of_one_image(dism: Dism, image: Path, chosen: str) -> None:
    lines = dism("/Get-WimInfo", f"/WimFile:{image}", chosen).lines
    labels = [line.split(" :")[0] for line in lines[2:] if " :" in line]
    assert ",".join(labels) == (
        "Index,Name,Description,Size,WIM Bootable,Architecture,Hal,Version,ServicePack Build,"
        "ServicePack Level,Edition,Installation,ProductType,ProductSuite,System Root,Directories,"
        "Files,Created,Modified,Languages"
    )
    assert "Architecture : x64" in lines
    assert "Hal : <undefined>" in lines
    assert "Version : 10.0.19041" in lines
    assert "ServicePack Build : 1" in lines
    assert lines[-4:] == ["Languages :", "        en-US (Default)", "", DONE]


@pytest.mark.parametrize(
    "tokens, error, status",
    [
        (["/Get-ImageInfo", "/ImageFile:gone.wim"], "2", 2),
        (["/Get-ImageInfo", "/ImageFile:{image}", "/Index:2"], "0xc1510113", 0x13),
        (["/Get-ImageInfo", "/ImageFile:{image}", "/Name:none"], "0xc1510113", 0x13),
        (["/Get-ImageInfo", "/ImageFile:{image}", "/Index:x"], "87", 87),
        (["/Get-ImageInfo", "/ImageFile:{update}"], "11", 11),
        (["/Get-ImageInfo", "/ImageFile:{folder}"], "5", 5),
        (["/Get-ImageInfo", r"/ImageFile:X:\a.wim"], "3", 3),
        (["/Get-ImageInfo", "/ImageFile:{image}", "/LogLevel:5"], "87", 87),
        (["/Get-ImageInfo", "/ImageFile:{image}", "/ScratchDir:/none"], "3", 3),
        (["/Get-ImageInfo", "/ImageFile:{image}", "/LogPath:/proc/none/a.log"], "x", 0x10),
        (["--drive", "D", "/Get-MountedImageInfo"], "87", 87),
        (["/Nonsense"], "87", 87),
        ([], "1639", 0x67),
        (["/Image:{image}", "/Remove-Package", "/PackageName:x"], "50", 50),
        (["/Image:{image}", "/Get-Packages", "/Format:Xml"], "87", 87),
        (["/Image:{folder}", "/Get-Packages"], "2", 2),
        (["/Image:{folder}", "/Get-Packages", "/Index:1"], "87", 87),
        (["/Image:{folder}", "/Add-Package", "/PackagePath:{update}"], "50", 50),
        (["/Image:{image}", "/Add-Package", "/PackagePath:gone.cab"], "3", 3),
        (["/Image:{image}", "/Add-Package", "/PackagePath:{folder}"], "87", 87),
        (["/Image:{image}", "/Add-Package", "/PackagePath:{update}"], "0x800b0100", 1),
        (["/Image:{image}", "/Add-Package", "/PackagePath:{image}"], "50", 50),
    ],
)
def test_errors(dism: Dism, image: Path, tokens: list[str], error: str, status: int) -> None:
    before = image.read_bytes()
    names = {"image": image, "update": image.with_name("demo-update.cab"), "folder": image.parent}
    ended = dism(*(token.format(**names) for token in tokens))
    assert ended.status == status
    assert ended.err == ""
    assert image.read_bytes() == before
    if error == "x":
        assert "Error: 0xc1500010" in ended.out
        assert ended.out.endswith("Logging is disabled: no log file could be written.\n")
    else:
        assert ended.error == error


def test_a_solid_file_is_shown(dism: Dism, image: Path, tmp_path: Path) -> None:
    solid = tmp_path / "install.esd"
    subprocess.run(
        ["wimlib-imagex", "export", image, "1", solid, "--solid"], check=True, capture_output=True
    )
    ended = dism("/Get-ImageInfo", f"/ImageFile:{solid}", "/Index:1")
    assert ended.status == 0
    assert "Name : wimdock demo" in ended.lines


def test_a_drive_stands_for_a_folder(
    dism: Dism, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = r"/ImageFile:D:\DEMO.WIM"
    expected = dism("--drive", f"D={image.parent}", "/Get-ImageInfo", typed)
    assert expected.status == 0
    assert r"Details for image : D:\DEMO.WIM" in expected.lines
    assert dism("/Get-ImageInfo", typed, f"--drive=d={image.parent}") == expected
    monkeypatch.setenv("WIMDOCK_DRIVES", f"D={image.parent}")
    assert dism("/Get-ImageInfo", typed) == expected


def test_the_packages_of_a_file(dism: Dism, image: Path) -> None:
    update = image.with_name("demo-update.cab")
    service(image, [update], ServiceOptions(allow_unsigned=True))
    lines = dism(f"/Image:{image}", "/Get-Packages").lines
    assert lines[:4] == ["Image Version: 10.0.19041.1", "", "Packages listing:", ""]
    at = lines.index(f"Package Identity : {DEMO_PACKAGE}")
    assert lines[at + 1] == "State : Installed"
    assert lines[at + 2].startswith("Release Type : ")
    assert re.fullmatch(r"Install Time : \d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d [AP]M", lines[at + 3])
    assert lines[-2:] == ["", DONE]
    table = dism(f"/Image:{image}", "/Get-Packages", "/Format:Table", "/Index:1").lines
    title = next(line for line in table if line.startswith("Package Identity"))
    row = next(line for line in table if line.startswith(DEMO_PACKAGE))
    assert [cell.strip() for cell in title.split("|")] == [
        "Package Identity",
        "State",
        "Release Type",
        "Install Time",
    ]
    assert [cell.strip() for cell in row.split("|")][:2] == [DEMO_PACKAGE, "Installed"]


def test_an_unsigned_package_is_refused_with_a_way_out(dism: Dism, image: Path) -> None:
    ended = dism(
        f"/Image:{image}", "/Add-Package", "/PackagePath:" + str(image.parent / "demo-update.cab")
    )
    assert "wimdock service --allow-unsigned" in ended.out


def test_a_package_that_is_there_already(
    dism: Dism, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a signed package would do: the demo's has no catalog, and is let in here."""
    from wimdock.servicing import service as room

    monkeypatch.setattr(
        room, "ServiceOptions", lambda **given: ServiceOptions(**given, allow_unsigned=True)
    )
    update = image.with_name("demo-update.cab")
    for _ in range(2):
        ended = dism(f"/Image:{image}", "/Add-Package", f"/PackagePath:{update}")
        assert ended.status == 0
        at = ended.lines.index(f"Processing 1 of 1 - Adding package {DEMO_PACKAGE}")
        assert ended.lines[at + 1].startswith("[==========================100.0%")
        assert ended.lines[-1] == DONE
    assert f"Package Identity : {DEMO_PACKAGE}" in dism(f"/Image:{image}", "/Get-Packages").lines


def test_a_file_of_several_images_needs_an_index(dism: Dism, image: Path, tmp_path: Path) -> None:
    two = tmp_path / "two.wim"
    for name in ("one", "other"):
        subprocess.run(
            ["wimlib-imagex", "export", image, "1", two, name], check=True, capture_output=True
        )
    assert dism(f"/Image:{two}", "/Get-Packages").error == "2"
    assert dism(f"/Image:{two}", "/Get-Packages", "/Index:2").status == 0
    assert dism(f"/Image:{two}", "/Get-Packages", "/Index:3").error == "2"


def test_export_and_split(dism: Dism, image: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.wim"
    tokens = [
        "/Export-Image",
        f"/SourceImageFile:{image}",
        "/SourceIndex:1",
        f"/DestinationImageFile:{made}",
        "/DestinationName:another",
        "/Compress:fast",
        "/CheckIntegrity",
    ]
    ended = dism(*tokens)
    assert ended.status == 0
    assert ended.lines[0] == "Exporting image"
    assert ended.lines[-1] == DONE
    assert "Name : another" in dism("/Get-ImageInfo", f"/ImageFile:{made}").lines
    assert dism(*tokens).error == "183"
    recovery = [*tokens[:-2], "/Compress:recovery"]
    assert dism(*recovery).error == "50"
    parts = tmp_path / "made.swm"
    ended = dism("/Split-Image", f"/ImageFile:{made}", f"/SWMFile:{parts}", "/FileSize:1")
    assert ended.status == 0
    assert parts.exists()


def test_quiet_prints_errors_only(dism: Dism, image: Path) -> None:
    assert dism("/Get-ImageInfo", f"/ImageFile:{image}", "/QUIET").out == ""
    lines = dism("/Get-ImageInfo", "/ImageFile:gone.wim", "-quiet").out.splitlines()
    assert lines[:2] == ["", "Error: 2"]


def test_help(dism: Dism) -> None:
    out = dism("/?").out
    for verb in SERVED:
        assert f"/{verb.name}" in out
    assert "/MountDir:" in dism("/Mount-Wim", "/?").out
    assert "Error: 50" in dism("/Apply-Image", "/?").out
    assert show_usage.__doc__


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_our_own_help_has_examples(capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert frame.run(["dism", word]) == 0
    assert "Examples:" in capsys.readouterr().out


def test_an_option_with_letters_of_ours_is_not_ours(dism: Dism) -> None:
    """Click would read -Get-MountedImageInfo as short options, and find -h in it."""
    assert dism("-Cleanup-Mountpoints", "-English", "-h:x").error == "87"
    assert dism("-Get-MountedImageInfo").status == 0


def test_names_cannot_steer_the_terminal(dism: Dism, tmp_path: Path) -> None:
    ended = dism("/Get-ImageInfo", f"/ImageFile:{tmp_path}/\x1b[31m.wim")
    assert "\x1b" not in ended.out
    assert "\\x1b[31m.wim" in ended.out


def test_an_error_of_ours_is_no_traceback(
    dism: Dism, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    def broken(_verb: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(session, "_act", broken)
    ended = dism("/Get-MountedImageInfo")
    assert ended.status == EXIT_INTERNAL
    assert "internal error" in ended.err
    assert "Traceback" not in ended.err
    assert "HRESULT" in (state / "dism.log").read_text()


def test_the_program_of_its_own_name(image: Path, state: Path) -> None:
    del state
    code = "import sys; from wimdock.cli.dism.entry import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "/Get-ImageInfo", f"/ImageFile:{image}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert DONE in done.stdout


def test_an_option_of_ours_without_its_value_is_said_to_be(dism: Dism) -> None:
    ended = dism("/Get-MountedImageInfo", "--drive")
    assert ended.status == 2
    assert "--drive' requires an argument" in ended.err


def test_a_new_file_needs_a_folder_that_is_there(dism: Dism, image: Path, tmp_path: Path) -> None:
    target = tmp_path / "none" / "new.wim"
    ended = dism(
        *("/Export-Image", f"/SourceImageFile:{image}", "/SourceIndex:1"),
        f"/DestinationImageFile:{target}",
    )
    assert ended.error == "3"
    assert "wimdock-run" not in ended.out


def test_an_interrupt_stands_in_the_log(
    dism: Dism, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    def interrupted(_verb: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "_act", interrupted)
    ended = dism("/Get-MountedImageInfo")
    assert ended.status == EXIT_INTERRUPTED
    assert "interrupted HRESULT=0x800704C7" in (state / "dism.log").read_text()
