"""The heads of rule files say what the whole rules say."""

from __future__ import annotations

from pathlib import Path

import pytest

from wimdock.doctor.heads import load_heads
from wimdock.doctor.rules import load_rules
from wimdock.errors import RuleError, StorageError


def test_heads_are_those_of_the_rules() -> None:
    heads = [(head.number, head.id, head.title, head.codes, head.file) for head in load_heads()]
    assert heads == [
        (rule.number, rule.id, rule.title, rule.codes, rule.file) for rule in load_rules()
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "number = ",
        'number = 1\nid = "a"\ntitle = "b"\ncodes = ["x"]',
        "number = 1\ncodes = [1]",
    ],
)
def test_a_bad_head_is_an_error_that_names_the_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "21-bad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RuleError, match=r"21-bad\.toml: the head"):
        load_heads(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        load_heads(tmp_path / "none")
