"""The DISM.log of a run: what it holds, and that our own reader reads it back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.dism.conftest import Dism
from wimdock.cli.dism.log import command_line
from wimdock.doctor.logs import Form, Record, Severity, read_logs


def records(log: Path) -> list[Record]:
    return list(read_logs([log]))


def test_a_failed_run_is_read_back(dism: Dism, image: Path, state: Path) -> None:
    ended = dism("/Get-ImageInfo", f"/ImageFile:{image}", "/Index:9")
    log = state / "dism.log"
    assert ended.out.endswith(f"The DISM log file can be found at {log}\n")
    found = records(log)
    assert {record.form for record in found} == {Form.SERVICING}
    assert {record.log for record in found} == {"dism"}
    messages = [record.message for record in found]
    assert "Starting Dism.exe session" in messages[1]
    assert "OS Version" not in messages[3]
    assert messages[4].endswith(
        f"Executing command line: wimdock dism /Get-ImageInfo /ImageFile:{image} /Index:9"
    )
    assert "Ending Dism.exe session" in messages[-2]
    errors = [record for record in found if record.severity is Severity.ERROR]
    assert [record.codes for record in errors] == [(0xC1510113,)]


def test_every_run_is_appended(dism: Dism, image: Path, state: Path) -> None:
    dism("/Get-ImageInfo", f"/ImageFile:{image}")
    dism("/Nonsense")
    text = (state / "dism.log").read_text()
    assert text.count("<----- Starting Dism.exe session ----->") == 2
    assert text.count("<----- Ending Dism.exe session ----->") == 2
    assert "HRESULT=0x80070057" in text


def test_the_log_goes_where_it_is_asked_to(dism: Dism, image: Path, tmp_path: Path) -> None:
    drive = f"--drive=D={tmp_path}"
    ended = dism(drive, "/Get-ImageInfo", "/ImageFile:gone.wim", r'/LogPath:"D:\logs\my.log"')
    assert ended.out.endswith("The DISM log file can be found at D:\\logs\\my.log\n")
    assert records(tmp_path / "logs" / "my.log")
    assert not (tmp_path / "state").exists()
    # Also where the rest of the line makes no sense.
    dism("/Nonsense", f"/LogPath:{tmp_path}/other.log")
    assert "HRESULT=0x80070057" in (tmp_path / "other.log").read_text()
    assert image.exists()


@pytest.mark.parametrize("level, informs", [("1", False), ("2", False), ("3", True), ("4", True)])
def test_the_level_of_the_log(dism: Dism, state: Path, level: str, informs: bool) -> None:  # noqa: FBT001
    dism("/Get-ImageInfo", "/ImageFile:gone.wim", f"/LogLevel:{level}")
    found = records(state / "dism.log")
    assert any(record.severity is Severity.INFO for record in found) == informs
    assert any(record.severity is Severity.ERROR for record in found)


def test_a_default_log_that_cannot_be_written_stops_nothing(
    dism: Dism, image: Path, state: Path
) -> None:
    state.write_text("a file stands where the folder should")
    assert dism("/Get-ImageInfo", f"/ImageFile:{image}").status == 0
    assert "Logging is disabled" in dism("/Get-ImageInfo", "/ImageFile:gone.wim").out


def test_a_command_line_is_quoted_as_in_windows() -> None:
    tokens = ["/a", r"/MountDir:C:\a b", '/ImageFile:"D:\\c d"', "x y"]
    assert command_line(tokens) == (r'wimdock dism /a /MountDir:"C:\a b" /ImageFile:"D:\c d" "x y"')


def test_no_log_is_appended_to_an_image(dism: Dism, image: Path) -> None:
    before = image.read_bytes()
    ended = dism("/Get-ImageInfo", f"/ImageFile:{image}", f"/LogPath:{image}")
    assert ended.status == 0x10
    assert "it is a file of another kind" in ended.out
    assert dism("/Nonsense", f"/LogPath:{image}").status == 87
    assert image.read_bytes() == before


def test_a_log_that_was_asked_for_is_had_or_nothing_is_done(
    dism: Dism, image: Path, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place in ("/dev/full", str(pipe), str(tmp_path)):
        ended = dism("/Get-ImageInfo", f"/ImageFile:{image}", f"/LogPath:{place}")
        assert ended.status == 0x10, place
        assert "Error: 0xc1500010" in ended.out
        assert "Index : 1" not in ended.out
        assert ended.out.endswith("Logging is disabled: no log file could be written.\n")
    assert dism("/Get-ImageInfo", f"/ImageFile:{image}", "/LogPath:/dev/null").status == 0
