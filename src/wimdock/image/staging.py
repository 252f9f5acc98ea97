"""An image with change sets staged in memory: planned against like a real one, then written.

`StagedImage` answers the questions of planning as if its change sets were made already, so that the
plan of a second update sees what the first one leaves. `prepare` gives all edits together, for a
transaction to write.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wimdock.clock import Clock
from wimdock.errors import RegistryError
from wimdock.files import storage_error
from wimdock.image.change_set import (
    ChangeSet,
    CreateKey,
    Delete,
    DeleteKey,
    DeleteValue,
    FileEdit,
    HiveName,
    PutData,
    PutFile,
    PutLinks,
    RegistryEdit,
    SetValue,
)
from wimdock.image.packages import InstalledPackage, read_packages
from wimdock.image.windows import WindowsImage
from wimdock.image.writing import PreparedImage, Written
from wimdock.paths import ImagePath
from wimdock.registry import Hive
from wimdock.wim.transaction import Transaction


class StagedImage:
    """A Windows image with edits that are made in memory only."""

    def __init__(self, windows: WindowsImage, clock: Clock) -> None:
        """Start with the image as it is."""
        self.windows = windows
        self.index = windows.index
        self.obstacle = windows.obstacle
        self._clock = clock
        self._hives: dict[HiveName, Hive | None] = {}
        self._edited_hives: dict[HiveName, None] = {}
        self._staged: list[ChangeSet] = []
        self._standing: set[ImagePath] = set()
        self._gone: set[ImagePath] = set()

    # What planning asks

    @property
    def architecture(self) -> str:
        """The architecture in the words of component servicing, as the registry states it."""
        return self.windows.own_architecture

    @property
    def version(self) -> str:
        """The version of Windows."""
        return self.windows.version

    @property
    def control_set(self) -> str:
        """The name of the current control set."""
        return self.windows.control_set

    def hive(self, name: HiveName) -> Hive | None:
        """Give a hive with the staged edits, or None where the image has none."""
        if name not in self._hives:
            data = self.windows.read(name.path)
            self._hives[name] = None if data is None else Hive.parse(data, clock=self._clock)
        return self._hives[name]

    def lookup(self, path: ImagePath) -> object | None:
        """Give something where a file or folder stands at a path, else None."""
        if path in self._standing:
            return path
        if any(path.is_below(gone) for gone in self._gone):
            return None
        return self.windows.lookup(path)

    def installed_packages(self) -> tuple[InstalledPackage, ...]:
        """Give the packages that the registry knows after the staged edits."""
        software = self.hive(HiveName.SOFTWARE)
        return () if software is None else read_packages(software)

    # Staging

    def stage(self, change_set: ChangeSet) -> None:
        """Make the edits of a change set, in memory: all of them, or none where one fails.

        RegistryError where a hive is missing or does not take an edit.
        """
        try:
            self._edit_hives(change_set)
        except BaseException:
            self._hives.clear()
            self._edited_hives.clear()
            for staged in self._staged:
                self._edit_hives(staged)
            raise
        self._staged.append(change_set)
        self._place(change_set.files)

    def _edit_hives(self, change_set: ChangeSet) -> None:
        for edit in change_set.registry:
            hive = self.hive(edit.hive)
            if hive is None:
                message = f"image {self.index} has no {edit.hive.path}"
                raise RegistryError(message, hint="Only a whole Windows image can be serviced.")
            _edit_registry(hive, edit)
            self._edited_hives[edit.hive] = None

    def _place(self, edits: Iterable[FileEdit]) -> None:
        for edit in edits:
            if isinstance(edit, Delete):
                self._gone.add(edit.path)
                self._standing = {p for p in self._standing if not p.is_below(edit.path)}
                continue
            links = edit.links if isinstance(edit, PutFile | PutLinks) else ()
            for path in (edit.path, *links):
                here = path
                while here.parts and here not in self._standing:
                    self._standing.add(here)
                    here = here.parent

    @property
    def changed(self) -> bool:
        """Tell whether anything is staged."""
        return any(self._staged)

    # Writing

    def prepare(self, folder: Path | None = None) -> PreparedImage:
        """Give all edits, ready to be written, those of edited hives last.

        With a folder the hives are written into it, so that they need not be kept in memory: real
        ones have a hundred megabytes and more. StorageError where it does not take them.
        """
        hives: list[FileEdit] = []
        for name in self._edited_hives:
            hive = self.hive(name)
            if hive is not None:
                source = _kept(hive, None if folder is None else folder / name.value)
                hives.append(PutData(name.path, source))
        rows = (*(change_set.files for change_set in self._staged), tuple(hives))
        return PreparedImage(self.index, rows, self._clock)

    def write(self, transaction: Transaction) -> Written:
        """Append content and metadata; give what the committed image must hold."""
        return self.prepare().write(transaction)


def _kept(hive: Hive, path: Path | None) -> Path | bytes:
    if path is None:
        return hive.to_bytes()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hive.to_bytes())
    except OSError as error:
        raise storage_error(error, path) from error
    return path


def _edit_registry(hive: Hive, edit: RegistryEdit) -> None:
    match edit:
        case CreateKey():
            hive.create_key(edit.key, edit.security)
        case SetValue():
            hive.create_key(edit.key).set_value(edit.name, edit.type, edit.data)
        case DeleteValue():
            key = hive.open_key(edit.key)
            if key is not None:
                key.delete_value(edit.name)
        case DeleteKey():
            hive.delete_key(edit.key)
