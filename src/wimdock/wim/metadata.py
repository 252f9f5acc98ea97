"""The metadata of one image: its security descriptors and its tree of directory entries.

The tree is held as one buffer, as it was read, and walked with a stack: no object per entry is made
unless it is asked for. A walk visits every list once and no more entries than fit into the buffer,
so that cycles and overlapping lists in a hostile file end in MalformedImage, not in a hang.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wimdock.errors import MalformedImage
from wimdock.paths import ImagePath
from wimdock.upcase import fold
from wimdock.wim import layout
from wimdock.wim.dentry import Entry, read_entry
from wimdock.wim.security import read_security

# Windows cannot make a tree nearly as deep as this; a hostile file can, and paths would then take
# memory by the square of the depth.
DEEPEST = 2048
_PADDING = bytes(layout.DENTRY_SIZE)


class Folder(NamedTuple):
    """A folder met on a walk: where its list lies, and how to name it.

    `entry` is the offset of the folder's own entry; `depth` is 0 for the root.
    """

    parent: Folder | None
    entry: int
    children: int
    depth: int


class FolderList(NamedTuple):
    """The outline of a folder's list: offsets of its entries by what is worth knowing.

    `end` is the offset behind the last entry, before the 8 zero bytes that close the list.
    `folders` are the entries of subfolders with children, each with the offset of their list;
    `reparse_points` are those of reparse points, `entries` all of them; `groups` are the hard-link
    groups of those that have one.
    """

    folder: Folder
    end: int
    entries: tuple[int, ...]
    folders: tuple[tuple[int, int], ...]
    reparse_points: tuple[int, ...]
    groups: tuple[int, ...]


class Metadata:
    """The metadata resource of one image, decompressed."""

    def __init__(self, data: bytes | bytearray) -> None:
        """Take the resource over; MalformedImage where its first structures cannot be read."""
        self.size = len(data)
        self.descriptors, self.root_offset = read_security(data)
        root = read_entry(data, self.root_offset)
        # The padding lets the outline of an entry be read before its length is known to fit.
        self.buffer = data if isinstance(data, bytearray) else bytearray(data)
        self.buffer += _PADDING
        if root is None or not root.is_directory:
            message = "the image has no root folder"
            raise MalformedImage(message)
        self.root = root
        self._names: dict[int, dict[str, list[tuple[str, int]]]] = {}
        self._found: dict[tuple[str, ...], Entry] = {}
        self._kept: list[FolderList] | None = None

    def entry(self, position: int) -> Entry:
        """Read the entry at an offset that a walk gave."""
        entry = read_entry(memoryview(self.buffer)[: self.size], position)
        if entry is None:
            message = f"there is no directory entry at {position} of the metadata"
            raise MalformedImage(message)
        return entry

    def keep_lists(self) -> None:
        """Walk the tree now and keep the outlines, for who needs them more than once."""
        self._kept = list(self.folder_lists())

    def folder_lists(self) -> Iterator[FolderList]:
        """Give the outline of every folder's list, parents before their children, in tree order."""
        return self._walk_lists() if self._kept is None else iter(self._kept)

    def _walk_lists(self) -> Iterator[FolderList]:
        budget = self.size // layout.DENTRY_SIZE + 1
        seen: set[int] = set()
        stack = []
        if self.root.children:
            stack.append(Folder(None, self.root_offset, self.root.children, 0))
        while stack:
            folder = stack.pop()
            if folder.children in seen or folder.depth > DEEPEST:
                message = (
                    "a folder of the image contains itself, shares its list with another, "
                    f"or lies deeper than {DEEPEST} levels"
                )
                raise MalformedImage(message)
            seen.add(folder.children)
            found = self._outline(folder)
            budget -= len(found.entries)
            if budget < 0:
                message = "the lists of the image's folders overlap"
                raise MalformedImage(message)
            yield found
            stack.extend(
                Folder(folder, entry, children, folder.depth + 1)
                for entry, children in reversed(found.folders)
            )

    def _outline(self, folder: Folder) -> FolderList:
        buffer, size, at = self.buffer, self.size, folder.children
        unpack = layout.DENTRY_OUTLINE.unpack_from
        fixed, end = layout.DENTRY_SIZE, len(layout.END_OF_DIRECTORY)
        directory, reparse = layout.ATTRIBUTE_DIRECTORY, layout.ATTRIBUTE_REPARSE_POINT
        special = directory | reparse
        entries: list[int] = []
        folders: list[tuple[int, int]] = []
        points: list[int] = []
        groups: list[int] = []
        add = entries.append
        while at + end <= size:
            # Only what leads to the next entry; names are checked by whoever reads the entry.
            length, attributes, children, link, streams = unpack(buffer, at)
            length = (length + 7) & ~7
            if length < fixed or at + length > size:
                if length <= end:
                    return FolderList(
                        folder, at, tuple(entries), tuple(folders), tuple(points), tuple(groups)
                    )
                message = f"the directory entry at {at} of the metadata claims {length} bytes"
                raise MalformedImage(message)
            add(at)
            if attributes & special:
                if attributes & reparse:
                    points.append(at)
                    link = 0
                if children and attributes & directory:
                    folders.append((at, children))
            if link:
                groups.append(link)
            at += length
            if streams:
                at = self._behind_streams(at, streams)
        message = f"the list of a folder at {folder.children} of the metadata does not end"
        raise MalformedImage(message)

    def _behind_streams(self, at: int, count: int) -> int:
        for _ in range(count):
            if at + layout.STREAM_SIZE > self.size:
                break
            length = layout.aligned(int.from_bytes(self.buffer[at : at + 8], "little"))
            if length < layout.STREAM_SIZE or at + length > self.size:
                break
            at += length
        else:
            return at
        message = f"a stream entry at {at} of the metadata lies outside it"
        raise MalformedImage(message)

    def path_of(self, folder: Folder) -> ImagePath:
        """Give the path of a folder that a walk met."""
        names: list[str] = []
        here: Folder | None = folder
        while here is not None and here.parent is not None:
            names.append(checked(self.name_at(here.entry), here.entry))
            here = here.parent
        return ImagePath(tuple(reversed(names)))

    def name_at(self, position: int) -> str:
        """Give the name of the entry at an offset that a walk gave: not checked for hostility."""
        length, short, size = layout.DENTRY_NAMES.unpack_from(self.buffer, position)
        names = (size + 2 if size else 0) + (short + 2 if short else 0)
        if (size | short) & 1 or layout.DENTRY_SIZE + names > layout.aligned(length):
            message = f"the directory entry at {position} claims names that do not fit into it"
            raise MalformedImage(message)
        at = position + layout.DENTRY_SIZE
        return self.buffer[at : at + size].decode("utf-16-le", "surrogatepass")

    def children(self, folder: Entry) -> list[Entry]:
        """Give the entries of a folder, in stored order; names are checked."""
        if not folder.is_directory or not folder.children:
            return []
        outline = self._outline(Folder(None, folder.position, folder.children, 0))
        entries = [self.entry(position) for position in outline.entries]
        check_names(entries)
        return entries

    def lookup(self, path: ImagePath) -> Entry | None:
        """Give the entry at a path, without regard to case; an exact match goes first.

        The names of every folder on the way are kept, so that many look-ups stay quick.
        """
        here = self.root
        known = len(path.parts) - 1
        while known > 0 and path.parts[:known] not in self._found:
            known -= 1
        if known > 0:
            here = self._found[path.parts[:known]]
        for depth in range(max(known, 0), len(path.parts)):
            name = path.parts[depth]
            found = self._names_in(here).get(fold(name))
            if found is None:
                return None
            exact = (position for spelling, position in found if spelling == name)
            here = self.entry(next(exact, found[0][1]))
            if here.is_directory:
                self._found[path.parts[: depth + 1]] = here
        return here

    def _names_in(self, folder: Entry) -> dict[str, list[tuple[str, int]]]:
        names = self._names.get(folder.position)
        if names is None:
            names = self._names[folder.position] = {}
            if folder.is_directory and folder.children:
                outline = self._outline(Folder(None, folder.position, folder.children, 0))
                for position in outline.entries:
                    name = checked(self.name_at(position), position)
                    names.setdefault(fold(name), []).append((name, position))
        return names

    def walk(self) -> Iterator[tuple[ImagePath, Entry]]:
        """Give every entry with its path, folders before what is in them; names are checked."""
        paths: dict[int, ImagePath] = {self.root_offset: ImagePath()}
        yield ImagePath(), self.root
        for outline in self.folder_lists():
            above = paths.pop(outline.folder.entry)
            entries = [self.entry(position) for position in outline.entries]
            check_names(entries)
            below = {position for position, _ in outline.folders}
            for entry in entries:
                path = above.child(entry.name)
                if entry.position in below:
                    paths[entry.position] = path
                yield path, entry

    def reparse_points(self) -> Iterator[tuple[ImagePath, Entry]]:
        """Give the reparse points with their paths: quicker than a walk over everything."""
        if self.root.is_reparse_point:
            yield ImagePath(), self.root
        for outline in self.folder_lists():
            if outline.reparse_points:
                above = self.path_of(outline.folder)
                for position in outline.reparse_points:
                    entry = self.entry(position)
                    yield above.child(checked_name(entry)), entry


def checked_name(entry: Entry) -> str:
    """Give an entry's name, or raise MalformedImage where a path would leave its folder by it."""
    return checked(entry.name, entry.position)


def checked(name: str, position: int) -> str:
    """Give the name of the entry at an offset, or raise MalformedImage as `checked_name` does."""
    if name in ("", ".", "..") or "\0" in name or "/" in name or "\\" in name:
        message = f"{name!r} is no name for a file (entry at {position} of the metadata)"
        raise MalformedImage(message)
    return name


def check_names(entries: list[Entry]) -> None:
    """Refuse hostile names, and two entries of one folder with exactly the same name."""
    names = {checked_name(entry) for entry in entries}
    if len(names) != len(entries):
        message = f"a folder holds {len(entries) - len(names)} names twice"
        raise MalformedImage(message)
