"""What reparse data say, as frozen values: one class per form, and `Opaque` for all the rest.

`text` is one line for people, `facts` every field by name for machines. Strings come from an image
and may hold anything, lone surrogates included: whoever shows them escapes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

Fact = str | int | bool

MAX_DATA = 16 * 1024 - 8
"""A reparse point holds 16 KiB at most, its header of 8 bytes included ([MS-FSCC] 2.1.2)."""

APPEXECLINK_VERSION = 3
LX_SYMLINK_VERSION = 2


def plain_target(name: str) -> str:
    r"""Give a target without the prefix that makes it absolute (`\??\`, `\\?\`, `\\.\`)."""
    for prefix in ("\\??\\", "\\\\?\\", "\\\\.\\"):
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def _shown(substitute: str, printed: str) -> str:
    if not printed:
        return plain_target(substitute)
    plain = plain_target(substitute).removeprefix("UNC\\")
    if plain_target(printed).removeprefix("UNC\\").lstrip("\\") == plain.lstrip("\\"):
        return printed
    return f"{printed} (in truth {substitute})"


@dataclass(frozen=True, slots=True)
class SymbolicLink:
    r"""A symbolic link: `substitute` is what Windows follows, `printed` what it shows."""

    kind: ClassVar[str] = "symlink"
    substitute: str
    printed: str
    relative: bool

    @property
    def text(self) -> str:
        """The target for people; both names where they lead to different places."""
        return _shown(self.substitute, self.printed)

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {
            "target": plain_target(self.substitute),
            "substitute_name": self.substitute,
            "print_name": self.printed,
            "relative": self.relative,
        }


@dataclass(frozen=True, slots=True)
class MountPoint:
    r"""A junction, or the mounting point of a volume (`\??\Volume{…}\`)."""

    kind: ClassVar[str] = "mount_point"
    substitute: str
    printed: str

    @property
    def is_volume(self) -> bool:
        """Tell whether it leads to a volume rather than to a folder."""
        return plain_target(self.substitute).upper().startswith("VOLUME{")

    @property
    def text(self) -> str:
        """The target for people; both names where they lead to different places."""
        return _shown(self.substitute, self.printed)

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {
            "target": plain_target(self.substitute),
            "substitute_name": self.substitute,
            "print_name": self.printed,
            "volume": self.is_volume,
        }


@dataclass(frozen=True, slots=True)
class AppExecLink:
    """An alias of a Store application; `application_type` is "0" for a desktop one."""

    kind: ClassVar[str] = "app_exec_link"
    package: str
    entry_point: str
    executable: str
    application_type: str
    version: int = APPEXECLINK_VERSION

    @property
    def text(self) -> str:
        """The executable for people, then what it belongs to."""
        belongs = f"package {self.package}, entry point {self.entry_point}"
        return f"{self.executable} ({belongs}, type {self.application_type})"

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {
            "version": self.version,
            "package": self.package,
            "entry_point": self.entry_point,
            "target": self.executable,
            "application_type": self.application_type,
        }


@dataclass(frozen=True, slots=True)
class LinuxSymlink:
    """A symbolic link that WSL made; a byte that is no UTF-8 is a lone surrogate in `target`."""

    kind: ClassVar[str] = "lx_symlink"
    target: str
    version: int = LX_SYMLINK_VERSION

    @property
    def text(self) -> str:
        """The target for people."""
        return self.target

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"version": self.version, "target": self.target}


@dataclass(frozen=True, slots=True)
class ExternalBacking:
    """A file whose content WOF keeps: compressed (`file`) or in a WIM file (`wim`).

    `algorithm` belongs to the first; `data_source` and `digest` (SHA-1) to the second.
    """

    kind: ClassVar[str] = "wof"
    provider: str
    algorithm: str = ""
    data_source: int = 0
    digest: bytes = b""

    @property
    def text(self) -> str:
        """The provider for people."""
        if self.provider == "file":
            return f"compressed with {self.algorithm}"
        return f"in WIM {self.data_source}, SHA-1 {self.digest.hex()}"

    def facts(self) -> dict[str, Fact]:
        """Give every field of its provider by name."""
        if self.provider == "file":
            return {"provider": "file", "algorithm": self.algorithm}
        return {"provider": "wim", "data_source": self.data_source, "sha1": self.digest.hex()}


@dataclass(frozen=True, slots=True)
class ContainerLink:
    """A file or folder of a container's layer: the layer's GUID and the name within it."""

    kind: ClassVar[str] = "wci"
    layer: str
    name: str
    version: int = 1

    @property
    def text(self) -> str:
        """The name in its layer for people."""
        return f"{self.name} in layer {self.layer}"

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"version": self.version, "layer": self.layer, "target": self.name}


@dataclass(frozen=True, slots=True)
class CloudFile:
    """A cloud file's header: what follows, and how long it says it is when it is not packed."""

    kind: ClassVar[str] = "cloud"
    content: str
    stated_size: int
    flags: int

    @property
    def text(self) -> str:
        """The header for people."""
        return f"{self.content} data, {self.stated_size} bytes"

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"content": self.content, "stated_size": self.stated_size, "flags": self.flags}


@dataclass(frozen=True, slots=True)
class NfsFile:
    """A special file that the NFS server keeps: its type, and target or device numbers."""

    kind: ClassVar[str] = "nfs"
    type: str
    target: str = ""
    device: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """The type with target or device for people."""
        if self.device is not None:
            return f"{self.type} {self.device[0]}:{self.device[1]}"
        return self.target or self.type

    def facts(self) -> dict[str, Fact]:
        """Give the fields of its type by name."""
        facts: dict[str, Fact] = {"type": self.type}
        if self.target:
            facts["target"] = self.target
        if self.device is not None:
            facts["device_major"], facts["device_minor"] = self.device
        return facts


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """Data of a filter driver that is not Microsoft's: its GUID, and how many bytes follow."""

    kind: ClassVar[str] = "third_party"
    guid: str
    size: int

    @property
    def text(self) -> str:
        """The GUID for people."""
        return f"third party {self.guid}"

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"guid": self.guid, "size": self.size}


@dataclass(frozen=True, slots=True)
class Opaque:
    """Data that are not decoded: none, of a form that is not known, or not as their tag asks."""

    kind: ClassVar[str] = "opaque"
    size: int
    reason: str = ""
    """Why data with a known form could not be decoded; empty where the form is not known."""

    @property
    def text(self) -> str:
        """The reason for people."""
        return f"not readable: {self.reason}" if self.reason else ""

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"reason": self.reason} if self.reason else {}


ReparseValue = (
    SymbolicLink
    | MountPoint
    | AppExecLink
    | LinuxSymlink
    | ExternalBacking
    | ContainerLink
    | CloudFile
    | NfsFile
    | ThirdParty
    | Opaque
)
