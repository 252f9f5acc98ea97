"""One image's tree judged entry by entry: names, security, streams, hard links, content.

Nothing is raised for what an entry says: every fault goes to the collector and the audit goes on.
Only lists that cannot be walked end it. Plain entries are judged from a few fields of the buffer;
an Entry is made only for those with streams.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from wimdock.upcase import fold
from wimdock.wim import layout
from wimdock.wim.dentry import Entry, Stream
from wimdock.wim.findings import Collector
from wimdock.wim.metadata import Folder, FolderList, Metadata

# Windows takes at most 16 KiB of reparse data with its 8-byte header, which a WIM file leaves out.
_ZERO = layout.ZERO_HASH
_NO_GROUP = bytes(8)
_DIRECTORY = layout.ATTRIBUTE_DIRECTORY
_REPARSE = layout.ATTRIBUTE_REPARSE_POINT
_HOSTILE = frozenset("\0/\\")

# What all names of one file must agree in: attributes, unnamed data, named streams.
_Content = tuple[int, bytes | None, tuple[Stream, ...]]


class ImageAudit:
    """The audit of one image against the contents of its file.

    `sizes` gives the size of every content by SHA-1, `damaged` those with a wrong hash.
    """

    def __init__(
        self,
        metadata: Metadata,
        sizes: Mapping[bytes, int],
        damaged: Container[bytes],
        findings: Collector,
    ) -> None:
        """Prepare; `run` does it."""
        self._metadata = metadata
        self._sizes = sizes
        self._damaged = damaged
        self._findings = findings
        self._groups: dict[int, _Content] = {}
        self._folder: Folder | None = None

    def run(self) -> None:
        """Judge every entry; MalformedImage where the lists of the folders cannot be walked."""
        self._entry(self._metadata.root_offset)
        for outline in self._metadata.folder_lists():
            self._folder = outline.folder
            for position in outline.entries:
                self._entry(position)
            self._names(outline)

    def _path(self, name: str) -> str:
        """Give the path of an entry as text, also where its names are hostile."""
        parts = [name]
        here = self._folder
        while here is not None and here.parent is not None:
            parts.append(self._metadata.entry(here.entry).name)
            here = here.parent
        return "\\" + "\\".join(reversed(parts))

    def _report(self, code: str, position: int, text: str = "") -> None:
        self._findings.add(code, lambda: self._path(self._metadata.entry(position).name), text)

    def _names(self, outline: FolderList) -> None:
        exact: set[str] = set()
        folded: set[str] = set()
        for position in outline.entries:
            name = self._metadata.name_at(position)
            if name in ("", ".", "..") or not _HOSTILE.isdisjoint(name):
                text = f"{name!r} would lead out of its folder, or is no name"
                self._report("hostile-name", position, text)
            key = fold(name)
            if name in exact:
                self._report("duplicate-name", position)
            elif key in folded:
                self._report("name-differs-by-case", position)
            exact.add(name)
            folded.add(key)

    def _entry(self, position: int) -> None:
        fields = layout.DENTRY.unpack_from(self._metadata.buffer, position)
        length, attributes, security_id, children, _, _, _, _, sha1, _, link = fields[:11]
        streams, short, name = fields[11:]
        names = (name + 2 if name else 0) + (short + 2 if short else 0)
        if (short | name) & 1 or layout.DENTRY_SIZE + names > length:
            self._metadata.entry(position)  # says why this cannot be
        if security_id != -1 and not 0 <= security_id < len(self._metadata.descriptors):
            count = len(self._metadata.descriptors)
            text = f"security descriptor {security_id} is not there: the image has {count}"
            self._report("security-id", position, text)
        if children and not attributes & _DIRECTORY:
            self._report("file-with-children", position)
        if streams:
            entry = self._metadata.entry(position)
            self._streams(entry)
            content = (attributes, entry.data_sha1, tuple(sorted(entry.named_streams, key=_name)))
        else:
            if sha1 != _ZERO:
                self._content(position, sha1)
                if attributes & _DIRECTORY and not attributes & _REPARSE:
                    self._report("folder-with-data", position)
            content = (attributes, None if sha1 == _ZERO else sha1, ())
        if attributes & _REPARSE:
            self._reparse_point(position)
        elif link != _NO_GROUP and not attributes & _DIRECTORY:
            self._hard_link(position, int.from_bytes(link, "little"), content)

    def _content(self, position: int, sha1: bytes) -> None:
        if sha1 not in self._sizes:
            text = f"the file has no content with SHA-1 {sha1.hex()}"
            self._report("missing-content", position, text)
        elif sha1 in self._damaged:
            text = f"its content, SHA-1 {sha1.hex()}, is damaged"
            self._report("damaged-content", position, text)

    def _streams(self, entry: Entry) -> None:
        for sha1 in entry.hashes:
            self._content(entry.position, sha1)
        named = [stream.name for stream in entry.named_streams]
        if len({fold(name) for name in named}) != len(named):
            self._report("duplicate-stream", entry.position)
        for name in named:
            if not _HOSTILE.isdisjoint(name):
                self._report("hostile-name", entry.position, f"{name!r} is no name of a stream")
        if entry.is_directory:
            self._folder_streams(entry)

    def _folder_streams(self, entry: Entry) -> None:
        unnamed = [stream for stream in entry.streams if not stream.name]
        most = 0
        if entry.is_reparse_point:
            most = 1
            if unnamed and entry.hash == _ZERO and not entry.named_streams:
                text = (
                    "the reparse data of a folder stands in a stream entry, as wimlib before "
                    "1.14.2 wrote it: Windows 8 setup refuses such an image"
                )
                self._report("reparse-in-stream-entry", entry.position, text)
                most = len(unnamed)
        if entry.data_sha1 is not None:
            self._report("folder-with-data", entry.position)
        elif len(unnamed) > most:
            text = (
                "a folder has an entry for an unnamed stream that is empty, as wimlib before "
                "1.14.2 wrote it: newer versions of DISM refuse such an image"
            )
            self._report("folder-with-empty-stream", entry.position, text)

    def _reparse_point(self, position: int) -> None:
        entry = self._metadata.entry(position)
        if not entry.reparse_tag:
            self._report("reparse-without-tag", position)
        size = self._sizes.get(entry.reparse_sha1, 0) if entry.reparse_sha1 else 0
        if size > layout.LARGEST_REPARSE_DATA:
            text = f"{size} bytes of reparse data; Windows takes {layout.LARGEST_REPARSE_DATA}"
            self._report("reparse-data-too-long", position, text)

    def _hard_link(self, position: int, group: int, content: _Content) -> None:
        first = self._groups.setdefault(group, content)
        if first != content:
            text = f"another name of the same file (hard-link group {group}) says otherwise"
            self._report("hard-links-differ", position, text)


def _name(stream: Stream) -> str:
    return stream.name
