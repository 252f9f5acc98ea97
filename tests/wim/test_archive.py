"""Archives: opened, read, refused; and nothing but our errors from bytes that were changed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wim.captured import FILES, capture
from tests.wim.crafted import (
    JUNCTION,
    REPARSE,
    Crafted,
    Node,
    Stored,
    add_integrity,
    change_header,
    content,
    folder,
    metadata,
    plain,
)
from wimdock.errors import (
    CorruptImage,
    MalformedImage,
    NoSuchImage,
    NotAnImage,
    StorageError,
    WimdockError,
)
from wimdock.events import Reporter
from wimdock.paths import ImagePath
from wimdock.wim import Archive, layout
from wimdock.wim.codec import Compressor
from wimdock.wim.header import ResourceHeader
from wimdock.wim.verification import verify


def read_everything(path: Path) -> None:
    """Read all that an archive gives, as far as it can be read, and verify it."""
    archive = Archive.open(path)
    with archive:
        for part in ("images", "committed_end"):
            try:
                getattr(archive, part)
            except WimdockError:
                continue
        for index in range(min(archive.image_count, 5) + 1):
            try:
                image = archive.image(index)
                for _, entry in image.walk():
                    image.security(entry)
                    image.reparse_data(entry)
                    image.read(entry)
            except WimdockError:
                continue
        verify(archive, Reporter(), threads=1)


def test_images_are_counted_from_1(tree: Path, tmp_path: Path) -> None:
    path = capture(tree, tmp_path / "three.wim", "--compress=XPRESS", images=3)
    with Archive.open(path) as archive:
        assert archive.image_count == 3
        assert [record.name for record in archive.images] == ["first", "image 2", "image 3"]
        for index in (1, 2, 3):
            image = archive.image(index)
            entry = image.lookup(ImagePath("hello.txt"))
            assert entry is not None
            assert image.read(entry) == FILES["hello.txt"]
        for index in (0, -1, 4):
            with pytest.raises(NoSuchImage, match="it holds 3"):
                archive.image(index)


def test_what_is_no_image_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        Archive.open(tmp_path / "none.wim")
    with pytest.raises(StorageError, match="no plain file"):
        Archive.open(tmp_path)
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with pytest.raises(StorageError, match="no plain file"):
        Archive.open(fifo)
    empty = tmp_path / "empty.wim"
    empty.touch()
    with pytest.raises(NotAnImage):
        Archive.open(empty)


def test_counts_that_differ_are_refused(tmp_path: Path) -> None:
    path = change_header(plain().write(tmp_path / "one.wim"), image_count=2)
    with Archive.open(path) as archive, pytest.raises(MalformedImage, match="counts 2 images"):
        archive.image(1)


def test_content_with_another_hash_is_refused(shared_data: Path) -> None:
    with Archive.open(shared_data / "wims" / "corrupted_file_1.wim") as archive:
        image = archive.image(1)
        files = [entry for _, entry in image.walk() if entry.data_sha1]
        assert len(files) == 1
        with pytest.raises(CorruptImage, match="is recorded for it"):
            image.read(files[0])


def test_missing_content_and_security_are_told(tmp_path: Path) -> None:
    path = plain(Node("lost", b"lost", security_id=5)).write(tmp_path / "one.wim")
    with Archive.open(path) as archive:
        image = archive.image(1)
        entry = image.lookup(ImagePath("lost"))
        assert entry is not None
        assert image.security(entry) is None
        with pytest.raises(NoSuchImage, match="has no content"):
            image.read(entry)


def test_reparse_data_is_read_and_bounded(tmp_path: Path) -> None:
    link = JUNCTION.to_bytes(8, "little")
    nodes = (
        Node("good", b"target", attributes=REPARSE, link=link),
        Node("empty", attributes=REPARSE, link=link),
        Node("huge", bytes(70_000), attributes=REPARSE, link=link),
    )
    path = plain(*nodes, contents=[b"target", bytes(70_000)]).write(tmp_path / "one.wim")
    with Archive.open(path) as archive:
        image = archive.image(1)
        good, empty, huge = image.children(image.root)
        assert image.reparse_data(good) == b"target"
        assert image.reparse_data(empty) == b""
        with pytest.raises(MalformedImage, match="too long"):
            image.reparse_data(huge)


def test_an_older_header_shows_an_older_state(tmp_path: Path) -> None:
    path = plain(Node("a", b"a"), contents=[b"a"]).write(tmp_path / "one.wim")
    old = path.read_bytes()[: layout.HEADER_SIZE]
    change_header(path, image_count=0, blob_table=ResourceHeader())
    with Archive.open(path) as now:
        assert len(now.blobs) == 0
    with path.open("rb") as file:
        before = Archive(file.fileno(), path, old)
        assert before.image(1).lookup(ImagePath("a")) is not None


def _samples() -> list[bytes]:
    link = JUNCTION.to_bytes(8, "little")
    nodes = folder(
        "",
        Node("a.txt", b"alpha", link=b"\7" + bytes(7)),
        folder("f", Node("b.txt", b"beta"), Node("c.txt", b"alpha", link=b"\7" + bytes(7))),
        Node("point", b"target", attributes=REPARSE | 0x10, link=link),
    )
    contents = [content(b"alpha", 2), content(b"beta"), content(b"target")]
    flat = Crafted([metadata(nodes, [b"sd"])] * 2, contents)
    data = b"some content that repeats itself " * 400
    chunks = [
        Compressor("xpress", 4096).compress(data[at : at + 4096]) for at in (0, 4096, 8192, 12288)
    ]
    ends = b"".join(sum(map(len, chunks[:n])).to_bytes(4, "little") for n in (1, 2, 3))
    large = Stored(
        ends + b"".join(chunks),
        content(data).sha1,
        size=len(data),
        flags=layout.RESOURCE_COMPRESSED,
    )
    packed = Crafted([metadata(folder("", Node("x", data)))], [large])
    packed.flags, packed.chunk_size = layout.FLAG_COMPRESSION | layout.FLAG_XPRESS, 4096
    return [flat.pack(), packed.pack()]


_SAMPLES = _samples()
_ODD = [0, 1, 0x7F, 0x80, 0xFF]
_VALUES = st.one_of(st.sampled_from(_ODD), st.integers(0, 255))


@pytest.mark.parametrize("sample", range(len(_SAMPLES)))
def test_the_samples_are_sound(sample: int, tmp_path: Path) -> None:
    path = tmp_path / "sample.wim"
    path.write_bytes(_SAMPLES[sample])
    with Archive.open(add_integrity(path)) as archive:
        assert verify(archive, Reporter()).sound


@pytest.mark.parametrize("sample", range(len(_SAMPLES)))
@given(
    changes=st.lists(st.tuples(st.integers(0, 1 << 20), _VALUES), min_size=1, max_size=8),
    cut=st.one_of(st.none(), st.integers(0, 1 << 20)),
)
@settings(
    max_examples=150, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_changed_or_cut_files_give_our_errors_or_findings(
    sample: int, changes: list[tuple[int, int]], cut: int | None, tmp_path: Path
) -> None:
    data = bytearray(_SAMPLES[sample])
    for offset, value in changes:
        data[offset % len(data)] = value
    if cut is not None:
        del data[cut % len(data) :]
    path = tmp_path / "changed.wim"
    path.write_bytes(data)
    with suppress(WimdockError):
        read_everything(path)


@pytest.mark.parametrize("sample", range(len(_SAMPLES)))
def test_every_byte_of_the_header_and_the_tables_may_be_wrong(sample: int, tmp_path: Path) -> None:
    """Each of them once, with its highest bit turned: what a transmission error does."""
    good = _SAMPLES[sample]
    path = tmp_path / "changed.wim"
    with Archive(os.open(_write(path, good), os.O_RDONLY), path) as archive:
        table = archive.header.blob_table
    for offset in (*range(layout.HEADER_SIZE), *range(table.offset, table.end, 3)):
        bad = bytearray(good)
        bad[offset] ^= 0x80
        with suppress(WimdockError):
            read_everything(_write(path, bytes(bad)))


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


_LIMITED = """
import resource, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from tests.wim.test_archive import read_everything
from wimdock.errors import WimdockError
import lxml.etree, wimdock.wim.codec
try:
    read_everything(Path(sys.argv[1]))
except WimdockError as error:
    print(error.message)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _peak_of_reading(path: Path) -> int:
    """Give the most memory in bytes that a process of its own takes to read everything."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path), str(root), str(root / "src")],
        capture_output=True,
        check=True,
        text=True,
        timeout=100,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
    )
    return int(done.stdout.splitlines()[-1]) << 10


def _zeros(count: int) -> Stored:
    """Give a resource that claims `count` times 2 MiB, 680 times what is stored."""
    zeros = Compressor("lzx", 1 << 21).compress(bytes(1 << 21))
    ends = b"".join((len(zeros) * (n + 1)).to_bytes(4, "little") for n in range(count - 1))
    flags = layout.RESOURCE_COMPRESSED
    return Stored(ends + zeros * count, b"\x22" * 20, size=count << 21, flags=flags)


def test_memory_is_bounded_whatever_content_claims(
    tmp_path: Path, captured: Callable[[str], Path]
) -> None:
    """400 MiB of zeros in a file of 600 KiB take little more memory than a good file does."""
    bomb = _zeros(200)
    crafted = Crafted([metadata(folder("", Node("x", sha1=bomb.sha1)))], [bomb])
    crafted.flags, crafted.chunk_size = layout.FLAG_COMPRESSION | layout.FLAG_LZX, 1 << 21
    path = crafted.write(tmp_path / "bomb.wim")
    assert path.stat().st_size < 1 << 20
    assert _peak_of_reading(path) < _peak_of_reading(captured("lzx")) + (64 << 20)


def test_metadata_that_claims_too_much_for_its_file_is_refused(tmp_path: Path) -> None:
    bomb = _zeros(20)
    crafted = Crafted([], [replace(bomb, flags=bomb.flags | layout.RESOURCE_METADATA)])
    crafted.flags, crafted.chunk_size = layout.FLAG_COMPRESSION | layout.FLAG_LZX, 1 << 21
    path = change_header(crafted.write(tmp_path / "bomb.wim"), image_count=1)
    with Archive.open(path) as archive, pytest.raises(MalformedImage, match="too long"):
        archive.image(1)
