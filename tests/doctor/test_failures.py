"""Every known failure is recognised in made logs, and in none of those that only look like it.

A case is a folder: one or more log files, and `expected.toml` with what must come of them. Adding a
failure adds a rule and folders, and nothing here. Keys of `expected.toml`:

- `findings`: all known failures, `{ id, confidence }`; where one is found in several incidents, the
  highest confidence
- `unknown`: whether there is a failure that no rule describes; without the key, either is right
- `ruled_out`: failures that must be named as looked at and ruled out
- `follows`: after-effects, `{ id, from }`; all other findings must follow from nothing
- `since_succeeded`: failures whose image ended well later; no other may
- `echoes`: failures that another explains, so that they are no findings
- `indexes`: the indexes of the images with findings, as texts
- `packages`: the image packages with findings, "" among them for none
- `providers`, `image`, `image_reparse`: what `--provider` and `--image` would tell
"""

from __future__ import annotations

import codecs
import json
import lzma
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wimdock.configmgr.provider import parse_provider
from wimdock.doctor.examination import Examination, examine
from wimdock.doctor.image_facts import ImageFacts
from wimdock.doctor.rule import Rule
from wimdock.doctor.rules import FOLDER, load_rules

CASES = Path(__file__).parent / "failures"
RULE_FILES = sorted(FOLDER.glob("*.toml"))
LEAST = 2
CONFIDENCES = ("low", "medium", "high")
KEYS = {
    "findings",
    "unknown",
    "ruled_out",
    "follows",
    "since_succeeded",
    "echoes",
    "indexes",
    "packages",
    "providers",
    "image",
    "image_reparse",
}
FACTS = {
    1: ("0x800700A1",),
    2: ("0x80004001",),
    3: ("0x8007007B",),
    4: ("0x800F082F",),
    5: (),
    6: (),
    7: ("0x800F0823",),
    8: ("0x800F081E",),
    9: ("0xC1420127",),
    10: ("0xC1420117",),
    11: ("0xC142011D",),
    12: ("0xC1510114",),
    13: ("0xC1420105", "0xC1420135", "0x80070020"),
    14: ("0xC1420121", "0x800704DB"),
    15: ("0xC1440136", "0xC144013B", "0x80070057"),
    16: ("0x80070070", "0x80070027", "0x800F0828", "0x80070008"),
    17: ("0x800F0922", "0x800F0831", "0x800F0830", "0x800F081F", "0x800F0838", "0x80073712"),
    18: ("0x8007000B",),
    19: ("0x80070032",),
    20: ("0xC142010C",),
}
"""The failures that the doctor must know, and the codes of each."""


@cache
def rules() -> tuple[Rule, ...]:
    return load_rules()


def cases() -> list[Path]:
    return sorted(path.parent for path in CASES.rglob("expected.toml"))


def name_of(case: Path) -> str:
    return case.relative_to(CASES).as_posix()


def expectation(case: Path) -> dict[str, Any]:
    found = tomllib.loads((case / "expected.toml").read_text(encoding="utf-8"))
    assert found.keys() <= KEYS
    assert "findings" in found
    return found


def examined(case: Path, expected: dict[str, Any]) -> Examination:
    """Examine the logs of a case; what they expect of it may stand in another folder."""
    logs = sorted(path for path in case.iterdir() if path.suffix == ".log")
    providers = tuple(parse_provider(text) for text in expected.get("providers", ()))
    image = None
    if "image" in expected:
        version = tuple(int(number) for number in expected["image"].split("."))
        image = ImageFacts(version=version, reparse=expected["image_reparse"])
    return examine(logs, rules(), providers, image)


def confidences(examination: Examination) -> dict[str, str]:
    """Give the known failures that were found, each at its highest confidence."""
    found: dict[str, str] = {}
    for finding in examination.findings:
        if finding.rule is not None and finding.confidence is not None:
            heard = (finding.confidence.value, found.get(finding.rule.id, "low"))
            found[finding.rule.id] = max(heard, key=CONFIDENCES.index)
    return found


@pytest.mark.parametrize("case", cases(), ids=name_of)
def test_a_case_has_the_diagnosis_that_belongs_to_it(case: Path) -> None:
    expected = expectation(case)
    examination = examined(case, expected)
    found = confidences(examination)
    assert found == {each["id"]: each["confidence"] for each in expected["findings"]}
    assert found.keys().isdisjoint(expected.get("echoes", ()))
    if "unknown" in expected:
        unknown = [finding for finding in examination.findings if not finding.is_known]
        assert bool(unknown) == expected["unknown"]
    ruled_out = {each.rule.id for each in examination.ruled_out}
    assert set(expected.get("ruled_out", ())) <= ruled_out
    known = [finding for finding in examination.findings if finding.rule is not None]
    follows = {
        (finding.rule.id, finding.follows.rule.id)
        for finding in known
        if finding.rule and finding.follows and finding.follows.rule
    }
    assert follows == {(each["id"], each["from"]) for each in expected.get("follows", ())}
    healed = {finding.rule.id for finding in known if finding.rule and finding.since_succeeded}
    assert healed == set(expected.get("since_succeeded", ()))
    if "indexes" in expected:
        assert {str(finding.incident.index) for finding in known} == set(expected["indexes"])
    if "packages" in expected:
        packages = {finding.incident.package for finding in examination.findings}
        assert packages == set(expected["packages"])


def test_every_finding_shows_the_lines_that_prove_it() -> None:
    """What is quoted stands in the file at the line that is named."""
    for case in cases():
        expected = expectation(case)
        for finding in examined(case, expected).findings:
            assert finding.traces, name_of(case)
            assert finding.because or not finding.is_known
            assert not re.search(r"\{[a-z]+\}", finding.what_happened + finding.cause)


def decoded(data: bytes) -> str:
    """Read a made log in whatever code it was made."""
    if b"\0" in data[:4]:
        return data.decode("utf-16-le")
    if data.startswith(codecs.BOM_UTF16_LE):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def translated(text: str) -> str:
    """Put other words behind the codes of the image library's frames."""
    return re.sub(
        r"(?m)^(\[[\d.]+\] \[0x\w{8}\] \w+:\(\d+\)).*$", r"\1: Ζωὴ 0 ошибка 無効です", text
    )


@pytest.mark.parametrize("code", ["utf-8", "utf-16", "utf-16-be"])
def test_neither_language_nor_code_page_changes_a_diagnosis(code: str, tmp_path: Path) -> None:
    for case in cases():
        expected = expectation(case)
        folder = tmp_path / name_of(case)
        folder.mkdir(parents=True)
        for log in case.glob("*.lo*"):
            text = translated(decoded(log.read_bytes()).removeprefix("\ufeff"))
            (folder / log.name).write_bytes(text.encode(code))
        found = confidences(examined(folder, expected))
        wanted = {each["id"]: each["confidence"] for each in expected["findings"]}
        assert found == wanted, name_of(case)


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.stem)
def test_a_rule_keeps_to_the_schema(path: Path) -> None:
    schema = json.loads((FOLDER / "rule.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    problems = jsonschema.Draft202012Validator(schema).iter_errors(content)
    assert [f"{list(each.absolute_path)}: {each.message}" for each in problems] == []


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.stem)
def test_a_rule_has_logs_that_show_it_and_logs_that_nearly_do(path: Path) -> None:
    identity = path.stem.partition("-")[2]
    folder = CASES / path.stem
    positives = sorted(folder.glob("positive-*/expected.toml"))
    near_misses = sorted(folder.glob("near-miss-*/expected.toml"))
    assert len(positives) >= LEAST
    assert len(near_misses) >= LEAST
    for case in positives:
        assert identity in {each["id"] for each in expectation(case.parent)["findings"]}
    for case in near_misses:
        assert identity not in {each["id"] for each in expectation(case.parent)["findings"]}


def test_every_folder_is_a_case_of_a_rule() -> None:
    names = {path.stem for path in RULE_FILES} | {"combined"}
    assert {path.name for path in CASES.iterdir()} == names
    assert {log.parent for log in CASES.rglob("*.lo*")} == set(cases())


def test_the_failures_that_must_be_known_are() -> None:
    known = {rule.number: rule for rule in rules()}
    assert FACTS.keys() <= known.keys()
    for number, codes in FACTS.items():
        assert {int(code, 16) for code in codes} <= known[number].all_codes, number


def test_every_verdict_of_every_rule_is_reached() -> None:
    """A verdict that no made log leads to is not known to be right."""
    missing = {(rule.id, each.because) for rule in rules() for each in rule.verdicts}
    for case in cases():
        for finding in examined(case, expectation(case)).findings:
            for identity, because in tuple(missing):
                worded = re.sub(r"\\\{[a-z]+\\\}", ".*", re.escape(because))
                known = finding.rule is not None and finding.rule.id == identity
                if known and re.fullmatch(worded, finding.because):
                    missing.discard((identity, because))
    assert missing == set()


@pytest.mark.parametrize("name", ["win7_dism.log.xz", "CBS.log.xz"])
def test_public_logs_have_no_known_failure(shared_data: Path, name: str, tmp_path: Path) -> None:
    """They hold warnings about a missing provider, wrong command lines, and packages not there."""
    data = lzma.decompress((shared_data / "logs" / name).read_bytes())
    log = tmp_path / name.removesuffix(".xz")
    log.write_bytes(data)
    examination = examine([log], rules())
    assert [finding.rule.id for finding in examination.findings if finding.rule is not None] == []
