"""Writing an edited tree: in canonical order, without gaps.

Each folder's list follows that of the folder before it, parents first. Lists that no edit has read
are copied as they lie in the old buffer, with nothing changed but the offsets of their subfolders.
"""

from __future__ import annotations

from collections.abc import Mapping

from wimdock.errors import MalformedImage
from wimdock.wim import layout
from wimdock.wim.dentry import write_entry
from wimdock.wim.metadata import FolderList, Metadata
from wimdock.wim.open_folder import Item, OpenFolder
from wimdock.wim.security import write_security

# A list to be written: where the entry of its folder was put, and the folder or the old offset.
_Pending = tuple[int, OpenFolder | int]


def write_tree(
    old: Metadata, lists: Mapping[int, FolderList], descriptors: list[bytes], root: Item
) -> bytearray:
    """Give the metadata resource; `lists` are the outlines of the old lists by their offset."""
    buffer = memoryview(old.buffer)
    out = bytearray(write_security(descriptors))
    pending: list[_Pending] = []
    _write_item(out, buffer, root, pending)
    out += layout.END_OF_DIRECTORY
    while pending:
        entry_at, source = pending.pop()
        layout.DENTRY_SUBDIRECTORY.pack_into(
            out, entry_at + layout.DENTRY_SUBDIRECTORY_AT, len(out)
        )
        below: list[_Pending] = []
        if isinstance(source, int):
            _copy_list(out, buffer, lists[source], below)
        else:
            for item in source.items:
                _write_item(out, buffer, item, below)
        out += layout.END_OF_DIRECTORY
        below.reverse()
        pending += below
    return out


def _copy_list(
    out: bytearray, buffer: memoryview, outline: FolderList, below: list[_Pending]
) -> None:
    start = outline.folder.children
    shift = len(out) - start
    out += buffer[start : outline.end]
    below.extend((entry + shift, children) for entry, children in outline.folders)


def _write_item(out: bytearray, buffer: memoryview, item: Item, below: list[_Pending]) -> None:
    at = len(out)
    entry = item.entry
    out += write_entry(entry) if item.changed else buffer[entry.position : entry.end]
    if len(out) != layout.aligned(len(out)):
        message = f"the entry {entry.name!r} is not padded to 8 bytes"
        raise MalformedImage(message)
    if item.folder is not None:
        if item.folder.items:
            below.append((at, item.folder))
        else:
            layout.DENTRY_SUBDIRECTORY.pack_into(out, at + layout.DENTRY_SUBDIRECTORY_AT, 0)
    elif entry.is_directory and entry.children:
        below.append((at, entry.children))
