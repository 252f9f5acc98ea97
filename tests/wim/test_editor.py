"""The editor, against a plain model: random edits, then every figure counted anew."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wimdock.clock import FixedClock
from wimdock.errors import (
    MalformedImage,
    NoSuchImage,
    UnsupportedImage,
    UsageError,
    WimdockError,
)
from wimdock.events import Reporter
from wimdock.files import Disk
from wimdock.paths import ImagePath
from wimdock.wim import Archive
from wimdock.wim.codec import Compressor
from wimdock.wim.creation import NewImage, create_archive
from wimdock.wim.editor import FileFacts, MetadataEditor
from wimdock.wim.metadata import Metadata
from wimdock.wim.transaction import Transaction
from wimdock.wim.verification import verify

CLOCK = FixedClock(datetime(2026, 1, 2, tzinfo=UTC))
FACTS = FileFacts(0x20, 1, 2, 3)
FOLDER = FileFacts(0x10, 1, 2, 3)

_NAMES = st.sampled_from(["a", "B", "c d", "ä", "Windows", "long name with ünïcode.dll"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map(lambda parts: ImagePath(tuple(parts)))
_CONTENTS = st.sampled_from([b"", b"one", b"two" * 50, b"three" * 3000])


@dataclass
class Model:
    """What the tree must be: content and streams of every file, shared by its names."""

    files: dict[ImagePath, list[object]] = field(default_factory=dict)
    folders: set[ImagePath] = field(default_factory=set)
    points: dict[ImagePath, bytes] = field(default_factory=dict)

    def parents(self, path: ImagePath) -> list[ImagePath]:
        """Give the folders above a path."""
        return [ImagePath(path.parts[:depth]) for depth in range(1, len(path.parts))]

    def blocked(self, path: ImagePath) -> bool:
        """Tell whether no file can be put there."""
        above = self.parents(path)
        return path in self.folders or any(p in self.files or p in self.points for p in above)

    def put(self, path: ImagePath) -> None:
        """Make room for a name."""
        self.folders.update(self.parents(path))
        self.files.pop(path, None)
        self.points.pop(path, None)


_EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("file"), _PATHS, _CONTENTS, st.lists(_PATHS, max_size=2)),
        st.tuples(st.just("links"), _PATHS, st.lists(_PATHS, min_size=1, max_size=2)),
        st.tuples(st.just("folder"), _PATHS),
        st.tuples(st.just("point"), _PATHS, _CONTENTS, st.booleans()),
        st.tuples(st.just("stream"), _PATHS, st.sampled_from(["s", "T"]), _CONTENTS),
        st.tuples(st.just("remove"), _PATHS),
    ),
    max_size=14,
)


class QuickDisk(Disk):
    """Leaves the flushing to the system: these tests do not crash."""

    def flush(self, fd: int) -> None:
        """Do nothing."""


def edit(  # noqa: C901, PLR0912 - one branch for each kind of edit, side by side with its model
    transaction: Transaction,
    editor: MetadataEditor,
    model: Model,
    step: tuple,  # type: ignore[type-arg]
) -> None:
    """Make one edit in the editor and in the model; what the model forbids must be refused."""
    kind, path, *rest = step

    def stored(content: bytes) -> bytes | None:
        return next(iter(transaction.add([content]))).sha1

    if kind == "file":
        content, links = rest
        names = list(dict.fromkeys((path, *links)))
        if any(model.blocked(name) for name in names) or any(
            a != b and b.is_below(a) for a in names for b in names
        ):
            return
        editor.put_file(path, FACTS, stored(content), tuple(links))
        shared: list[object] = [content, {}]
        for name in names:
            model.put(name)
            model.files[name] = shared
    elif kind == "links":
        (links,) = rest
        if path not in model.files or any(
            model.blocked(name) or name.is_below(path) or path.is_below(name) for name in links
        ):
            return
        editor.put_links(path, tuple(links), FACTS)
        shared = model.files[path]
        for name in links:
            model.put(name)
            model.files[name] = shared
    elif kind == "folder":
        if model.blocked(path) and path not in model.folders:
            return
        if path in model.files or path in model.points:
            with pytest.raises(UsageError):
                editor.make_folder(path, FOLDER)
            return
        editor.make_folder(path, FOLDER)
        model.folders.update((*model.parents(path), path))
    elif kind == "point":
        content, directory = rest
        if model.blocked(path):
            return
        facts = FOLDER if directory else FACTS
        editor.put_reparse_point(path, facts, 0xA000000C, stored(content))
        model.put(path)
        model.points[path] = content
    elif kind == "stream":
        name, content = rest
        if path not in model.files:
            return
        editor.put_stream(path, name, stored(content))
        streams = model.files[path][1]
        assert isinstance(streams, dict)
        streams[name.upper()] = content
    elif path in model.files or path in model.folders or path in model.points:
        editor.remove(path)
        model.files = {p: f for p, f in model.files.items() if not p.is_below(path)}
        model.folders = {p for p in model.folders if not p.is_below(path)}
        model.points = {p: c for p, c in model.points.items() if not p.is_below(path)}
    else:
        with pytest.raises(NoSuchImage):
            editor.remove(path)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=st.lists(_EDITS, min_size=1, max_size=3))
def test_random_edits_give_what_a_plain_model_gives(
    tmp_path: Path,
    rounds: list[list[tuple]],  # type: ignore[type-arg]
) -> None:
    path = tmp_path / "random.wim"
    path.unlink(missing_ok=True)
    path.with_name("random.wim.generations").unlink(missing_ok=True)
    create_archive(path, [NewImage("one")], CLOCK.now(), compression="xpress", disk=QuickDisk())
    model = Model()
    for edits in rounds:
        with Transaction.begin(path, clock=CLOCK, threads=1, disk=QuickDisk()) as transaction:
            with transaction.edit(1) as editor:
                for step in edits:
                    edit(transaction, editor, model, step)
            transaction.commit("random")
        compare(path, model)


def compare(path: Path, model: Model) -> None:
    """Read the file anew and compare it with the model; no figure in it may be wrong."""
    with Archive.open(path) as archive:
        image = archive.image(1)
        groups: dict[int, int] = {}
        found = {place for place, _ in image.walk()} - {ImagePath()}
        assert found == model.files.keys() | model.folders | model.points.keys()
        for place, entry in image.walk():
            if place in model.files:
                content, streams = model.files[place]
                assert isinstance(streams, dict)
                assert image.read(entry) == content
                named = {
                    s.name.upper(): archive.read_blob(s.sha1) if any(s.sha1) else b""
                    for s in entry.named_streams
                }
                assert named == streams
                same = id(model.files[place])
                if entry.hard_link_group:
                    assert groups.setdefault(entry.hard_link_group, same) == same
            elif place in model.points:
                assert image.reparse_data(entry) == model.points[place]
        result = verify(archive, Reporter())
        serious = [f for f in result.findings if f.code != "unused-space"]
        assert not serious, serious


def test_names_keep_their_spelling_and_short_names(tmp_path: Path) -> None:
    path = tmp_path / "one.wim"
    create_archive(path, [NewImage("one")], CLOCK.now())
    for name in (r"\Folder\File.TXT", r"\FOLDER\file.txt"):
        with Transaction.begin(path, clock=CLOCK) as transaction:
            with transaction.edit(1) as editor:
                editor.put_file(ImagePath(name), FACTS, None)
                assert editor.names(ImagePath(r"\folder")) == ["File.TXT"]
            transaction.commit("test")


@pytest.mark.parametrize("path", [r"\a\..\b", "\\a\0b", r"\..", "a:\\..\\b"])
def test_hostile_paths_cannot_be_made(path: str) -> None:
    with pytest.raises(UsageError):
        ImagePath(path)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_metadata_is_edited_or_refused(data: st.DataObject) -> None:
    """Whatever the bytes, an edit ends in our error or in a tree that can be read again."""
    metadata = bytearray(_SAMPLE)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(metadata) - 1))
        metadata[at] = data.draw(st.integers(0, 255))
    with suppress(WimdockError):
        editor = MetadataEditor(Metadata(bytes(metadata)), lambda _: 1)
        editor.put_file(ImagePath(r"\a\new"), FACTS, bytes(20))
        editor.put_stream(ImagePath(r"\a\new"), "s", b"x" * 20)
        edited = editor.build()
        list(Metadata(edited.data).walk())


def _sample() -> bytes:
    from wimdock.wim.creation import _empty_metadata

    editor = MetadataEditor(Metadata(_empty_metadata(NewImage("x"), 1)), lambda _: 1)
    for number, name in enumerate((r"\a\one", r"\a\b\two", r"\c\three", r"\d")):
        sha1 = bytes([number + 1]) * 20
        editor.put_file(ImagePath(name), FACTS, sha1, (ImagePath(rf"\links\{number}"),))
    editor.put_reparse_point(ImagePath(r"\a\point"), FOLDER, 0xA0000003, b"p" * 20)
    editor.put_stream(ImagePath(r"\a\one"), "stream", b"s" * 20)
    editor.security_id(bytes(range(60)))
    return bytes(editor.build().data)


_SAMPLE = _sample()


def test_reparse_data_that_windows_would_not_take_is_refused() -> None:
    editor = MetadataEditor(Metadata(_SAMPLE), lambda _: 16 * 1024)
    with pytest.raises(UsageError, match="longer"):
        editor.put_reparse_point(ImagePath(r"\x"), FACTS, 0xA000000C, b"x" * 20)


def test_a_group_that_different_files_share_wrongly_does_not_spread_an_edit() -> None:
    metadata = Metadata(_SAMPLE)
    two = metadata.lookup(ImagePath(r"\a\b\two"))
    assert two is not None
    data = bytearray(_SAMPLE)
    for path in (r"\c\three", r"\links\2"):
        three = metadata.lookup(ImagePath(path))
        assert three is not None
        data[three.position + 88 : three.position + 96] = two.link
    editor = MetadataEditor(Metadata(bytes(data)), lambda _: 1)
    editor.put_stream(ImagePath(r"\a\b\two"), "mine", b"m" * 20)
    edited = Metadata(editor.build().data)
    streams = {
        path: [stream.name for stream in entry.named_streams]
        for path in (r"\a\b\two", r"\links\1", r"\c\three", r"\links\2")
        if (entry := edited.lookup(ImagePath(path))) is not None
    }
    assert streams == {
        r"\a\b\two": ["mine"],
        r"\links\1": ["mine"],
        r"\c\three": [],
        r"\links\2": [],
    }


def test_chunks_that_no_memory_holds_are_not_written() -> None:
    with pytest.raises(UnsupportedImage, match="only be read"):
        Compressor("lzms", 1 << 27)


def test_a_list_shared_by_two_folders_is_refused() -> None:
    metadata = Metadata(_SAMPLE)
    folders = [outline.folder for outline in metadata.folder_lists()]
    first, second = folders[1], folders[2]
    data = bytearray(_SAMPLE)
    data[second.entry + 16 : second.entry + 24] = first.children.to_bytes(8, "little")
    with pytest.raises(MalformedImage, match=r"contains itself"):
        MetadataEditor(Metadata(bytes(data)), lambda _: 1)
