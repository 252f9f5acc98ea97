"""docs/reference/settings.md, written from what the code says of each setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_type_hints

from wimdock.site.settings import (
    TABLE_WORDS,
    TABLES,
    Rule,
    Target,
    settings_of,
    variable_of,
)
from wimdock.site.settings_text import toml

_HEAD = """\
# Settings of a site

Every setting of a site stands in `wimdock.toml` in its folder, a [TOML](https://toml.io) file that
`wimdock site init` writes with each setting and its default as a comment. The environment outweighs
the file: the variable is made of `WIMDOCK`, the table and the name. A name that wimdock does not
know and a value that cannot be are refused, in the file and in the environment, all of them at once
and with their lines; so a slip never silently means the default.

The file is for its owner alone (mode 0600). A secret can also be read from a file of its own
(`password_file`, `secret_file`; line breaks around it do not count) or come from the environment. A
file that everybody can read and that holds a secret is warned of. In the environment lists are
separated by commas, and true and false may also be written yes and no, 1 and 0, on and off.

Settings are read when a command starts; `wimdock serve` and `wimdock worker` read them again when
they are restarted."""

_STORAGE = """\
Each name is a storage location, and its value the absolute path of a folder as this machine sees
it. An image package below such a folder is recorded relative to it, so that workers that see the
folder under another path find it. In the environment the name is written in capitals, `-` as `_`:
`{variable}` is the folder of `nas`, whether the file names it or not."""

_NOTIFICATION = """\
One `[[notification]]` for each target. In the environment the target's name comes before the
setting's, for targets that the file names: `{variable}` is the secret of `operators`."""


def settings_page(note: str) -> str:
    """Give the page, with a note that it is written from the code."""
    return "\n".join((note, "", _HEAD, *_tables())) + "\n"


def _tables() -> Iterator[str]:
    for name, words in TABLE_WORDS.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield words
        yield ""
        if name in TABLES:
            yield from _table(TABLES[name], name)
        elif name == "storage":
            yield _STORAGE.format(variable=variable_of("storage", "nas"))
        else:
            yield _NOTIFICATION.format(variable=variable_of("notification", "operators", "secret"))
            yield ""
            yield from _table(Target, name, "NAME")


def _table(kind: type[Any], *names: str) -> Iterator[str]:
    hints = get_type_hints(kind)
    yield "| setting | variable | default | meaning |"
    yield "|---|---|---|---|"
    for field, rule in settings_of(kind):
        variable = variable_of(*names, field.name)
        default = f"`{toml(field.default)}`"
        words = f"{rule.words}{_limits(rule, hints[field.name])}"
        yield f"| `{field.name}` | `{variable}` | {default} | {words} |"


def _limits(rule: Rule, kind: Any) -> str:
    if rule.choices:
        listed = ", ".join(f"`{each}`" for each in rule.choices)
        return f" One of {listed}." if kind is str else f" Of {listed}."
    if rule.least is not None and rule.most is not None:
        return f" {rule.least:g} to {rule.most:.0f}."
    if rule.folder:
        return " An absolute path."
    return " Secret." if rule.secret else ""
