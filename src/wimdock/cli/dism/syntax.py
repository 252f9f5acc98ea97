r"""DISM's command line read into values. Pure: no file is looked at.

A token is `/Name`, `/Name:value` or `/Name=value`; `-` does as well as `/`, and case does not
matter. A value is everything behind the first colon or equals sign, so that `/MountDir:/srv/mnt`
and `/MountDir:C:\mount` both work. Quotes may be left in a token, as they are when a line was
quoted for a Windows shell. What cannot be read raises UsageError with the code that DISM gives:
87 for what it does not know, 1639 where the command is missing, 50 for what is not served.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from wimdock.cli.dism.verbs import (
    EVERY_OPTION,
    GLOBAL_OPTIONS,
    REFUSED_EVERYWHERE,
    VERBS,
    Option,
    Verb,
)
from wimdock.errors import UsageError

INVALID_PARAMETER = 0x80070057
NOT_SUPPORTED = 0x80070032
INVALID_COMMAND_LINE = 0x80070667

_HELP_HINT = "`wimdock dism /?` lists the commands and their options."
_TOKEN = re.compile(r"[/-](\?|[A-Za-z][A-Za-z0-9-]*)(?:[:=](.*))?", re.DOTALL)
_COMMON: Mapping[str, Option] = {option.name.lower(): option for option in GLOBAL_OPTIONS}
_NOWHERE: Mapping[str, Option] = {option.name.lower(): option for option in REFUSED_EVERYWHERE}
_LONGEST_NUMBER = 9
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command line that makes sense: a verb, and the values of its options by lower-cased name.

    An option without a value holds an empty text. `verb` is None where only help is asked for.
    """

    verb: Verb | None
    options: Mapping[str, tuple[str, ...]]
    help_wanted: bool = False

    def has(self, name: str) -> bool:
        """Tell whether an option was given."""
        return name.lower() in self.options

    def text(self, name: str, *others: str) -> str:
        """Give the value of the first of these options that was given, or nothing."""
        for each in (name, *others):
            values = self.options.get(each.lower())
            if values:
                return values[0]
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Give every value of an option."""
        return self.options.get(name.lower(), ())

    def number(self, name: str) -> int | None:
        """Give an option's value as a number from 1 on; None where it was not given."""
        if not self.has(name):
            return None
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER and int(text)):
            refuse_value(name, text, "it takes a number from 1 on")
        return int(text)

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """Give an option's value, one of `choices` in any letter case."""
        if not self.has(name):
            return default
        found = self.text(name).lower()
        if found not in choices:
            refuse_value(name, self.text(name), f"it takes one of {', '.join(choices)}")
        return found


def short(text: str) -> str:
    """Give a text as it is quoted in a message: not longer than a line bears."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def refuse_value(name: str, text: str, why: str) -> NoReturn:
    """Raise the error for a value that its option does not take."""
    message = f"the value {short(text)!r} is not valid for the {name} option: {why}"
    raise UsageError(message, hint=_HELP_HINT, hresult=INVALID_PARAMETER)


def refuse_service(what: str, why: str) -> NoReturn:
    """Raise the error for what DISM knows and wimdock does not serve."""
    message = f"wimdock does not serve {what}: {why}"
    hint = "docs/reference/dism.md lists what is served; nothing was touched."
    raise UsageError(message, hint=hint, hresult=NOT_SUPPORTED)


def _refuse(message: str, code: int = INVALID_PARAMETER, hint: str = _HELP_HINT) -> NoReturn:
    raise UsageError(message, hint=hint, hresult=code)


def unquoted(text: str) -> str:
    """Give a text without the quotes around it, or around its end where only one was left."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text


def parse(tokens: Sequence[str]) -> CommandLine:
    """Read a command line; UsageError with DISM's code where it makes no sense.

    The verb is looked for first, so that what is not served is said to be so whatever its options.
    """
    read = [_split(token) for token in tokens]
    verbs = [VERBS[each.name] for each in read if each.name in VERBS]
    if any(each.name == "?" for each in read):
        return CommandLine(verbs[0] if verbs else None, {}, help_wanted=True)
    verb = _one_verb(verbs, read)
    found: dict[str, tuple[str, ...]] = {}
    for each in read:
        if each.name in VERBS:
            if each.value is not None:
                _refuse(f"the {short(each.typed)} option does not take a value")
            continue
        option = _option(verb, each)
        found[each.name] = (*found.get(each.name, ()), _value(option, each))
        if len(found[each.name]) > 1 and not option.repeatable:
            _refuse(f"the {short(each.typed)} option was given twice")
    _check_groups(verb, found)
    return CommandLine(verb, found)


def value_of(tokens: Sequence[str], name: str) -> str:
    """Give the value of an option, lower case, also where the rest makes no sense; or nothing."""
    for token in tokens:
        match = _TOKEN.fullmatch(unquoted(token))
        if match is not None and match[1].lower() == name and match[2]:
            return "" if "\0" in match[2] else unquoted(match[2])
    return ""


class _Token(NamedTuple):
    """One token: its lower-cased name, the name as typed, and its value, if any."""

    name: str
    typed: str
    value: str | None


def _split(token: str) -> _Token:
    match = _TOKEN.fullmatch(unquoted(token))
    if match is None:
        hint = "An option is written /Name:value, without a space behind the colon. " + _HELP_HINT
        _refuse(f"{short(token)!r} is neither a command nor an option of DISM", hint=hint)
    name, value = match.groups()
    return _Token(name.lower(), name, value)


def _one_verb(verbs: Sequence[Verb], read: Sequence[_Token]) -> Verb:
    if verbs and verbs[0].refused:
        refuse_service(f"/{verbs[0].name}", verbs[0].refused)
    for each in read:
        if each.name not in VERBS and each.name not in EVERY_OPTION:
            _refuse(f"the {short(each.typed)} option is unknown")
    if not verbs:
        message = "the command is missing: which of DISM's commands is to be carried out?"
        _refuse(message, INVALID_COMMAND_LINE)
    if len(verbs) > 1:
        _refuse(f"/{verbs[0].name} and /{verbs[1].name} cannot be used in one command line")
    return verbs[0]


def _option(verb: Verb, token: _Token) -> Option:
    nowhere = _NOWHERE.get(token.name)
    if nowhere is not None:
        refuse_service(f"/{nowhere.name}", nowhere.refused)
    option = verb.option(token.name) or _COMMON.get(token.name)
    if option is None:
        _refuse(f"/{verb.name} does not recognize the {short(token.typed)} option")
    if option.refused:
        refuse_service(f"/{option.name} of /{verb.name}", option.refused)
    return option


def _value(option: Option, token: _Token) -> str:
    if not option.takes_value:
        if token.value is not None:
            _refuse(f"the {short(token.typed)} option does not take a value")
        return ""
    if not token.value or not token.value.strip('" \t'):
        hint = f"Write /{option.name}:value, without a space behind the colon."
        _refuse(f"the {short(token.typed)} option is missing its value", hint=hint)
    if "\0" in token.value:
        refuse_value(option.name, token.value.replace("\0", "?"), "it holds a null character")
    return unquoted(token.value)


def _check_groups(verb: Verb, found: Mapping[str, object]) -> None:
    for group in verb.one_of:
        given = [name for name in group if name.lower() in found]
        if not given:
            names = " or ".join(f"/{name}" for name in group)
            _refuse(f"/{verb.name} is missing a required option: {names}")
        _refuse_two(given)
    for group in verb.at_most:
        _refuse_two([name for name in group if name.lower() in found])


def _refuse_two(given: Sequence[str]) -> None:
    if len(given) > 1:
        _refuse(f"/{given[0]} and /{given[1]} cannot be used together")
