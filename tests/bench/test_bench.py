"""The benchmark runs, on an image too small to say anything, and says what it is asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.figure import Figure, Range
from bench.logs import make_log
from bench.process import ROOT, BenchError, timed
from bench.selection import PLACE, Chosen, choose, thin
from bench.working_copy import WorkingCopy
from tests.conftest import skip_or_fail
from tests.lab.tool import HIVE_TOOLS, missing
from wimdock.doctor.logs import read_logs

GOALS = {
    "inspect --reparse / wimlib-imagex dir": 1.0,
    "transaction / wimlib-imagex update": 1.0,
    "service / wimlib-imagex update": 2.0,
    "apply, add, capture / service": 50.0,
    "service, image 10 times larger": 1.3,
    "peak memory of service": 250.0,
    "rollback beyond start-up": 0.1,
}


def test_a_quick_run_measures_every_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = missing(("wimlib-imagex", *HIVE_TOOLS))
    if absent:
        skip_or_fail(f"not installed: {', '.join(absent)}")
    options = ("--quick", "--rounds=1", "--compression=LZX", "--json", f"--cache={tmp_path}")
    main([*options])
    said = json.loads(capsys.readouterr().out)
    found = {figure["name"]: figure["goal"] for figure in said["figures"] if figure["goal"]}
    assert found == GOALS
    assert all(figure["measured"] != 0 for figure in said["figures"])
    assert said["images"]["large-LZX"]["entries"] >= 1_000
    assert said["images"]["large-LZX"]["reparse_points"] > 0
    assert list(said["runs"]) == ["LZX"]
    assert not list(tmp_path.glob("*/work-*"))


def test_a_quick_run_measures_the_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--only=logs", "--log-megabytes=1", "--rounds=1", "--json", f"--cache={tmp_path}"]
    main(options)
    said = json.loads(capsys.readouterr().out)
    found = {figure["name"]: figure["goal"] for figure in said["figures"] if figure["goal"]}
    assert found == {
        "records, per second": 50.0,
        "notable, per second": 50.0,
        "notable with all fields, per second": 50.0,
        "records with all fields, per second": 50.0,
        "peak memory of reading": 200.0,
    }
    assert list(said["runs"]) == ["CBS.log"]
    assert said["images"] == {}


def test_a_quick_run_measures_distribution(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = missing(("wimlib-imagex", *HIVE_TOOLS))
    if absent:
        skip_or_fail(f"not installed: {', '.join(absent)}")
    main(["--only=distribution", "--quick", "--rounds=1", "--json", f"--cache={tmp_path}"])
    said = json.loads(capsys.readouterr().out)
    figures = {figure["name"]: figure for figure in said["figures"]}
    run = figures["bytes sent of a run / added, folder"]
    assert (run["goal"], run["met"]) == (1.01, True)
    assert figures["bytes sent of a run / added, object store"]["goal"] == 1.01
    assert figures["bytes sent of a rollback, folder, headers"]["measured"] == 1
    assert not list(tmp_path.glob("*/work-*"))


def test_the_log_that_is_measured_is_one(tmp_path: Path) -> None:
    path = tmp_path / "CBS.log"
    make_log(path, 1)
    text = path.read_text("utf-8")
    found = list(read_logs([path]))
    assert len(found) == len(re.findall(r"^20\d\d-", text, re.MULTILINE))
    failed = sum(1 for record in found if record.codes)
    assert failed == text.count("HRESULT")
    assert 0.02 < failed / len(found) < 0.06


def test_a_program_that_fails_ends_the_benchmark_with_its_words() -> None:
    with pytest.raises(BenchError, match="no such thing"):
        timed("sh", "-c", "echo no such thing >&2; exit 3")


def test_the_memory_of_a_program_is_its_own() -> None:
    words = "from bench.process import timed; print(timed('sh', '-c', 'exit 0').peak)"
    peak = int(subprocess.check_output([sys.executable, "-c", words], cwd=ROOT))
    assert 0 < peak < 100e6


def test_few_files_are_lent_again_and_rows_of_neighbours_are_left_out() -> None:
    files = [Chosen(f"/a/{n % 5}/{n}", f"{PLACE}/a/{n % 5}/{n}", n) for n in range(100)]
    chosen = choose(files, 250, 2_000)
    assert sum(file.size for file in chosen) == 4 * sum(range(63))
    assert len({file.target for file in chosen}) == len(chosen) == 4 * 63
    assert [file.size for file in thin(chosen, 2)] == [file.size for file in chosen[:200]]


def test_a_working_copy_is_put_back(tmp_path: Path) -> None:
    pristine = tmp_path / "image.wim"
    pristine.write_bytes(bytes(range(256)) * 40)
    (tmp_path / "work").mkdir()
    copy = WorkingCopy(pristine, tmp_path / "work")
    with copy.path.open("r+b") as file:
        file.write(b"another header")
        file.seek(0, 2)
        file.write(b"appended")
    copy.path.with_name("image.wim.generations").write_text("")
    copy.restore()
    assert copy.path.read_bytes() == pristine.read_bytes()
    assert list((tmp_path / "work").iterdir()) == [copy.path]
    with copy.path.open("r+b") as file:
        file.seek(5000)
        file.write(b"overwritten")
    with pytest.raises(BenchError, match="changed before its end"):
        copy.restore()


def test_a_goal_is_met_or_not() -> None:
    assert Figure("", "LZX", Range.of([1.0, 3.0, 2.0]), 2.0).met is True
    assert Figure("", "LZX", Range.of([2.1]), 2.0).met is False
    assert Figure("", "LZX", Range.of([60.0]), 50.0, at_least=True).met is True
    assert Figure("", "LZX", Range.of([60.0])).met is None
