"""Edits written into an image through a transaction of `wimdock.wim`, and compared afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from wimdock.clock import Clock, to_filetime
from wimdock.errors import CorruptImage
from wimdock.events import Reporter
from wimdock.files import storage_error
from wimdock.image.change_set import (
    ATTRIBUTE_ARCHIVE,
    Delete,
    FileEdit,
    PutData,
    PutDirectory,
    PutFile,
    PutLinks,
    PutReparsePoint,
    PutStream,
)
from wimdock.paths import ImagePath
from wimdock.wim import Archive, Image
from wimdock.wim.appender import Content, ContentReference
from wimdock.wim.editor import FileFacts, MetadataEditor
from wimdock.wim.transaction import Transaction

_DIRECTORY = 0x10
_EDITS_AT_ONCE = 32  # between two reports of progress


@dataclass(slots=True)
class Written:
    """What one image must hold when the transaction is committed; `check` compares.

    `added` is by how many bytes the content of each row of edits made the file grow.
    """

    index: int
    added: list[int] = field(default_factory=list)
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


def reparse_points_of(image: Image | MetadataEditor) -> dict[ImagePath, tuple[int, bytes | None]]:
    """Give every reparse point of an image: its tag and the hash of its data."""
    return {path: (entry.reparse_tag, entry.reparse_sha1) for path, entry in image.reparse_points()}


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """All that is to change in one image: nothing is decided any more.

    `rows` are the file edits of each change set in turn, and those of the edited hives last.
    """

    index: int
    rows: tuple[tuple[FileEdit, ...], ...]
    clock: Clock

    @property
    def edits(self) -> tuple[FileEdit, ...]:
        """All edits, in the order in which they are made."""
        return tuple(edit for row in self.rows for edit in row)

    @property
    def size(self) -> int:
        """How many bytes of content the edits bring, before compression."""
        return content_size(self.edits)

    @property
    def names(self) -> int:
        """How many names of files and folders the edits mention."""
        linked = (edit.links for edit in self.edits if isinstance(edit, PutFile | PutLinks))
        return len(self.edits) + sum(map(len, linked))

    def write(self, transaction: Transaction, reporter: Reporter | None = None) -> Written:
        """Append content and metadata; give what the committed image must hold."""
        reporter = reporter or Reporter()
        # Compression goes on while the tree is walked.
        contents = transaction.add(_contents(self.edits))
        with transaction.edit(self.index) as editor:
            written = Written(self.index, reparse_points=reparse_points_of(editor))
            writer = _Writer(editor, contents, to_filetime(self.clock.now()), written)
            done, total = 0, len(self.edits)
            for row in self.rows:
                before = writer.stored
                for edit in row:
                    if not done % _EDITS_AT_ONCE:
                        reporter.progress(done, total, "files")
                    writer.make(edit)
                    done += 1
                written.added.append(writer.stored - before)
        return written


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
        self.stored = 0

    def _content(self) -> bytes | None:
        """Take the next content as it was appended; give its hash."""
        reference = next(self._contents)
        self.stored += reference.stored
        return reference.sha1

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
        sha1 = self._content()
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
                sha1 = self._content()
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
                sha1 = self._content()
                attributes = _DIRECTORY if edit.directory else ATTRIBUTE_ARCHIVE
                facts = self._facts(attributes, edit.security)
                editor.put_reparse_point(edit.path, facts, edit.tag, sha1)
                self._written.files.pop(edit.path, None)
                self._written.reparse_points[edit.path] = (edit.tag, sha1)
            case PutStream():
                editor.put_stream(edit.path, edit.name, self._content())
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
    return sum(_size(content) for content in _contents(edits))


def _size(content: Content) -> int:
    if isinstance(content, bytes):
        return len(content)
    try:
        return content.stat().st_size
    except OSError as error:
        raise storage_error(error, content) from error
