"""Reading `wimdock.toml` and the environment: every problem is told at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from wimdock.errors import SettingsError
from wimdock.files import storage_error
from wimdock.site.database import parse_url
from wimdock.site.settings import (
    SETTINGS_NAME,
    TABLES,
    DatabaseSettings,
    Settings,
    Target,
    settings_of,
    variable_of,
)
from wimdock.site.settings_lines import Lines
from wimdock.site.settings_values import judge, judge_text
from wimdock.site.webhook_key import PREFIX, key_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FILE = "_file"
_WORLD = 0o004


def read_settings(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of the site in a folder.

    StorageError where the file cannot be read, SettingsError with every problem as a reason.
    """
    path = folder / SETTINGS_NAME
    reader = _Reader(path, os.environ if environment is None else environment, _text(path))
    settings = reader.settings()
    if not reader.problems:
        return settings
    if len(reader.problems) == 1:
        raise SettingsError(reader.problems[0])
    message = f"{path}: {len(reader.problems)} settings are not as they must be"
    raise SettingsError(message, reasons=tuple(reader.problems))


def database_settings(environment: Mapping[str, str] | None = None) -> DatabaseSettings:
    """Give what the environment alone says of the database, for a site whose folder is not known.

    SettingsError where that is wrong.
    """
    reader = _Reader(Path(SETTINGS_NAME), os.environ if environment is None else environment, "")
    found: DatabaseSettings = reader.table(DatabaseSettings, {}, "database")
    if reader.problems:
        raise SettingsError(reader.problems[0], reasons=tuple(reader.problems))
    return found


def parse_settings(path: Path) -> dict[str, Any]:
    """Give what the file says, as TOML only: no value of it was judged."""
    return parse_text(path, _text(path))


class _Reader:
    """Goes through one file and one environment, and keeps the problems in words."""

    def __init__(self, path: Path, environment: Mapping[str, str], text: str) -> None:
        self.problems: list[str] = []
        self._unwise: list[str] = []
        self._path = path
        self._lines = Lines(text)
        self._found = parse_text(path, text)
        self._given = {
            name: value
            for name, value in environment.items()
            if any(name.startswith(variable_of(each.name, "")) for each in fields(Settings))
        }

    def settings(self) -> Settings:
        known = {each.name for each in fields(Settings)} - {"warnings"}
        for name in self._found.keys() - known:
            self._problem("there is no such table of settings", name)
        tables: dict[str, Any] = {
            name: self.table(kind, self._dict(name), name) for name, kind in TABLES.items()
        }
        tables["storage"] = dict(self._storage())
        tables["notification"] = tuple(self._targets())
        for name in sorted(self._given):
            self.problems.append(f"{name}: the environment names no setting of wimdock")
        if not self.problems:
            self._judge_together(tables)
        return Settings(**tables, warnings=tuple(self._warnings()))

    def _problem(self, words: str, table: str, name: str = "", place: int = 0) -> None:
        line = self._lines.of(table, name, place)
        where = f"{self._path}, line {line}" if line else str(self._path)
        self.problems.append(f"{where}: [{table}]{' ' if name else ''}{name} {words}")

    def _dict(self, name: str) -> dict[str, Any]:
        found = self._found.get(name, {})
        if isinstance(found, dict):
            return found
        self._problem("must be a table", name)
        return {}

    def table(self, kind: type[Any], found: dict[str, Any], *names: str, place: int = 0) -> Any:
        """Make a table's object of the file's values and the environment's."""
        table = names[0]
        hints = get_type_hints(kind)
        values: dict[str, Any] = {}
        outweighed = set()
        for field, rule in settings_of(kind):
            given = self._given.pop(variable_of(*names, field.name), None)
            try:
                if given is not None:
                    values[field.name] = judge_text(given, hints[field.name], rule)
                    outweighed.add(field.name)
                elif field.name in found:
                    values[field.name] = judge(found[field.name], hints[field.name], rule)
            except ValueError as error:
                if given is not None:
                    self.problems.append(f"{variable_of(*names, field.name)} {error}")
                else:
                    self._problem(str(error), table, field.name, place)
        for name in found.keys() - hints.keys():
            self._problem("is no setting of wimdock", table, name, place)
        for field, rule in settings_of(kind):
            if rule.secret:
                self._fill_secret(values, outweighed, table, field.name, place)
        return kind(**values)

    def _fill_secret(
        self, values: dict[str, Any], outweighed: set[str], table: str, name: str, place: int
    ) -> None:
        """Take a secret from its file; what the environment says outweighs the settings' file."""
        source = values.get(name + _FILE, "")
        if not source or (name in outweighed and name + _FILE not in outweighed):
            return
        if values.get(name) and name + _FILE not in outweighed:
            self._problem(f"and {name}{_FILE} are both given", table, name, place)
            return
        try:
            values[name] = Path(source).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self._problem(f"cannot be read from {source}: {reason}", table, name + _FILE, place)
            return
        if not values[name]:
            self._problem(f"names {source}, which is empty", table, name + _FILE, place)

    def _storage(self) -> Iterator[tuple[str, Path]]:
        found = dict(self._dict("storage"))
        variables = {variable_of("storage", name): name for name in found}
        prefix = variable_of("storage", "")
        for variable in [name for name in self._given if name.startswith(prefix)]:
            name = variables.get(variable, variable.removeprefix(prefix).lower())
            found[name] = self._given.pop(variable)
        for name, folder in found.items():
            if not _NAME.fullmatch(name):
                self._problem("is no name for a storage location", "storage", name)
            elif not isinstance(folder, str) or not Path(folder).is_absolute():
                self._problem("must be an absolute path", "storage", name)
            else:
                yield name, Path(folder)

    def _targets(self) -> Iterator[Target]:
        found = self._found.get("notification", [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            self._problem("must be written as [[notification]]", "notification")
            return
        names: set[str] = set()
        for place, each in enumerate(found):
            name = each.get("name")
            if not isinstance(name, str) or not _NAME.fullmatch(name) or name.lower() in names:
                self._problem(
                    "must be a name of its own, of letters, digits, - and _",
                    "notification",
                    "name",
                    place,
                )
                continue
            names.add(name.lower())
            before = len(self.problems)
            target = self.table(Target, each, "notification", name, place=place)
            if len(self.problems) == before:
                self._judge_target(target, place)
                yield target

    def _judge_target(self, target: Target, place: int) -> None:
        """Judge what only makes sense together in one target."""
        if not target.kind:
            self._problem("must be one of webhook, mail", "notification", "kind", place)
        elif target.kind == "mail" and not target.to:
            self._problem("must name an address", "notification", "to", place)
        elif target.kind == "mail" and not _are_addresses(*target.to):
            self._problem("must hold mail addresses only", "notification", "to", place)
        elif target.kind == "webhook" and not re.match(r"https?://[^\s/]", target.url):
            self._problem("must begin with http:// or https://", "notification", "url", place)
        elif target.secret and key_of(target.secret) is None:
            words = f"must be base64 after {PREFIX}"
            self._problem(words, "notification", "secret", place)
        elif target.kind == "webhook" and not target.secret:
            words = f"notification {target.name} has no secret to be signed with, and is not sent"
            self._unwise.append(f"{self._path}: {words}")

    def _judge_together(self, tables: dict[str, Any]) -> None:
        """Judge what only makes sense together; each value is right by itself."""
        worker, mail, database = tables["worker"], tables["mail"], tables["database"]
        if worker.lease < 2 * worker.heartbeat:
            self._problem("must be at least twice the heartbeat", "worker", "lease")
        if any(target.kind == "mail" for target in tables["notification"]):
            for name in ("host", "sender"):
                if not getattr(mail, name):
                    self._problem("is needed: a notification goes by mail", "mail", name)
            if mail.sender and not _are_addresses(mail.sender):
                self._problem("must be a mail address", "mail", "sender")
        if mail.user and mail.security == "none":
            words = "must be starttls or tls: a password goes over it"
            self._problem(words, "mail", "security")
        if database.url:
            try:
                parse_url(database.url)
            except SettingsError as error:
                self._problem(f"is not right: {error.message}", "database", "url")

    def _warnings(self) -> Iterator[str]:
        """Give what is right, but not wise."""
        yield from self._unwise
        if not self._path.stat().st_mode & _WORLD:
            return
        targets = self._found.get("notification", [])
        tables = [(self._found.get(name, {}), kind) for name, kind in TABLES.items()]
        tables += [(each, Target) for each in targets] if isinstance(targets, list) else []
        secrets = any(
            found.get(field.name)
            for found, kind in tables
            if isinstance(found, dict)
            for field, rule in settings_of(kind)
            if rule.secret
        )
        url = self._found.get("database", {})
        if secrets or _has_password(url.get("url") if isinstance(url, dict) else None):
            yield f"{self._path} holds secrets and everybody can read it: chmod 600 {self._path}"


def _are_addresses(*texts: str) -> bool:
    from wimdock.site.mail_address import address_of  # few sites need what it imports

    return all(address_of(text) is not None for text in texts)


def _has_password(url: object) -> bool:
    try:
        return isinstance(url, str) and bool(url) and parse_url(url).password is not None
    except SettingsError:
        return False


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise storage_error(error, path) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = f"{path}, line {line}: not UTF-8"
        raise SettingsError(message, hint="Save the file as UTF-8.") from error


def parse_text(path: Path, text: str) -> dict[str, Any]:
    """Give what a text says as TOML; SettingsError, naming `path`, where it is none."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"{path}: this is no TOML: {error}"
        raise SettingsError(message, hint="Mend the file: https://toml.io shows the syntax.") from (
            error
        )
