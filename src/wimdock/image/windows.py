"""The Windows in an image: what it is, its hives, its packages, its servicing stack.

Nothing here writes. Hives are read once and kept; they are for reading only.
"""

from __future__ import annotations

from functools import cached_property

from wimdock.delta import dictionary_of
from wimdock.errors import DeltaError, RegistryError
from wimdock.image.change_set import HiveName
from wimdock.image.description import Description, architecture_of, control_set_of, describe
from wimdock.image.packages import InstalledPackage, read_packages, release_type_in
from wimdock.paths import ImagePath
from wimdock.registry import Hive
from wimdock.upcase import fold
from wimdock.wim import Archive, Entry, Image, ImageRecord

WINSXS = ImagePath(r"\Windows\WinSxS")
SYSTEM32 = ImagePath(r"\Windows\System32")
SERVICING_PACKAGES = ImagePath(r"\Windows\servicing\Packages")

_SERVICING_STACK = "_MICROSOFT-WINDOWS-SERVICINGSTACK_"
_WCP = "wcp.dll"
_VERSION_AT = 3
_PARTS_OF_KEY_FORM = 6


class WindowsImage:
    """One image of an archive, seen as an installation of Windows."""

    def __init__(self, archive: Archive, index: int) -> None:
        """Take the image with this number; NoSuchImage where there is none."""
        self.archive = archive
        self.index = index
        self.files: Image = archive.image(index)
        self._hives: dict[HiveName, Hive | None] = {}
        self._ways: dict[ImagePath, str] = {}

    @cached_property
    def record(self) -> ImageRecord:
        """What the file's XML says of it."""
        return self.archive.xml.record(self.index)

    def lookup(self, path: ImagePath) -> Entry | None:
        """Give the entry at a path, without regard to case, or None."""
        return self.files.lookup(path)

    def read(self, path: ImagePath) -> bytes | None:
        """Give the unnamed data of the file at a path, or None where no file stands there."""
        entry = self.lookup(path)
        if entry is None or entry.is_directory:
            return None
        return self.files.read(entry)

    def obstacle(self, path: ImagePath, *, folder: bool = False) -> str:
        """Say what stands in the way of a file, or with `folder` a folder, at a path; "" for none.

        A reparse point always does: nothing goes through one, and none is replaced.
        """
        for depth in range(1, len(path.parts)):
            found = self._in_the_way(ImagePath(path.parts[:depth]))
            if found:
                return found
        if folder:
            return self._in_the_way(path)
        entry = self.lookup(path)
        if entry is not None and entry.is_reparse_point:
            return f"{path} is a reparse point"
        return "" if entry is None or not entry.is_directory else f"{path} is a folder"

    def _in_the_way(self, path: ImagePath) -> str:
        if path not in self._ways:
            entry = self.lookup(path)
            plain = entry is None or (entry.is_directory and not entry.is_reparse_point)
            kind = "a file" if entry is None or not entry.is_reparse_point else "a reparse point"
            self._ways[path] = "" if plain else f"{path} is {kind}"
        return self._ways[path]

    def hive(self, name: HiveName) -> Hive | None:
        """Give a hive, or None where the image has none; a RegistryError where it is broken."""
        if name not in self._hives:
            data = self.read(name.path)
            self._hives[name] = None if data is None else Hive.parse(data)
        return self._hives[name]

    @cached_property
    def description(self) -> Description:
        """What it is: from the XML, and from the hives where the XML does not say."""
        return describe(self.record, self.hive)

    @property
    def version(self) -> str:
        """Its version such as "10.0.19041.1"; nothing where neither XML nor hives tell."""
        return self.description.version

    @property
    def architecture(self) -> str:
        """Its architecture in the words of component servicing ("amd64"), or nothing."""
        return self.description.architecture

    @cached_property
    def control_set(self) -> str:
        """The name of the current control set, such as "ControlSet001"."""
        return control_set_of(self.hive(HiveName.SYSTEM))

    @cached_property
    def own_architecture(self) -> str:
        """The architecture that its own registry states, which nobody edits; else that of the XML.

        RegistryError where the registry states no control set that is there.
        """
        system = self.hive(HiveName.SYSTEM)
        if system is None:
            return self.architecture
        if system.open_key(self.control_set) is None:
            message = f"image {self.index}: its registry has no {self.control_set}, but names it"
            hint = "The hive SYSTEM is incomplete: capture the image anew."
            raise RegistryError(message, hint=hint)
        return architecture_of(system) or self.architecture

    @cached_property
    def _packages(self) -> tuple[InstalledPackage, ...]:
        software = self.hive(HiveName.SOFTWARE)
        return () if software is None else read_packages(software)

    def installed_packages(self) -> tuple[InstalledPackage, ...]:
        """Give the packages that its registry knows, in whatever state, sorted by ID."""
        return self._packages

    def release_types(self) -> dict[str, str]:
        """Give the release type of every package with a .mum in the image, by lower-cased ID."""
        folder = self.lookup(SERVICING_PACKAGES)
        if folder is None:
            return {}
        found = {}
        for entry in self.files.children(folder):
            name, dot, extension = entry.name.rpartition(".")
            if dot and extension.lower() == "mum" and not entry.is_directory:
                found[name.lower()] = release_type_in(self.files.read(entry))
        return found

    def manifest_dictionary(self) -> bytes | None:
        """Give the dictionary of its newest servicing stack, or None where no wcp.dll has one."""
        for path in [*self._servicing_stacks(), SYSTEM32 / _WCP]:
            program = self.read(path)
            if program is not None:
                try:
                    return dictionary_of(program)
                except DeltaError:
                    continue
        return None

    @property
    def servicing_stack(self) -> str:
        """The version of its newest servicing stack such as "10.0.19041.1"; "" for none."""
        stacks = self._servicing_stacks()
        return ".".join(map(str, _version_in(stacks[0].parent.name))) if stacks else ""

    def _servicing_stacks(self) -> list[ImagePath]:
        """Give the paths of the servicing stacks' wcp.dll, the newest version first."""
        store = self.lookup(WINSXS)
        if store is None:
            return []
        found = [
            (_version_in(entry.name), WINSXS / entry.name / _WCP)
            for entry in self.files.children(store)
            if entry.is_directory and _SERVICING_STACK in fold(entry.name)
        ]
        return [path for _, path in sorted(found, reverse=True)]


def _version_in(key_form: str) -> tuple[int, ...]:
    """Give the version in the name of a component's folder, as numbers; () where there is none."""
    parts = key_form.split("_")
    if len(parts) != _PARTS_OF_KEY_FORM:
        return ()
    numbers = parts[_VERSION_AT].split(".")
    if all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers):  # noqa: PLR2004
        return tuple(int(number) for number in numbers)
    return ()
