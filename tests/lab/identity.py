"""Identities of components and packages, computed from the published rules alone.

Kept apart from wimdock's own on purpose: the lab must not agree with wimdock by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TOKEN = "31bf3856ad364e35"  # noqa: S105 - of a public key
_P = 0x1FFFFFFF7
_MASK = (1 << 64) - 1
_NAME_LENGTH = 40
_DEPLOYMENT_NAME_LENGTH = 24
_FILE_NAME_LENGTH = 25


def hash64(text: str) -> int:
    """Give the 64-bit hash of a lower-cased string."""
    lanes = [0, 0, 0, 0]
    for index, character in enumerate(text.lower()):
        lane = index % 4
        lanes[lane] = (lanes[lane] * 0x1003F + ord(character)) & 0xFFFFFFFF
    factors = (0x1E5FFFFFD27, 0xFFFFFFDC00000051, 0x1FFFFFFF7, 1)
    return sum(lane * factor for lane, factor in zip(lanes, factors, strict=True)) & _MASK


def file_value(name: str) -> str:
    """Give the name of the value that stands for a file under a component in COMPONENTS."""
    if len(name) <= _FILE_NAME_LENGTH:
        return f"f!{name.lower()}"
    return f"f!{name.lower()[:_FILE_NAME_LENGTH]}_{hash64(name):016x}"


@dataclass(frozen=True, slots=True)
class LabIdentity:
    """An assembly identity; an empty `type` is absent."""

    name: str
    version: str = "10.0.19041.1"
    architecture: str = "amd64"
    language: str = "neutral"
    token: str = TOKEN
    type: str = ""
    scope: str = "NonSxS"

    def at(self, version: str) -> LabIdentity:
        """Give the same in another version."""
        return replace(self, version=version)

    @property
    def package_id(self) -> str:
        """Name~token~architecture~language~version."""
        language = "" if self.language == "neutral" else self.language
        return f"{self.name}~{self.token}~{self.architecture}~{language}~{self.version}"

    @property
    def package_family(self) -> str:
        """The package ID with version 0.0.0.0, under which the index lists it."""
        return self.at("0.0.0.0").package_id  # noqa: S104 - a version, not an address

    @property
    def key_form(self) -> str:
        """The name of the component's folder in the store."""
        return self._joined(self.version, self._key(with_version=True))

    @property
    def family(self) -> str:
        """The key form without version, under which its winner is recorded."""
        parts = (self.architecture, _shortened(self.name, _NAME_LENGTH), self.token, self._culture)
        return "_".join((*parts, f"{self._key(with_version=False):016x}")).lower()

    @property
    def deployment_key(self) -> str:
        """The name under CanonicalData\\Deployments."""  # noqa: D301
        name = _shortened(self.name, _DEPLOYMENT_NAME_LENGTH)
        return f"{name}_{self.token}_{self.version}_{self._key(with_version=True):016x}".lower()

    @property
    def text(self) -> str:
        """The identity as COMPONENTS holds it."""
        culture = "neutral" if self._culture == "none" else self.language
        kind = f"Type={self.type}, " if self.type else ""
        return (
            f"{self.name}, Culture={culture}, {kind}Version={self.version}, "
            f"PublicKeyToken={self.token}, ProcessorArchitecture={self.architecture}, "
            f"versionScope={self.scope}"
        )

    @property
    def _culture(self) -> str:
        return "none" if self.language in {"", "neutral", "none"} else self.language

    def _joined(self, version: str, key: int) -> str:
        name = _shortened(self.name, _NAME_LENGTH)
        parts = (self.architecture, name, self.token, version, self._culture, f"{key:016x}")
        return "_".join(parts).lower()

    def _key(self, *, with_version: bool) -> int:
        attributes = (
            ("name", self.name),
            ("culture", self._culture),
            ("type", self.type or "none"),
            ("version", self.version if with_version else "none"),
            ("publicKeyToken", self.token),
            ("processorArchitecture", self.architecture),
            ("versionScope", self.scope),
        )
        key = 0
        for name, value in attributes:
            if value != "none":
                key = (key * _P + hash64(name) * _P + hash64(value)) & _MASK
        return key


def _shortened(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    ends = (most - 2) // 2
    return f"{name[:ends]}..{name[-ends:]}"
