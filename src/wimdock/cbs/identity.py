"""Names of packages and components: the identity, and every key that servicing makes of it.

The formulas are those of docs/internals/packages.md; the vectors in tests/vectors hold real ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from wimdock.errors import MalformedPackage

_MASK_32 = (1 << 32) - 1
_MASK_64 = (1 << 64) - 1
_ACCUMULATORS = 4
_CHARACTER_FACTOR = 0x1003F
_PART_FACTORS = (0x1E5FFFFFD27, 0xFFFFFFDC00000051, 0x1FFFFFFF7, 1)
_KEY_FACTOR = 0x1FFFFFFF7

_KEY_FORM_NAME = 40
_DEPLOYMENT_NAME = 24
_FILE_NAME = 25
_REFERENCE = 60

_VERSION = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,10}){0,3}", re.ASCII)
_NUMBER_LIMIT = 1 << 32
_NAME_LIMIT = 1024
_FORBIDDEN = frozenset('\\/:*?"<>|') | {chr(code) for code in range(32)}
_ID_PARTS = 5
_NEUTRAL = ("", "neutral", "none")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """Four numbers, ordered as numbers: `10.0.19041.1`."""

    major: int = 0
    minor: int = 0
    build: int = 0
    revision: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read up to four numbers with dots between; raise MalformedPackage for anything else."""
        if not _VERSION.fullmatch(text):
            message = f"{text[:80]!r} is no version"
            raise MalformedPackage(message)
        numbers = [int(part) for part in text.split(".")]
        if max(numbers) >= _NUMBER_LIMIT:
            message = f"{text!r} is no version"
            raise MalformedPackage(message)
        return cls(*numbers)

    def __str__(self) -> str:
        """Give the four numbers with dots between."""
        return f"{self.major}.{self.minor}.{self.build}.{self.revision}"


@lru_cache(maxsize=8192)
def name_hash(text: str) -> int:
    """Hash a name into 64 bits, without regard to case."""
    parts = [0] * _ACCUMULATORS
    for index, char in enumerate(text.lower()):
        slot = index % _ACCUMULATORS
        parts[slot] = (parts[slot] * _CHARACTER_FACTOR + ord(char)) & _MASK_32
    total = sum(part * factor for part, factor in zip(parts, _PART_FACTORS, strict=True))
    return total & _MASK_64


def shorten(name: str, limit: int) -> str:
    """Keep a name of up to `limit` characters, else its two ends with `..` between."""
    if len(name) <= limit:
        return name
    tail = (limit - 2) // 2
    return f"{name[: limit - 2 - tail]}..{name[-tail:]}"


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one assembly (package, deployment, component) from every other.

    `arch` is processorArchitecture, `language` the culture ("neutral" where there is none), `token`
    the publicKeyToken. The spelling is kept as delivered; `same_as` and the keys ignore case.
    """

    name: str
    version: Version
    arch: str = ""
    language: str = "neutral"
    token: str = ""
    type: str = ""
    version_scope: str = ""

    @classmethod
    def parse_id(cls, package_id: str) -> Self:
        """Read a package ID, `Name~token~arch~language~version`; neutral language is empty."""
        parts = package_id.split("~")
        if len(parts) != _ID_PARTS or not _is_name(parts[0]):
            message = f"{package_id[:200]!r} is no package ID"
            raise MalformedPackage(message)
        name, token, arch, language, version = parts
        return cls(name, Version.parse(version), arch, language or "neutral", token)

    def check(self) -> Self:
        """Give itself when its parts can be used in file and key names, else MalformedPackage."""
        parts = (self.name, self.arch, self.language, self.token)
        if not self.name or not all(_is_name(part) for part in parts if part):
            message = f"{self.name[:200]!r} names no package or component"
            raise MalformedPackage(message)
        return self

    @property
    def is_neutral(self) -> bool:
        """Tell whether it has no language of its own."""
        return self.language.lower() in _NEUTRAL

    @property
    def package_id(self) -> str:
        """`Name~token~arch~language~version`, the name of the .mum and of its registry keys."""
        return f"{self.package_family}~{self.version}"

    @property
    def package_family(self) -> str:
        """The package ID without its version: what one package supersedes another within."""
        language = "" if self.is_neutral else self.language
        return f"{self.name}~{self.token}~{self.arch}~{language}"

    @property
    def pseudo_key(self) -> int:
        """The 64-bit key over all attributes that are present."""
        return self._key(versioned=True)

    @property
    def key_form(self) -> str:
        """The name of the component's folder in WinSxS and of its manifest, in lower case."""
        version = f"{self.version}_"
        return self._joined(shorten(self.name, _KEY_FORM_NAME), version, self._key(versioned=True))

    @property
    def any_language_start(self) -> str:
        """How the key forms of this name and version begin, whatever the language."""
        name = shorten(self.name, _KEY_FORM_NAME)
        return f"{self.arch}_{name}_{self.token}_{self.version}_".lower()

    @property
    def versionless_key(self) -> str:
        """The key of the component's family, under which winners are recorded."""
        return self._joined(shorten(self.name, _KEY_FORM_NAME), "", self._key(versioned=False))

    @property
    def deployment_key(self) -> str:
        """The name of a deployment below COMPONENTS, as used in `c!` values."""
        name = shorten(self.name, _DEPLOYMENT_NAME)
        return f"{name}_{self.token}_{self.version}_{self.pseudo_key:016x}".lower()

    @property
    def components_text(self) -> str:
        """The text of the `identity` value below COMPONENTS."""
        culture = "neutral" if self.is_neutral else self.language
        text = f"{self.name}, Culture={culture}"
        if self.type:
            text += f", Type={self.type}"
        text += (
            f", Version={self.version}, PublicKeyToken={self.token}"
            f", ProcessorArchitecture={self.arch}"
        )
        if self.version_scope:
            # Windows writes the scope in its own spelling whatever the manifest says.
            scope = "NonSxS" if self.version_scope.lower() == "nonsxs" else self.version_scope
            text += f", versionScope={scope}"
        return text

    def with_version(self, version: Version) -> Identity:
        """Give the same name in another version."""
        return replace(self, version=version)

    def same_as(self, other: Identity) -> bool:
        """Compare all parts without regard to case, neutral being neutral however spelled."""
        return self._folded() == other._folded()

    def _folded(self) -> tuple[object, ...]:
        language = "" if self.is_neutral else self.language.lower()
        texts = (self.name, self.arch, self.token, self.type, self.version_scope)
        return (self.version, language, *(text.lower() for text in texts))

    def _joined(self, name: str, version: str, key: int) -> str:
        culture = "none" if self.is_neutral else self.language
        return f"{self.arch}_{name}_{self.token}_{version}{culture}_{key:016x}".lower()

    def _key(self, *, versioned: bool) -> int:
        culture = "none" if self.is_neutral else self.language
        attributes = (
            ("name", self.name),
            ("culture", culture),
            ("type", self.type),
            ("version", str(self.version) if versioned else ""),
            ("publicKeyToken", self.token),
            ("processorArchitecture", self.arch),
            ("versionScope", self.version_scope),
        )
        key = 0
        for attribute, value in attributes:
            if value and value.lower() != "none":
                pair = name_hash(attribute) * _KEY_FACTOR + name_hash(value)
                key = (key * _KEY_FACTOR + pair) & _MASK_64
        return key

    def __str__(self) -> str:
        """Give the package ID."""
        return self.package_id


def file_value_name(file: str) -> str:
    """Give the name of the COMPONENTS value for a file of a component: `f!<file>`."""
    name = file.lower()
    if len(name) > _FILE_NAME:
        name = f"{name[:_FILE_NAME]}_{name_hash(file):016x}"
    return f"f!{name}"


def reference_value_name(package_id: str, update_name: str) -> str:
    """Give the COMPONENTS value name for the update that holds a deployment: `i!CBS_…`."""
    reference = f"{package_id}.{update_name}".lower()
    return f"i!CBS_{reference[:_REFERENCE]}_{name_hash(reference):016x}"


def _is_name(text: str) -> bool:
    fits = 0 < len(text) <= _NAME_LIMIT and text not in (".", "..")
    return fits and text.isascii() and _FORBIDDEN.isdisjoint(text)
