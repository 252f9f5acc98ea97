"""Whatever a log is encoded in, half-way changed or cut at any byte."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.doctor.logs import Record, read_logs
from wimdock.doctor.logs.decoding import Decoder
from wimdock.errors import UsageError

HEAD = "2024-05-06 07:08:09, Error                 DISM   DISM.EXE: "
TEXTS = ["Größe überschritten", "ошибка", "指定されたパスは無効です。", "naïve café"]


def line(number: int, text: str = "plain") -> str:
    return f"{HEAD}{number} {text}\r\n"


def read(path: Path, data: bytes, encoding: str | None = None) -> list[Record]:
    path.write_bytes(data)
    return list(read_logs([path], encoding=encoding))


def messages(found: list[Record]) -> list[str]:
    return [record.message.removeprefix("DISM.EXE: ") for record in found]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [False, True])
def test_unicode(tmp_path: Path, encoding: str, mark: bool) -> None:  # noqa: FBT001
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    texts = TEXTS * 3
    data = "".join(line(number, text) for number, text in enumerate(texts)).encode(encoding)
    found = read(tmp_path / "x.log", marks.get(encoding, b"") * mark + data)
    assert messages(found) == [f"{number} {text}" for number, text in enumerate(texts)]
    assert [record.line for record in found] == list(range(1, len(texts) + 1))


def test_code_pages(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    western = line(1, TEXTS[0]).encode("cp1252") + line(2, TEXTS[0]).encode("utf-8")
    assert messages(read(path, western)) == [f"1 {TEXTS[0]}", f"2 {TEXTS[0]}"]
    for page, text in (("cp1251", TEXTS[1]), ("cp932", TEXTS[2])):
        data = line(1, text).encode(page) + line(2, "a").encode()
        assert messages(read(path, data, page)) == [f"1 {text}", "2 a"]
        assert len(read(path, data)) == 2
    assert messages(read(path, line(1, "a").encode("utf-32"), "utf-32")) == ["1 a"]


@pytest.mark.parametrize("name", ["no-such", "hex", "rot13", "a\0b", ""])
def test_encodings_that_are_none(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(b"x")
    if name:
        with pytest.raises(UsageError):
            read_logs([path], encoding=name)
    else:
        assert len(list(read_logs([path], encoding=name))) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["utf-8", "cp1252", "utf-16-le", "marked"]), st.integers(1, 4)),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 400),
)
def test_encodings_that_change_half_way(parts: list[tuple[str, int]], block: int) -> None:
    data = b""
    expected: list[str] = []
    for encoding, count in parts:
        text = "".join(line(len(expected) + each, TEXTS[0]) for each in range(count))
        expected += text.split("\r\n")[:-1]
        data += (
            codecs.BOM_UTF16_LE + text.encode("utf-16-le")
            if encoding == "marked"
            else text.encode(encoding)
        )
    decoder = Decoder()
    pieces = [decoder.feed(data[at : at + block]) for at in range(0, len(data), block)]
    text = "".join([*pieces, decoder.feed(b"", final=True)])
    assert text.split("\r\n")[:-1] == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("count", [1, 63, 4096, 3_000_001])
def test_nul_bytes_at_the_end_and_within(tmp_path: Path, encoding: str, count: int) -> None:
    before, after = line(1, "ok").encode(encoding), line(2, "ok").encode()
    path = tmp_path / "x.log"
    assert messages(read(path, before + bytes(count))) == ["1 ok"]
    if count > 4:
        assert messages(read(path, before + bytes(count) + after)) == ["1 ok", "2 ok"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_cut_at_any_byte(tmp_path: Path, encoding: str) -> None:
    data = "".join(line(number, "ok") for number in range(3)).encode(encoding)
    for cut in range(len(data)):
        found = read(tmp_path / "x.log", data[:cut])
        assert [record.line for record in found] == list(range(1, len(found) + 1))
        whole = data[:cut].decode(encoding, "ignore").count("\r\n")
        assert [message.split("\n")[0] for message in messages(found)][:whole] == [
            f"{number} ok" for number in range(whole)
        ]


def test_long_lines_keep_begin_and_end(tmp_path: Path) -> None:
    end = "  $$<C><07-15-2023 09:12:45.332+240><thread=4116 (0x1014)>"
    path = tmp_path / "x.log"
    for size in (65_000, 65_536, 70_000, 1_048_576, 5_000_000):
        found = read(path, f"begin {'x' * size}{end}\r\nnext{end}\r\n".encode())
        assert [record.component for record in found] == ["C", "C"]
        assert found[0].message.startswith("begin x")
        assert len(found[0].text) <= 65_536
        assert [record.line for record in found] == [1, 2]


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    data = "a\x85b\u2028c\x0cd\re\nf\r\n\r\ng".encode()
    found = read(tmp_path / "x.log", data)
    assert [(record.line, record.text) for record in found] == [
        (1, "a\x85b\u2028c\x0cd\re"), (2, "f"), (4, "g"),
    ]  # fmt: skip
