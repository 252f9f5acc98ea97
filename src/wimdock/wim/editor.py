"""Editing the metadata of one image: what is not touched is copied byte for byte.

Only the folders on the way to an edit are read into objects (`open_folder`). What changes is
counted (`tally`), so that reference counts and the figures in the XML follow exactly. `build`
writes the whole tree anew (`tree_writer`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from wimdock.errors import NoSuchImage, UsageError
from wimdock.paths import ImagePath
from wimdock.upcase import fold
from wimdock.wim import layout
from wimdock.wim.dentry import Entry, Stream, arrange_streams
from wimdock.wim.metadata import DEEPEST, FolderList, Metadata, check_names
from wimdock.wim.open_folder import Item, OpenFolder
from wimdock.wim.tally import Tally
from wimdock.wim.tree_writer import write_tree
from wimdock.wim.xml import ImageCounts

LONGEST_NAME = 255  # of a file or stream on NTFS, in UTF-16 code units


def _units(name: str) -> int:
    return len(name.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a new entry is made of besides its name: attributes, times (FILETIMEs), security."""

    attributes: int
    created: int
    accessed: int
    written: int
    security_id: int = -1


@dataclass(frozen=True, slots=True)
class EditedMetadata:
    """The result: the new resource, and by how much counts and references change."""

    data: bytearray
    references: Counter[bytes]
    counts: ImageCounts


class MetadataEditor:
    """Edits one image's metadata in memory."""

    def __init__(self, metadata: Metadata, size_of: Callable[[bytes], int]) -> None:
        """Walk the tree once. `size_of` gives the size of the content with a hash, in bytes."""
        self._old = metadata
        self._size_of = size_of
        self._descriptors = list(metadata.descriptors)
        self._security_ids = {
            descriptor: number
            for number, descriptor in reversed(list(enumerate(self._descriptors)))
        }
        self._lists: dict[int, FolderList] = {}
        links = self._scan()
        self._next_group = max(links, default=0) + 1
        self._tally = Tally(links, size_of)
        self._root = Item(metadata.root)
        self._folders: dict[tuple[str, ...], Item] = {}  # found before, by path as spelt

    def _scan(self) -> Counter[int]:
        """Note the outline of every list, and count the names in each hard-link group."""
        groups: Counter[int] = Counter()
        self._old.keep_lists()
        for outline in self._old.folder_lists():
            self._lists[outline.folder.children] = outline
            groups.update(outline.groups)
        return groups

    def reparse_points(self) -> Iterator[tuple[ImagePath, Entry]]:
        """Give the reparse points as they were before any edit."""
        return self._old.reparse_points()

    # Finding

    def _open(self, item: Item) -> OpenFolder:
        if item.folder is None:
            entries = []
            if item.entry.children:
                outline = self._lists[item.entry.children]
                entries = [self._old.entry(position) for position in outline.entries]
                check_names(entries)
            item.folder = OpenFolder(entries)
        return item.folder

    def _find(self, path: ImagePath) -> Item | None:
        if not path.parts:
            return self._root
        folder = self._find_folder(path.parts[:-1])
        return None if folder is None else self._open(folder).find(path.name)

    def _find_folder(self, parts: tuple[str, ...]) -> Item | None:
        depth = len(parts)
        while depth and parts[:depth] not in self._folders:
            depth -= 1
        here = self._folders[parts[:depth]] if depth else self._root
        for end in range(depth + 1, len(parts) + 1):
            found = self._open(here).find(parts[end - 1])
            if found is None or not found.entry.is_directory:
                return None
            # By its spelling: two folders whose names differ by case only are two folders.
            here = self._folders[parts[:end]] = found
        return here

    def _existing(self, path: ImagePath) -> Item:
        item = self._find(path)
        if item is None:
            message = f"the image has no {path}"
            raise NoSuchImage(message, hint="`wimdock inspect IMAGE --tree` shows what is there.")
        return item

    def lookup(self, path: ImagePath) -> Entry | None:
        """Give the entry at a path as it is after the edits so far, or None."""
        item = self._find(path)
        return None if item is None else item.entry

    def names(self, path: ImagePath) -> list[str]:
        """Give the names in a folder as they are after the edits so far."""
        return [item.entry.name for item in self._open(self._existing(path)).items]

    # Security

    def security_id(self, descriptor: bytes) -> int:
        """Give the number of a security descriptor, adding it where it is new."""
        number = self._security_ids.get(descriptor)
        if number is None:
            number = self._security_ids[descriptor] = len(self._descriptors)
            self._descriptors.append(descriptor)
        return number

    # Editing

    def make_folder(self, path: ImagePath, facts: FileFacts) -> None:
        """Make sure that a folder exists, with its parents; an existing one stays as it is."""
        item = self._find(path)
        if item is not None:
            if not item.entry.is_directory or item.entry.is_reparse_point:
                message = f"{path} is in the image already and is no folder"
                raise UsageError(message, hint="Take it away first.")
            return
        facts = replace(facts, attributes=facts.attributes | layout.ATTRIBUTE_DIRECTORY)
        self._add(path, self._new_entry(path, facts, None, None, ()), facts)

    def put_file(
        self,
        path: ImagePath,
        facts: FileFacts,
        sha1: bytes | None,
        links: tuple[ImagePath, ...] = (),
    ) -> None:
        """Make `path` and `links` names of one new file; `sha1` None for an empty one.

        Whatever file stood at one of them loses that name. A name that stays keeps its spelling and
        its short name; `facts.security_id` -1 keeps the replaced file's, or takes its folder's.
        """
        entry = self._new_entry(path, facts, sha1, None, ())
        if facts.security_id < 0:
            entry = entry._replace(security_id=self._inherited(path))
        if links:
            entry = entry._replace(link=layout.DENTRY_LINK.pack(self._new_group()))
        for name in dict.fromkeys((path, *links)):
            self._replace(name, entry, facts)

    def put_links(self, path: ImagePath, links: tuple[ImagePath, ...], facts: FileFacts) -> None:
        """Make `links` further names of the file at `path`; `facts` are for missing folders."""
        item = self._existing(path)
        if item.entry.is_directory or item.entry.is_reparse_point:
            message = f"{path} is no plain file: it cannot have further names"
            raise UsageError(message, hint="Name a file.")
        if not item.entry.hard_link_group:
            group = self._new_group()
            self._tally.count(item.entry, -1)
            item.entry = item.entry._replace(link=layout.DENTRY_LINK.pack(group))
            item.changed = True
            self._tally.count(item.entry, 1)
        for name in dict.fromkeys(links):
            if name != path:
                self._replace(name, item.entry, facts)

    def put_reparse_point(
        self, path: ImagePath, facts: FileFacts, tag: int, sha1: bytes | None, flags: int = 0
    ) -> None:
        """Make `path` a reparse point with this tag; `sha1` is that of its data without header."""
        if sha1 is not None and self._size_of(sha1) > layout.LARGEST_REPARSE_DATA:
            message = (
                f"the reparse data for {path} is longer than {layout.LARGEST_REPARSE_DATA} bytes"
            )
            raise UsageError(message, hint="Windows takes no longer data.")
        attributes = facts.attributes | layout.ATTRIBUTE_REPARSE_POINT
        facts = replace(facts, attributes=attributes)
        entry = self._new_entry(path, facts, None, sha1, ())
        entry = entry._replace(link=layout.REPARSE.pack(tag, 0, flags))
        if facts.security_id < 0:
            entry = entry._replace(security_id=self._inherited(path))
        self._replace(path, entry, facts)

    def put_stream(self, path: ImagePath, name: str, sha1: bytes | None) -> None:
        """Give an existing entry, by all its names, a named stream; None makes it empty."""
        if not name or any(char in name for char in "\0:/\\") or _units(name) > LONGEST_NAME:
            message = f"{name[:80]!r} is no name for a stream"
            raise UsageError(message, hint="Name it shortly, without colon and slash.")

        def with_stream(entry: Entry) -> Entry:
            others = [s for s in entry.named_streams if fold(s.name) != fold(name)]
            main, streams = arrange_streams(
                attributes=entry.attributes,
                data=entry.data_sha1,
                reparse=entry.reparse_sha1,
                named=(*others, Stream(name, sha1 or layout.ZERO_HASH)),
            )
            return entry._replace(hash=main, streams=streams)

        self._change(self._existing(path), with_stream)

    def put_data(self, path: ImagePath, sha1: bytes | None, written: int) -> None:
        """Give a file, by all its names, other data, written at a FILETIME; the rest stays."""
        item = self._existing(path)
        if item.entry.is_directory or item.entry.is_reparse_point:
            message = f"{path} is no plain file: its data cannot be changed"
            raise UsageError(message, hint="Name a file.")

        def with_data(entry: Entry) -> Entry:
            main, streams = arrange_streams(
                attributes=entry.attributes, data=sha1, reparse=None, named=entry.named_streams
            )
            return entry._replace(hash=main, streams=streams, accessed=written, written=written)

        self._change(item, with_data)

    def remove(self, path: ImagePath) -> None:
        """Take a name away, a folder with all that is below it."""
        if not path.parts:
            message = "the root of an image cannot be taken away"
            raise UsageError(message)
        item = self._existing(path)
        parent = self._existing(path.parent)
        for each in self._subtree(item):
            self._tally.count(each, -1)
        self._open(parent).remove(item)
        self._folders.clear()

    # How the edits are made

    def _new_group(self) -> int:
        self._next_group += 1
        return self._next_group - 1

    def _inherited(self, path: ImagePath) -> int:
        """Give the security ID for a new entry: that of what it replaces, else of its folder."""
        here = self._root
        for name in path.parts:
            found = self._open(here).find(name) if here.entry.is_directory else None
            if found is None:
                break
            here = found
        return here.entry.security_id

    def _new_entry(
        self,
        path: ImagePath,
        facts: FileFacts,
        data: bytes | None,
        reparse: bytes | None,
        named: tuple[Stream, ...],
    ) -> Entry:
        main, streams = arrange_streams(
            attributes=facts.attributes, data=data, reparse=reparse, named=named
        )
        return Entry(
            name=path.name,
            short_name="",
            attributes=facts.attributes,
            security_id=facts.security_id,
            children=0,
            unused=bytes(16),
            created=facts.created,
            accessed=facts.accessed,
            written=facts.written,
            hash=main,
            unknown=bytes(4),
            link=bytes(8),
            streams=streams,
            extra=b"",
        )

    def _change(self, item: Item, edit: Callable[[Entry], Entry]) -> None:
        """Make an edit to every name of what an item is a name of."""
        group = item.entry.hard_link_group
        # A broken producer may give one group to different files: only equal ones are one file.
        same = item.entry.hashes
        found = self._names_of(group) if group else iter((item,))
        names = [each for each in found if each.entry.hashes == same]
        for each in names:
            self._tally.count(each.entry, -1)
        for each in names:
            each.entry = edit(each.entry)
            each.changed = True
            self._tally.count(each.entry, 1)

    def _replace(self, path: ImagePath, entry: Entry, facts: FileFacts) -> None:
        standing = self._find(path)
        if standing is None:
            self._add(path, entry._replace(name=path.name, short_name=""), facts)
            return
        old = standing.entry
        if old.is_directory and not (old.is_reparse_point and not old.children):
            message = f"{path} is a folder in the image: no file can take its place"
            raise UsageError(message, hint="Take the folder away first.")
        self._tally.count(old, -1)
        standing.entry = entry._replace(name=old.name, short_name=old.short_name)
        standing.changed = True
        standing.folder = None
        if old.is_directory:
            self._folders.clear()
        self._tally.count(standing.entry, 1)

    def _add(self, path: ImagePath, entry: Entry, facts: FileFacts) -> None:
        if not path.parts:
            message = "the root of an image is there already"
            raise UsageError(message)
        if len(path.parts) > DEEPEST or _units(path.name) > LONGEST_NAME:
            message = f"the path to {path.name[:80]} is too deep, or its name too long"
            raise UsageError(message, hint=f"Windows takes names of {LONGEST_NAME} characters.")
        parent = self._find(path.parent)
        if parent is None:
            missing = replace(facts, attributes=layout.ATTRIBUTE_DIRECTORY, security_id=-1)
            for depth in range(1, len(path.parts)):
                self.make_folder(ImagePath(path.parts[:depth]), missing)
            parent = self._existing(path.parent)
        if not parent.entry.is_directory or parent.entry.is_reparse_point:
            message = f"{path.parent} is no plain folder: nothing can be put into it"
            raise UsageError(message, hint="A reparse point or a file stands there.")
        if entry.security_id < 0:
            entry = entry._replace(security_id=parent.entry.security_id)
        self._open(parent).insert(Item(entry, changed=True))
        self._tally.count(entry, 1)

    def _names_of(self, group: int) -> Iterator[Item]:
        """Open the way to every name of a file and give the items."""
        reparse = layout.ATTRIBUTE_REPARSE_POINT >> 8
        buffer = self._old.buffer
        for outline in self._lists.values():
            for position in outline.entries:
                link = layout.DENTRY_LINK.unpack_from(buffer, position + layout.DENTRY_LINK_AT)[0]
                if link == group and not buffer[position + 9] & reparse:
                    folder = self._find(self._old.path_of(outline.folder))
                    if folder is not None and folder.entry.is_directory:
                        self._open(folder)
                    break
        pending = [self._root]
        while pending:
            item = pending.pop()
            if item.entry.hard_link_group == group:
                yield item
            if item.folder is not None:
                pending.extend(item.folder.items)

    def _subtree(self, item: Item) -> Iterator[Entry]:
        pending = [item]
        while pending:
            here = pending.pop()
            yield here.entry
            if here.entry.is_directory and (here.folder or here.entry.children):
                pending.extend(self._open(here).items)

    # Writing

    def build(self) -> EditedMetadata:
        """Give the new metadata resource and what changed."""
        data = write_tree(self._old, self._lists, self._descriptors, self._root)
        return EditedMetadata(data, self._tally.references, self._tally.counts)
