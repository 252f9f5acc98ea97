"""Judging values of settings: of the right type, within their bounds, one of their words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from wimdock.site.settings import Rule

_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


def judge(value: object, kind: Any, rule: Rule) -> Any:
    """Give a value from the file as the setting's type; ValueError in words where it is wrong."""
    if kind is bool:
        return _expect(value, bool, "true or false")
    if kind is int:
        return _bounded(_expect(value, int, _numbers("whole number", rule)), "whole number", rule)
    if kind is float:
        number = _expect(value, (int, float), _numbers("number", rule))
        return _bounded(float(number), "number", rule)
    if kind is str:
        return _word(_expect(value, str, "text"), rule)
    return _words(value, rule)


def judge_text(text: str, kind: Any, rule: Rule) -> Any:
    """Give a value from the environment as the setting's type; ValueError where it is wrong."""
    plain = text.strip()
    if kind is bool:
        if plain.lower() not in _YES | _NO:
            message = "must be true or false"
            raise ValueError(message)
        return plain.lower() in _YES
    if kind in (int, float):
        noun = "whole number" if kind is int else "number"
        try:
            number = kind(plain)
        except ValueError:
            message = f"must be a {_numbers(noun, rule)}"
            raise ValueError(message) from None
        return _bounded(number, noun, rule)
    if kind is str:
        return _word(text, rule)
    return _words([each.strip() for each in text.split(",") if each.strip()], rule)


def _expect(value: object, kind: Any, words: str) -> Any:
    # bool is an int to Python, and none to people
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        article = "" if words.startswith(("true", "text", "a ")) else "a "
        message = f"must be {article}{words}"
        raise ValueError(message)
    return value


def _numbers(noun: str, rule: Rule) -> str:
    if rule.least is None or rule.most is None:
        return noun
    return f"{noun} from {rule.least:g} to {rule.most:.0f}"


def _bounded(number: float, noun: str, rule: Rule) -> float:
    low = -math.inf if rule.least is None else rule.least
    high = math.inf if rule.most is None else rule.most
    if not (math.isfinite(number) and low <= number <= high):
        message = f"must be a {_numbers(noun, rule)}"
        raise ValueError(message)
    return number


def _word(text: str, rule: Rule) -> str:
    if "\0" in text:
        message = "must not contain a NUL character"
        raise ValueError(message)
    if rule.choices and text not in rule.choices:
        message = f"must be one of {', '.join(rule.choices)}"
        raise ValueError(message)
    if rule.folder and text and not Path(text).is_absolute():
        message = "must be an absolute path"
        raise ValueError(message)
    return text


def _words(value: object, rule: Rule) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        message = "must be a list of texts"
        raise ValueError(message)
    for each in value:
        if rule.choices and each not in rule.choices:
            message = f"must be a list of these: {', '.join(rule.choices)}"
            raise ValueError(message)
    return tuple(value)
