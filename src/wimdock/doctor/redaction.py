"""A report with every name of a person, a machine or a domain masked, in all of its texts alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from wimdock.doctor.report import Report
from wimdock.doctor.rule import Rule
from wimdock.doctor.secrets import Secrets

_Value = TypeVar("_Value")

# Words of ours that stand for something and never hold a name.
_PLAIN = frozenset(
    {"code", "confidence", "rule", "fits", "verdict", "log", "kinds", "result", "system", "table"}
    | {"url", "at", "first_seen", "began", "began_utc", "ended"}
)
# Sentences of ours into which a case's names may be filled.
_SENTENCES = frozenset(
    {"title", "because", "what_happened", "cause", "notes", "why", "reason", "build", "host"}
)
_SENTENCE_TYPES = frozenset({"Advice", "Step", "Code", "Source", "RuledOutFailure"})
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def secrets_for(rules: Iterable[Rule]) -> Secrets:
    """Give an empty store of names that knows which words are the rules' own."""
    words: set[str] = set()
    for rule in rules:
        texts = [rule.title, rule.what_happened, rule.cause]
        texts += [each.because for each in rule.verdicts]
        texts += [text for each in rule.remedies for text in (each.title, each.text, each.why_not)]
        texts += [text for each in rule.clean_up for text in (each.text, each.command)]
        texts += [each.title for each in rule.sources]
        for text in texts:
            words.update(_WORD.findall(text))
    return Secrets(words)


def redacted(report: Report, secrets: Secrets) -> Report:
    """Give the report without names; those of the report itself are learnt first."""
    for provider in report.providers:
        secrets.host(provider.name)
    for text in _texts(report):
        secrets.learn(text)
    for finding in report.findings:
        secrets.host(finding.case.server)
    return replace(_masked(report, secrets, "", in_sentences=False), redacted=True)


def _texts(value: object) -> Iterable[str]:
    """Give what may hold names that no record held: paths and quoted lines."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)
    elif is_dataclass(value):
        if type(value).__name__ == "Source":
            return
        for field in fields(value):
            if field.name not in _PLAIN | _SENTENCES:
                yield from _texts(getattr(value, field.name))


def _masked(value: _Value, secrets: Secrets, name: str, *, in_sentences: bool) -> _Value:
    found: Any = value
    if isinstance(value, str):
        if name in _PLAIN:
            return value
        found = secrets.mask(value, sentence=in_sentences or name in _SENTENCES)
    elif isinstance(value, tuple):
        found = tuple(_masked(each, secrets, name, in_sentences=in_sentences) for each in value)
    elif is_dataclass(value) and not isinstance(value, type):
        ours = type(value).__name__ in _SENTENCE_TYPES
        changes = {
            field.name: _masked(getattr(value, field.name), secrets, field.name, in_sentences=ours)
            for field in fields(value)
        }
        found = replace(value, **changes)
    return found  # type: ignore[no-any-return]
