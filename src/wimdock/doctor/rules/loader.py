"""The files of known failures, read into rules.

`load_rules` reads wimdock's own files and, where one is given, those of a folder of the user's. It
is strict: a key too many, a name that nothing bears, an expression that is none raise RuleError
with file and place. `wimdock.doctor.heads` reads the heads only, which is much faster.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from wimdock.doctor.heads import FOLDER
from wimdock.doctor.rule import (
    Bounds,
    CleanUp,
    Confidence,
    Evidence,
    Remedy,
    Rule,
    RuledOut,
    Source,
    Verdict,
)
from wimdock.doctor.rules.table import Table
from wimdock.errors import RuleError

VARIABLES = frozenset(
    {"package", "index", "mount", "image", "update", "host", "code", "command", "site", "provider"}
    | {"staging"}
)
"""The words that a text may hold in braces."""

_FILE_NAME = re.compile(r"(\d{2,3})-([a-z0-9]+(?:-[a-z0-9]+)*)\.toml")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BRACED = re.compile(r"\{([^{}]*)\}")
_LOGS = ("offline", "dism", "cbs", "other")
_SEVERITIES = ("info", "warning", "error", "unknown")
_MOST_BYTES = 1 << 20
_MOST_INSERTIONS = 10


def load_rules(folder: Path | None = None) -> tuple[Rule, ...]:
    """Read all rules, those of `folder` besides wimdock's own, ordered by number.

    A rule of the folder takes the place of one of wimdock's own that has the same id. Raises
    RuleError, and StorageError where the folder cannot be read.
    """
    rules = {rule.id: rule for rule in map(read_rule, _files(FOLDER))}
    if folder is not None:
        found = [read_rule(path) for path in _files(folder)]
        if not found:
            message = f"{folder}: there is no rule in this folder"
            raise RuleError(message, hint="A rule is a file such as 21-short-name.toml.")
        rules |= {rule.id: rule for rule in found}
    ordered = tuple(sorted(rules.values(), key=lambda rule: rule.number))
    _check_together(ordered)
    return ordered


def read_rule(path: Path) -> Rule:
    """Read one file."""
    top = Table(path.name, "", _parsed(path, _text(path)))
    number, identity = top.number("number") or 0, top.text("id")
    named = _FILE_NAME.fullmatch(path.name)
    if not named or int(named[1]) != number or named[2] != identity:
        top.refuse("", f"the file must be called {number:02}-{identity}.toml")
    rule = Rule(
        number=number,
        id=identity,
        title=_worded(top, "title"),
        codes=top.codes("codes"),
        what_happened=_worded(top, "what_happened"),
        cause=_worded(top, "cause"),
        leaves_behind=_identities(top, "leaves_behind"),
        lesser_than=_identities(top, "lesser_than"),
        evidence=tuple(_evidence(each) for each in top.tables("evidence")),
        verdicts=tuple(_verdict(each) for each in top.tables("verdict")),
        ruled_out=tuple(_ruled_out(each) for each in top.tables("ruled_out")),
        remedies=tuple(_remedy(each) for each in top.tables("remedies")),
        clean_up=tuple(_clean_up(each) for each in top.tables("clean_up")),
        sources=tuple(_source(each) for each in top.tables("sources")),
        file=path.name,
    )
    top.end()
    for evidence in rule.evidence:
        if evidence.message is not None:
            evidence.message.is_limited = path.parent != FOLDER
    _check_names(top, rule)
    return rule


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        message = f"{folder}: {error.strerror or error}"
        raise RuleError(message, hint="Name a folder with rule files.") from error


def _text(path: Path) -> str:
    if not path.is_file():
        message = f"{path.name}: this is no file, and a rule is one"
        raise RuleError(message)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise RuleError(message, hint="Check the file and its permissions.") from error
    if len(data) > _MOST_BYTES:
        message = f"{path.name}: the file is longer than a rule can be"
        raise RuleError(message)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        message = f"{path.name}: the file is not in UTF-8"
        raise RuleError(message) from error


def _parsed(path: Path, text: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"{path.name}: this is no TOML: {error}"
        raise RuleError(message) from error


def _worded(table: Table, key: str, *, required: bool = True) -> str:
    """Give a text whose words in braces are all known."""
    found = table.text(key, required=required)
    for word in _BRACED.findall(found):
        if word not in VARIABLES:
            known = ", ".join(sorted(VARIABLES))
            table.refuse(key, f"{{{word}}} stands for nothing; there are {known}")
    return found


def _identities(table: Table, key: str) -> tuple[str, ...]:
    found = table.texts(key)
    for each in found:
        if not _ID.fullmatch(each):
            table.refuse(key, f"{each!r} is no id of a rule")
    return found


def _bounds(table: Table) -> Bounds:
    return Bounds(
        host_before=table.version("host_before"),
        host_from=table.version("host_from"),
        image_before=table.version("image_before"),
        image_from=table.version("image_from"),
        image_reparse=table.word("image_reparse", ("strong", "weak", "none"), required=False)
        or None,
    )


def _evidence(table: Table) -> Evidence:
    name = table.text("name")
    if not _NAME.fullmatch(name):
        table.refuse("name", f"{name!r} is no name: small letters, digits and _")
    found = Evidence(
        name=name,
        logs=table.words("logs", _LOGS),
        codes=frozenset(table.codes("codes")),
        functions=frozenset(table.texts("functions")),
        message=table.pattern("message"),
        component=table.text("component", required=False),
        severity=table.words("severity", _SEVERITIES),
        status_message=table.number("status_message", required=False),
        insertions=_insertions(table),
        unless_followed_by=table.text("unless_followed_by", required=False),
        bounds=_bounds(table),
    )
    table.end()
    on_record = found != Evidence(name, bounds=found.bounds)
    if found.is_fact == on_record:
        problem = "asks for a record and for host or image" if on_record else "asks for nothing"
        table.refuse("", problem)
    return found


def _insertions(table: Table) -> tuple[tuple[int, str], ...]:
    inner = table.table("insertions")
    if inner is None:
        return ()
    found = []
    for key, value in inner.items():
        if not key.isdigit() or int(key) >= _MOST_INSERTIONS:
            inner.refuse(key, "insertion strings have the numbers 0 to 9")
        found.append((int(key), value))
    return tuple(sorted(found))


def _verdict(table: Table) -> Verdict:
    found = Verdict(
        confidence=Confidence(table.word("confidence", tuple(each.value for each in Confidence))),
        because=_worded(table, "because"),
        all=table.texts("all"),
        any=table.texts("any"),
        none=table.texts("none"),
    )
    table.end()
    if not found.all and not found.any:
        table.refuse("", "needs `all` or `any`: without them it would hold of every log")
    return found


def _ruled_out(table: Table) -> RuledOut:
    found = RuledOut(table.text("when"), _worded(table, "because"))
    table.end()
    return found


def _remedy(table: Table) -> Remedy:
    inner = table.table("fits")
    fits = Bounds()
    if inner is not None:
        fits = _bounds(inner)
        inner.end()
    found = Remedy(
        title=_worded(table, "title"),
        text=_worded(table, "text"),
        fits=fits,
        why_not=_worded(table, "why_not", required=False),
        lists=table.word("lists", ("applications",), required=False),
    )
    table.end()
    return found


def _clean_up(table: Table) -> CleanUp:
    found = CleanUp(
        text=_worded(table, "text"),
        command=_worded(table, "command", required=False),
        on=table.word("on", ("windows", "wimdock"), required=False),
    )
    table.end()
    return found


def _source(table: Table) -> Source:
    found = Source(table.text("title"), table.text("url", required=False))
    table.end()
    if found.url and not re.fullmatch(r"https://[\x21-\x7e]+", found.url):
        table.refuse("url", "must begin with https://")
    return found


def _check_names(top: Table, rule: Rule) -> None:
    """Refuse evidences that are named but not there, there twice, or there and never named."""
    names = [each.name for each in rule.evidence]
    for name in names:
        if names.count(name) > 1:
            top.refuse("evidence", f"{name} is there twice")
    if not rule.verdicts:
        top.refuse("verdict", "is missing: without one the failure is never found")
    used = {each.unless_followed_by for each in rule.evidence} - {""}
    _check_known(top, "evidence.unless_followed_by", sorted(used), names)
    for number, verdict in enumerate(rule.verdicts, 1):
        named = (*verdict.all, *verdict.any, *verdict.none)
        _check_known(top, f"verdict[{number}]", named, names)
        used.update(named)
        facts = {each.name for each in rule.evidence if each.is_fact}
        if set(verdict.all) | set(verdict.any) <= facts:
            problem = "needs a record: a host or an image alone is no failure"
            top.refuse(f"verdict[{number}]", problem)
    for number, ruled in enumerate(rule.ruled_out, 1):
        _check_known(top, f"ruled_out[{number}].when", (ruled.when,), names)
        used.add(ruled.when)
    for name in names:
        if name not in used:
            top.refuse("evidence", f"nothing names {name}")


def _check_known(top: Table, place: str, named: Iterable[str], names: list[str]) -> None:
    for name in named:
        if name not in names:
            top.refuse(place, f"there is no evidence {name!r}")


def _check_together(rules: tuple[Rule, ...]) -> None:
    """Refuse two rules with one number, and ids of rules that are not there."""
    numbers: dict[int, Rule] = {}
    known = {rule.id for rule in rules}
    for rule in rules:
        if rule.number in numbers:
            message = f"{rule.file}: {numbers[rule.number].file} has the number {rule.number} too"
            raise RuleError(message, hint="Give the rule a number of its own.")
        numbers[rule.number] = rule
        for key, named in (
            ("leaves_behind", rule.leaves_behind),
            ("lesser_than", rule.lesser_than),
        ):
            for each in named:
                if each not in known or each == rule.id:
                    message = f"{rule.file}: {key}: there is no other rule {each!r}"
                    raise RuleError(message)
