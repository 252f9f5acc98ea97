"""Rule files: read strictly, with the file and the place of whatever is wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from wimdock.doctor.rule import Confidence
from wimdock.doctor.rules import load_heads, load_rules, read_rule
from wimdock.errors import RuleError

WHOLE = """
number = 77
id = "of-ours"
title = "A failure of ours"
codes = ["0x80070BC9"]
what_happened = "{package} failed with {code}"
cause = "a cause"
[[evidence]]
name = "seen"
logs = ["offline"]
codes = ["0x80070BC9"]
functions = ["InstallUpdate"]
[[evidence]]
name = "old_host"
host_before = "10.0.14393"
[[verdict]]
confidence = "high"
all = ["seen", "old_host"]
because = "both"
[[remedies]]
title = "Do something"
text = "soon"
fits = { image_before = "10.0.17134.1" }
why_not = "it is too new"
[[clean_up]]
text = "unmount"
command = "Dism.exe /unmount-image /mountdir:{mount} /discard"
[[sources]]
title = "a page"
url = "https://wimdock.invalid/"
"""


def written(folder: Path, text: str = WHOLE, name: str = "77-of-ours.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    rule = read_rule(written(tmp_path))
    assert (rule.number, rule.id, rule.codes) == (77, "of-ours", (0x80070BC9,))
    assert rule.verdicts[0].confidence is Confidence.HIGH
    assert rule.evidence[1].bounds.host_before == (10, 0, 14393)
    assert rule.remedies[0].fits.image_before == (10, 0, 17134, 1)


@pytest.mark.parametrize(
    "old, new, place",
    [
        ("cause =", "causes =", "cause: is missing"),
        ('title = "A', 'colour = "red"\ntitle = "A', "colour: there is no such key"),
        ("number = 77", "number = 78", "must be called 78-of-ours.toml"),
        ("number = 77", 'number = "77"', "number: must be a number"),
        ("{package}", "{secret}", "what_happened: {secret} stands for nothing"),
        ('["0x80070BC9"]\nwhat', '["0x8007"]\nwhat', "codes: '0x8007' is no code"),
        ('logs = ["offline"]', 'logs = ["smsts"]', "evidence[1].logs: 'smsts' is none of"),
        ('functions = ["InstallUpdate"]', "message = '('", "evidence[1].message: is no regular"),
        ('name = "old_host"', 'name = "seen"', "evidence: seen is there twice"),
        ('name = "old_host"', 'name = "new"', "there is no evidence 'old_host'"),
        ('all = ["seen", "old_host"]', 'all = ["seen"]', "evidence: nothing names old_host"),
        ('all = ["seen", "old_host"]', 'none = ["seen", "old_host"]', "needs `all` or `any`"),
        ('all = ["seen", "old_host"]', 'all = ["old_host"]\nnone = ["seen"]', "needs a record"),
        ('confidence = "high"', 'confidence = "sure"', "verdict[1].confidence: 'sure' is none of"),
        ("10.0.14393", "Server 2016", "evidence[2].host_before: 'Server 2016' is no version"),
        ("https://", "http://", "sources[1].url: must begin with https://"),
        ("fits = {", "fits = { os = 1,", "remedies[1].fits.os: there is no such key"),
        ("[[verdict]]", "[[verdict]", "this is no TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    old: str, new: str, place: str, tmp_path: Path
) -> None:
    assert old in WHOLE
    path = written(tmp_path, WHOLE.replace(old, new, 1))
    with pytest.raises(RuleError) as caught:
        read_rule(path)
    assert path.name in str(caught.value)
    assert place in str(caught.value)


def test_rules_of_a_user_come_besides_or_in_the_place_of_ours(tmp_path: Path) -> None:
    own = load_rules()
    written(tmp_path)
    assert [rule.id for rule in load_rules(tmp_path)] == [*(rule.id for rule in own), "of-ours"]
    text = WHOLE.replace("number = 77", "number = 1").replace('"of-ours"', f'"{own[0].id}"')
    written(tmp_path, text, own[0].file)
    assert load_rules(tmp_path)[0].title == "A failure of ours"


def test_rules_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    written(tmp_path, WHOLE.replace("number = 77", "number = 1"), "01-of-ours.toml")
    with pytest.raises(RuleError, match="has the number 1 too"):
        load_rules(tmp_path)
    (tmp_path / "01-of-ours.toml").unlink()
    written(tmp_path, WHOLE.replace("cause =", 'leaves_behind = ["nothing"]\ncause =', 1))
    with pytest.raises(RuleError, match="leaves_behind: there is no other rule 'nothing'"):
        load_rules(tmp_path)


def test_a_folder_without_rules_and_one_that_is_not_there_are_errors(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RuleError):
            load_rules(folder)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a" * ((1 << 20) + 1), b"[" * 5000])
def test_a_file_that_is_no_rule_is_an_error(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "77-of-ours.toml"
    path.write_bytes(data)
    with pytest.raises(RuleError, match=r"77-of-ours\.toml"):
        read_rule(path)


def test_heads_say_the_same_as_the_rules() -> None:
    heads = [(each.number, each.id, each.title, each.codes) for each in load_heads()]
    assert heads == [(each.number, each.id, each.title, each.codes) for each in load_rules()]


def test_heads_are_read_at_once() -> None:
    load_heads()
    took = []
    for _ in range(5):
        begin = time.process_time()
        load_heads()
        took.append(time.process_time() - begin)
    assert min(took) < 0.04


def test_an_expression_that_never_ends_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wimdock.doctor.expression.MOST_SECONDS", 0.1)
    rule = read_rule(
        written(tmp_path, WHOLE.replace('functions = ["InstallUpdate"]', "message = '(a+)+$'"))
    )
    expression = rule.evidence[0].message
    assert expression is not None
    assert expression.found_in("aaa")
    with pytest.raises(RuleError, match=r"77-of-ours.toml: evidence\[1\].message: .* takes more"):
        expression.found_in("a" * 60 + "!")
    assert not expression.found_in("b")


def test_a_rule_is_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "77-of-ours.toml")
    with pytest.raises(RuleError, match="this is no file"):
        load_rules(tmp_path)
