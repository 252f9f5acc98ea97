"""A small stand-in for an image: what planning asks, answered from dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from wimdock.image.change_set import (
    ChangeSet,
    CreateKey,
    DeleteKey,
    DeleteValue,
    HiveName,
    PutDirectory,
    PutFile,
    PutLinks,
    SetValue,
)
from wimdock.paths import ImagePath


@dataclass(frozen=True)
class FakeValue:
    """A registry value."""

    name: str
    type: int
    data: bytes


@dataclass
class FakeKey:
    """A registry key with its values and subkeys by folded name."""

    name: str = ""
    content: dict[str, FakeValue] = field(default_factory=dict)
    below: dict[str, FakeKey] = field(default_factory=dict)
    security: bytes | None = None

    def subkeys(self) -> Iterator[FakeKey]:
        return iter(self.below.values())

    def values(self) -> Iterator[FakeValue]:
        return iter(self.content.values())

    def value(self, name: str, /) -> FakeValue | None:
        return self.content.get(name.lower())

    def set(self, name: str, kind: int, data: bytes) -> None:
        self.content[name.lower()] = FakeValue(name, kind, data)


class FakeHive:
    """A hive that begins empty."""

    def __init__(self) -> None:
        """Begin empty."""
        self.root = FakeKey()

    def open_key(self, path: str, /) -> FakeKey | None:
        key: FakeKey | None = self.root
        for part in filter(None, path.split("\\")):
            key = key.below.get(part.lower()) if key else None
        return key

    def make(self, path: str) -> FakeKey:
        key = self.root
        for part in filter(None, path.split("\\")):
            key = key.below.setdefault(part.lower(), FakeKey(part))
        return key

    def delete(self, path: str) -> None:
        parent, _, name = path.rpartition("\\")
        key = self.open_key(parent)
        if key is not None:
            key.below.pop(name.lower(), None)


@dataclass(frozen=True)
class FakePackage:
    """A package that the image lists."""

    id: str
    state: int = 0x70


_PACKAGES = "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages"
CLIENT_FEATURES = "Microsoft-Windows-Client-Features-Package~31bf3856ad364e35~amd64~~10.0.19041.1"


class FakeImage:
    """An image of a 64-bit Windows 10 with the client features, and nothing else."""

    def __init__(self, architecture: str = "amd64") -> None:
        """Begin with one package."""
        self.architecture = architecture
        self.control_set = "ControlSet001"
        self.hives = {name: FakeHive() for name in HiveName}
        self.paths: set[ImagePath] = set()
        self.obstacles: dict[ImagePath, str] = {}
        self.register(CLIENT_FEATURES)

    def register(self, package_id: str, state: int = 0x70) -> None:
        key = self.hives[HiveName.SOFTWARE].make(f"{_PACKAGES}\\{package_id}")
        key.set("CurrentState", 4, state.to_bytes(4, "little"))

    def hive(self, name: HiveName, /) -> FakeHive | None:
        return self.hives[name]

    def lookup(self, path: ImagePath, /) -> object | None:
        return path if path in self.paths else None

    def obstacle(self, path: ImagePath, /, *, folder: bool = False) -> str:  # noqa: ARG002
        return self.obstacles.get(path, "")

    def installed_packages(self) -> list[FakePackage]:
        found = self.hives[HiveName.SOFTWARE].open_key(_PACKAGES)
        packages = []
        for key in found.subkeys() if found else ():
            state = key.value("CurrentState")
            packages.append(
                FakePackage(key.name, int.from_bytes(state.data, "little") if state else 0)
            )
        return packages

    def apply(self, change_set: ChangeSet) -> None:
        """Make the edits, as far as planning can see them."""
        for edit in change_set.files:
            match edit:
                case PutFile(path=path, links=links) | PutLinks(path=path, links=links):
                    self.paths.update((path, *links))
                case PutDirectory(path=path):
                    self.paths.add(path)
                case _:
                    raise AssertionError(edit)
        for change in change_set.registry:
            hive = self.hives[change.hive]
            match change:
                case SetValue(key=key, name=name, type=kind, data=data):
                    hive.make(key).set(name, kind, data)
                case CreateKey(key=key, security=security):
                    hive.make(key).security = security
                case DeleteValue(key=key, name=name):
                    hive.make(key).content.pop(name.lower(), None)
                case DeleteKey(key=key):
                    hive.delete(key)

    def data(self, hive: HiveName, key: str, name: str) -> bytes | None:
        """Give a value's data."""
        found = self.hives[hive].open_key(key)
        value = found.value(name) if found else None
        return value.data if value else None
