"""An image with change sets staged in memory: planned against like a real one, then written.

`StagedImage` answers the questions of planning as if its change sets were made already, so that the
plan of a second update sees what the first one leaves. Nothing is written before `write`, which
hands content and entries to a transaction of `wimdock.wim`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from wimdock.clock import Clock, to_filetime
from wimdock.errors import CorruptImage, RegistryError
from wimdock.image.change_set import (
    ATTRIBUTE_ARCHIVE,
    ChangeSet,
    CreateKey,
    Delete,
    DeleteKey,
    DeleteValue,
    FileEdit,
    HiveName,
    PutData,
    PutDirectory,
    PutFile,
    PutLinks,
    PutReparsePoint,
    PutStream,
    RegistryEdit,
    SetValue,
)
from wimdock.image.packages import InstalledPackage, read_packages
from wimdock.image.windows import WindowsImage
from wimdock.paths import ImagePath
from wimdock.registry import Hive
from wimdock.wim import Archive, Image
from wimdock.wim.appender import Content, ContentReference
from wimdock.wim.editor import FileFacts, MetadataEditor
from wimdock.wim.transaction import Transaction

_DIRECTORY = 0x10


@dataclass(slots=True)
class Written:
    """What one image must hold when the transaction is committed; `check` compares."""

    index: int
    files: dict[ImagePath, bytes | None] = field(default_factory=dict)
    reparse_points: dict[ImagePath, tuple[int, bytes | None]] = field(default_factory=dict)

    def check(self, archive: Archive) -> None:
        """Look into an archive that shows the new state; CorruptImage tells what differs."""
        image = archive.image(self.index)
        for path, sha1 in self.files.items():
            entry = image.lookup(path)
            if entry is None or entry.data_sha1 != sha1:
                message = f"image {self.index}: {path} is not what was to be written"
                raise CorruptImage(message, hint="The image is as it was before; report this.")
        found = reparse_points_of(image)
        if found != self.reparse_points:
            path = next(iter(found.items() ^ self.reparse_points.items()))[0]
            message = f"image {self.index}: the reparse point {path} would not stay as it was"
            raise CorruptImage(message, hint="The image is as it was before; report this.")


def reparse_points_of(image: Image) -> dict[ImagePath, tuple[int, bytes | None]]:
    """Give every reparse point of an image: its tag and the hash of its data."""
    return {path: (entry.reparse_tag, entry.reparse_sha1) for path, entry in image.reparse_points()}


class StagedImage:
    """A Windows image with edits that are made in memory only."""

    def __init__(self, windows: WindowsImage, clock: Clock) -> None:
        """Start with the image as it is."""
        self.windows = windows
        self.index = windows.index
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

    def obstacle(self, path: ImagePath, *, folder: bool = False) -> str:
        """Say what in the image as it is stands in the way of a file or folder; "" for nothing."""
        return self.windows.obstacle(path, folder=folder)

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

    def write(self, transaction: Transaction) -> Written:
        """Append content and metadata; give what the committed image must hold."""
        written = Written(self.index, reparse_points=reparse_points_of(self.windows.files))
        with transaction.edit(self.index) as editor:
            edits = self.file_edits()
            contents = transaction.add(_contents(edits))
            writer = _Writer(editor, contents, to_filetime(self._clock.now()), written)
            for edit in edits:
                writer.make(edit)
        return written

    def file_edits(self) -> list[FileEdit]:
        """Give the edits of files, those of edited hives last."""
        edits = [edit for change_set in self._staged for edit in change_set.files]
        return [*edits, *self._hive_files()]

    def _hive_files(self) -> Iterator[PutData]:
        for name in self._edited_hives:
            hive = self.hive(name)
            if hive is not None:
                yield PutData(name.path, hive.to_bytes())


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


def _contents(edits: Iterable[FileEdit]) -> Iterator[Content]:
    for edit in edits:
        match edit:
            case PutFile() | PutData() | PutStream():
                yield edit.source
            case PutReparsePoint():
                yield edit.data


class _Writer:
    """Makes the edits one by one, taking the reference of their content as it was appended."""

    def __init__(
        self,
        editor: MetadataEditor,
        contents: Iterator[ContentReference],
        now: int,
        written: Written,
    ) -> None:
        self._editor = editor
        self._contents = contents
        self._now = now
        self._written = written

    def _facts(
        self, attributes: int, security: bytes | None = None, modified: int | None = None
    ) -> FileFacts:
        security_id = -1 if security is None else self._editor.security_id(security)
        written = self._now if modified is None else modified
        return FileFacts(attributes, self._now, self._now, written, security_id)

    def _expect(self, path: ImagePath, sha1: bytes | None) -> None:
        self._written.files[path] = sha1
        self._written.reparse_points.pop(path, None)

    def _put_file(self, edit: PutFile) -> None:
        sha1 = next(self._contents).sha1
        modified = None if edit.modified is None else to_filetime(edit.modified)
        facts = self._facts(edit.attributes, edit.security, modified)
        old = self._editor.lookup(edit.path)
        if old is not None:
            facts = replace(facts, created=old.created)
        self._editor.put_file(edit.path, facts, sha1, edit.links)
        for path in (edit.path, *edit.links):
            self._expect(path, sha1)

    def make(self, edit: FileEdit) -> None:
        """Make one edit."""
        editor, folder = self._editor, self._facts(_DIRECTORY)
        match edit:
            case PutFile():
                self._put_file(edit)
            case PutData():
                sha1 = next(self._contents).sha1
                editor.put_data(edit.path, sha1, self._now)
                self._expect(edit.path, sha1)
            case PutLinks():
                editor.put_links(edit.path, edit.links, folder)
                entry = editor.lookup(edit.path)
                for path in edit.links:
                    self._expect(path, None if entry is None else entry.data_sha1)
            case PutDirectory():
                editor.make_folder(edit.path, self._facts(_DIRECTORY, edit.security))
            case PutReparsePoint():
                sha1 = next(self._contents).sha1
                attributes = _DIRECTORY if edit.directory else ATTRIBUTE_ARCHIVE
                facts = self._facts(attributes, edit.security)
                editor.put_reparse_point(edit.path, facts, edit.tag, sha1)
                self._written.files.pop(edit.path, None)
                self._written.reparse_points[edit.path] = (edit.tag, sha1)
            case PutStream():
                editor.put_stream(edit.path, edit.name, next(self._contents).sha1)
            case Delete():
                editor.remove(edit.path)
                _forget(self._written, edit.path)


def _forget(written: Written, path: ImagePath) -> None:
    """Nothing at or below a path that was taken away is expected any more."""
    for expected in (written.files, written.reparse_points):
        for below in [each for each in expected if each.is_below(path)]:
            del expected[below]


def content_size(edits: Iterable[FileEdit]) -> int:
    """Give how many bytes of content a row of edits brings, before compression."""
    return sum(
        content.stat().st_size if isinstance(content, Path) else len(content)
        for content in _contents(edits)
    )
