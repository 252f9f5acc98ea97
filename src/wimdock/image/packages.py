r"""The packages that an image's registry says are installed.

They stand in SOFTWARE under `Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages`,
one key for each, named by the package's ID `name~token~architecture~language~version`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from wimdock.clock import from_filetime
from wimdock.registry import Hive, Key

PACKAGES_KEY = r"Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages"

STATE_NAMES: dict[int, str] = {
    0x00: "absent",
    0x05: "uninstall pending",
    0x10: "resolving",
    0x20: "resolved",
    0x30: "staging",
    0x40: "staged",
    0x50: "superseded",
    0x60: "install pending",
    0x65: "partially installed",
    0x70: "installed",
    0x80: "permanent",
}
"""What the numbers of CurrentState mean, in the words of component servicing."""

_STATE_NUMBERS = {name: number for number, name in STATE_NAMES.items()}

INSTALLED = 0x70
PERMANENT = 0x80

_ID_PARTS = 5
_RELEASE_TYPE = re.compile(rb"""\breleaseType\s*=\s*["']([^"'<>&]{1,64})["']""")
_LONGEST_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """One package of an image's registry.

    `language` is "" for a neutral one; `visibility` 1 for one that people see, 2 for a child;
    `client` names the program that installed it.
    """

    id: str
    name: str
    token: str
    arch: str
    language: str
    version: str
    state: int
    installed_at: datetime | None
    visibility: int
    client: str

    @property
    def state_name(self) -> str:
        """The state in words; a number that is not known as it is."""
        return STATE_NAMES.get(self.state, f"state 0x{self.state:02X}")

    @property
    def is_installed(self) -> bool:
        """Tell whether it is there and in use."""
        return self.state in (INSTALLED, PERMANENT)

    @property
    def version_numbers(self) -> tuple[int, ...]:
        """The four numbers of its version, or nothing where they are none."""
        parts = self.version.split(".")
        if all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):  # noqa: PLR2004
            return tuple(int(part) for part in parts)
        return ()


def state_number(name: str) -> int:
    """Give CurrentState for a state in words, as `state_name` gives it; ValueError for others."""
    known = _STATE_NUMBERS.get(name)
    return int(name.removeprefix("state 0x"), 16) if known is None else known


def read_packages(software: Hive) -> tuple[InstalledPackage, ...]:
    """Give the packages of a SOFTWARE hive, sorted by ID."""
    key = software.open_key(PACKAGES_KEY)
    if key is None:
        return ()
    found = [_package(subkey) for subkey in key.subkeys()]
    return tuple(sorted(found, key=lambda package: package.id.lower()))


def _package(key: Key) -> InstalledPackage:
    parts = key.name.split("~")
    if len(parts) != _ID_PARTS:
        parts = [key.name, "", "", "", ""]
    name, token, arch, language, version = parts
    filetime = _number(key, "InstallTimeHigh") << 32 | _number(key, "InstallTimeLow")
    return InstalledPackage(
        id=key.name,
        name=name,
        token=token,
        arch=arch,
        language=language,
        version=version,
        state=_number(key, "CurrentState"),
        installed_at=from_filetime(filetime) if filetime else None,
        visibility=_number(key, "Visibility"),
        client=_text(key, "InstallClient"),
    )


def _number(key: Key, name: str) -> int:
    value = key.value(name)
    return 0 if value is None else value.number() & 0xFFFFFFFF


def _text(key: Key, name: str) -> str:
    value = key.value(name)
    return "" if value is None else value.text()


def release_type_in(manifest: bytes) -> str:
    """Give the release type that a package's .mum states ("Security Update"), or nothing."""
    head = manifest[:_LONGEST_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode("utf-8", "replace")
    found = _RELEASE_TYPE.search(head)
    return found.group(1).decode("utf-8", "replace") if found else ""
