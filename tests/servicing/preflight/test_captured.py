"""How an image was captured: wimlib by its marks, the rest by tags, dates and builds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.lab.tool import run
from tests.servicing.preflight.made import looked
from tests.servicing.surroundings import CLOCK
from wimdock.reparse.hosts import Build
from wimdock.servicing.demo_image import make_demo_image
from wimdock.servicing.preflight.captured import (
    CaptureFacts,
    Capturer,
    Confidence,
    judge_capture,
)

MICROSOFT = ("DIRCOUNT", "FILECOUNT", "TOTALBYTES", "NAME")
BEFORE = datetime(2018, 4, 29, tzinfo=UTC)
AFTER = datetime(2019, 6, 1, tzinfo=UTC)
ALIASES = (("APPEXECLINK", 3),)
OLD, NEW = Build(10, 0, 16299), Build(10, 0, 17763)
NOTHING = CaptureFacts((), 0, MICROSOFT, None, None)


@pytest.mark.parametrize("recipe", ["lzx", "special", "multi"])
def test_the_lab_is_captured_by_wimlib(lab_image: Callable[[str], Path], recipe: str) -> None:
    capture = looked(lab_image(recipe), "wimdock").images[0].capture
    assert capture is not None
    assert capture.program is Capturer.WIMLIB
    assert capture.confidence is Confidence.HIGH
    assert capture.keeps
    assert "probably by wimlib" in capture.words
    assert any("3 APPEXECLINK" in line for line in capture.evidence)


def test_without_reparse_points_one_mark_is_left(lab: Lab) -> None:
    capture = looked(lab.image("multi"), "wimdock", indexes=(3,)).images[0].capture
    assert capture is not None
    assert (capture.program, capture.confidence) == (Capturer.WIMLIB, Confidence.MEDIUM)
    assert capture.keeps is None


def test_marks_stay_when_wimlib_exports_and_renames(lab: Lab, tmp_path: Path) -> None:
    """What only writes the file anew leaves the marks of the capture as they are."""
    exported = tmp_path / "exported.wim"
    run("wimlib-imagex", "export", lab.image("lzx"), "1", exported)
    run("wimlib-imagex", "info", exported, "1", "Another name")
    capture = looked(exported, "wimdock").images[0].capture
    assert capture is not None
    assert (capture.program, capture.confidence) == (Capturer.WIMLIB, Confidence.HIGH)


def test_what_wimlib_did_not_make_bears_no_mark_of_it(tmp_path: Path) -> None:
    path = tmp_path / "demo.wim"
    make_demo_image(path, CLOCK)
    capture = looked(path, "wimdock").images[0].capture
    assert capture is not None
    assert capture.program is not Capturer.WIMLIB


@pytest.mark.parametrize(
    "facts, program, confidence, keeps",
    [
        (NOTHING, Capturer.UNKNOWN, Confidence.LOW, None),
        (replace(NOTHING, newer=ALIASES), Capturer.ADK_1803, Confidence.LOW, True),
        (
            replace(NOTHING, newer=ALIASES, created=AFTER, build=OLD),
            Capturer.ADK_1803,
            Confidence.MEDIUM,
            True,
        ),
        (
            replace(NOTHING, newer=ALIASES, created=BEFORE, build=OLD),
            Capturer.OTHER,
            Confidence.LOW,
            True,
        ),
        (
            replace(NOTHING, created=BEFORE, build=OLD),
            Capturer.BEFORE_1803,
            Confidence.MEDIUM,
            False,
        ),
        (replace(NOTHING, created=AFTER, build=OLD), Capturer.UNKNOWN, Confidence.LOW, None),
        (replace(NOTHING, created=AFTER, build=NEW), Capturer.ADK_1803, Confidence.LOW, None),
        (replace(NOTHING, created=BEFORE, build=NEW), Capturer.ADK_1803, Confidence.LOW, None),
        (
            replace(NOTHING, newer=ALIASES, created=BEFORE, build=NEW),
            Capturer.ADK_1803,
            Confidence.MEDIUM,
            True,
        ),
        (replace(NOTHING, doubled=2), Capturer.WIMLIB, Confidence.MEDIUM, None),
    ],
)
def test_evidence_decides(
    facts: CaptureFacts, program: Capturer, confidence: Confidence, *, keeps: bool | None
) -> None:
    capture = judge_capture(facts)
    assert (capture.program, capture.confidence, capture.keeps) == (program, confidence, keeps)
    assert capture.evidence
    assert "probably" in capture.words or program is Capturer.UNKNOWN


def test_a_date_before_1803_says_so() -> None:
    lines = judge_capture(replace(NOTHING, created=BEFORE)).evidence
    assert any("2018-04-29, before the ADK" in line for line in lines)


def test_a_date_before_its_own_windows_says_little() -> None:
    lines = judge_capture(replace(NOTHING, created=BEFORE, build=NEW)).evidence
    assert lines[-1].startswith("so that date says little")
