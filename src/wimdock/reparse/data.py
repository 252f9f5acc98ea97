"""What reparse data say, as frozen values: one class per form, and `Opaque` for all the rest.

`text` is one line for people, `facts` every field by name for machines. Strings come from an image
and may hold anything, lone surrogates included: whoever shows them escapes them.
"""

from __future__ import annotations

from typing import NamedTuple

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
    if printed == substitute:
        return printed
    if not printed:
        return plain_target(substitute)
    plain = plain_target(substitute).removeprefix("UNC\\")
    if plain_target(printed).removeprefix("UNC\\").lstrip("\\") == plain.lstrip("\\"):
        return printed
    return f"{printed} (in truth {substitute})"


class SymbolicLink(NamedTuple):
    r"""A symbolic link: `substitute` is what Windows follows, `printed` what it shows."""

    substitute: str
    printed: str
    relative: bool

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "symlink"

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


class MountPoint(NamedTuple):
    r"""A junction, or the mounting point of a volume (`\??\Volume{…}\`)."""

    substitute: str
    printed: str

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "mount_point"

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


class AppExecLink(NamedTuple):
    """An alias of a Store application; `application_type` is "0" for a desktop one."""

    package: str
    entry_point: str
    executable: str
    application_type: str
    version: int = APPEXECLINK_VERSION

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "app_exec_link"

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


class LinuxSymlink(NamedTuple):
    """A symbolic link that WSL made; a byte that is no UTF-8 is a lone surrogate in `target`."""

    target: str
    version: int = LX_SYMLINK_VERSION

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "lx_symlink"

    @property
    def text(self) -> str:
        """The target for people."""
        return self.target

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"version": self.version, "target": self.target}


class ExternalBacking(NamedTuple):
    """A file whose content WOF keeps: compressed (`file`) or in a WIM file (`wim`).

    `algorithm` belongs to the first; `data_source` and `digest` (SHA-1) to the second.
    """

    provider: str
    algorithm: str = ""
    data_source: int = 0
    digest: bytes = b""

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "wof"

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


class ContainerLink(NamedTuple):
    """A file or folder of a container's layer: the layer's GUID and the name within it."""

    layer: str
    name: str
    version: int = 1

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "wci"

    @property
    def text(self) -> str:
        """The name in its layer for people."""
        return f"{self.name} in layer {self.layer}"

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"version": self.version, "layer": self.layer, "target": self.name}


class CloudFile(NamedTuple):
    """A cloud file's header: what follows, and how long it says it is when it is not packed."""

    content: str
    stated_size: int
    flags: int

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "cloud"

    @property
    def text(self) -> str:
        """The header for people."""
        return f"{self.content} data, {self.stated_size} bytes"

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"content": self.content, "stated_size": self.stated_size, "flags": self.flags}


class NfsFile(NamedTuple):
    """A special file that the NFS server keeps: its type, and target or device numbers."""

    type: str
    target: str = ""
    device: tuple[int, int] | None = None

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "nfs"

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


class ThirdParty(NamedTuple):
    """Data of a filter driver that is not Microsoft's: its GUID, and how many bytes follow."""

    guid: str
    size: int

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "third_party"

    @property
    def text(self) -> str:
        """The GUID for people."""
        return f"third party {self.guid}"

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"guid": self.guid, "size": self.size}


class Opaque(NamedTuple):
    """Data that are not decoded: none, of a form that is not known, or not as their tag asks."""

    size: int
    reason: str = ""
    """Why data with a known form could not be decoded; empty where the form is not known."""

    @property
    def kind(self) -> str:
        """The name of its form for machines."""
        return "opaque"

    @property
    def text(self) -> str:
        """The reason for people."""
        return f"not readable: {self.reason}" if self.reason else ""

    def facts(self) -> dict[str, Fact]:
        """Give every field by name."""
        return {"reason": self.reason} if self.reason else {}


Link = SymbolicLink | MountPoint | AppExecLink | LinuxSymlink | ContainerLink
"""What leads to another file or folder."""

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
