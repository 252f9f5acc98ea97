"""From the bytes of a log to its text, whatever they are encoded in, block by block.

Logs are written by several programs one after the other, so the encoding may change half-way. Text
of eight bits is UTF-8, or, line by line, a code page where it is no UTF-8. UTF-16 is known by its
byte order mark or by four ASCII characters in a row, and ends where 24 bytes in a row are ASCII or
where NUL bytes begin. NUL bytes, of which a pre-allocated file has many at its end, are dropped.
"""

from __future__ import annotations

import codecs
import re

from wimdock.errors import UsageError

_ASCII = rb"[\t\n\r\x20-\x7e]"
_LITTLE = re.compile(rb"(?:" + _ASCII + rb"\x00){4}|\xff\xfe(?=" + _ASCII + rb"\x00)")
_BIG_WITH_MARK = re.compile(rb"\xfe\xff(?=\x00" + _ASCII + rb")")
_BIG = re.compile(rb"(?:\x00" + _ASCII + rb"){4}")
_END_OF_WIDE = re.compile(rb"\x00{4,}|[\t\n\r\x20-\x7e]{24}")
_HELD_BACK = 64
_LONGEST_CARRY = 1 << 20
_EIGHT = ""
_MARK = "\ufeff"
_HIGH_SURROGATES = range(0xD8, 0xDC)


class Decoder:
    """Turns blocks of bytes into text; nothing makes it fail."""

    def __init__(self, encoding: str | None = None) -> None:
        """Take cp1252 or `encoding` for lines that are no UTF-8; UTF-16 and UTF-32 hold throughout.

        Raises UsageError for an encoding that does not exist.
        """
        self._page = encoding or "cp1252"
        try:
            b"00".decode(self._page, "replace")  # nothing at all would be decoded by any name
            name = codecs.lookup(self._page).name
        except (LookupError, UnicodeError, ValueError):
            message = f"there is no encoding {self._page!r}"
            raise UsageError(message, hint="Name one such as cp1252, cp932 or utf-16.") from None
        forced = name.startswith(("utf-16", "utf-32"))
        self._forced = codecs.getincrementaldecoder(name)("replace") if forced else None
        self._carry = b""
        self._mode = _EIGHT
        self._started = False
        self._at_line_start = True

    def feed(self, data: bytes, *, final: bool = False) -> str:
        """Give the text of the bytes as far as it is certain; all of it with `final`."""
        if self._forced is not None:
            return self._forced.decode(data, final).replace("\0", "")
        carry = self._carry + data
        if not self._started:
            if len(carry) < _HELD_BACK and not final:
                self._carry = carry
                return ""
            self._started = True
            carry = self._begin(carry)
        pieces: list[str] = []
        while True:
            before = (len(carry), self._mode)
            text, carry = self._narrow(carry, final) if not self._mode else self._wide(carry, final)
            pieces.append(text)
            if not carry or (len(carry), self._mode) == before:
                break
        self._carry = carry
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        return self._without_marks(text) if text else text

    def _without_marks(self, text: str) -> str:
        """Take the byte order marks off lines: of files with a mark each that were joined."""
        if _MARK in text:
            start = self._at_line_start and text.startswith(_MARK)
            text = text[start:].replace("\n" + _MARK, "\n")
        self._at_line_start = text.endswith("\n")
        return text

    def _begin(self, data: bytes) -> bytes:
        """Take the byte order mark off, and know UTF-16 without one."""
        if data.startswith(codecs.BOM_UTF8):
            return data[len(codecs.BOM_UTF8) :]
        for mark, mode in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
            if data.startswith(mark):
                self._mode = mode
                return data[len(mark) :]
        if _BIG.match(data):
            self._mode = "utf-16-be"
        return data

    def _narrow(self, data: bytes, final: bool) -> tuple[str, bytes]:  # noqa: FBT001 - two ways
        """Decode text of eight bits as far as its last whole line, or up to where UTF-16 begins."""
        if b"\0" in data:
            little, big = _LITTLE.search(data), _BIG_WITH_MARK.search(data)
            if little and (big is None or little.start() < big.start()):
                self._mode = "utf-16-le"
                return self._eight(data[: little.start()]), _after_mark(data[little.start() :])
            if big:
                self._mode = "utf-16-be"
                return self._eight(data[: big.start()]), _after_mark(data[big.start() :])
            if not final:
                data = data[:-_HELD_BACK].replace(b"\0", b"") + data[-_HELD_BACK:]
        if final:
            return self._eight(data), b""
        end = data.rfind(b"\n") + 1
        if not end and len(data) > _LONGEST_CARRY:
            end = len(data) - _HELD_BACK
        return self._eight(data[:end]), data[end:]

    def _wide(self, data: bytes, final: bool) -> tuple[str, bytes]:  # noqa: FBT001 - two ways
        """Decode UTF-16 as far as it is certain, or up to its end."""
        found = _END_OF_WIDE.search(data)
        mode = self._mode
        if found:
            # A run of NUL bytes may begin with the upper half of the last character.
            end = found.start() + (found.start() & 1 if not data[found.start()] else 0)
            self._mode = _EIGHT
            return data[:end].decode(mode, "replace").replace("\0", ""), data[end:]
        if final:
            return data[: len(data) & ~1].decode(mode, "replace").replace("\0", ""), b""
        end = max(0, len(data) - _HELD_BACK) & ~1
        if end and data[end - (1 if mode == "utf-16-le" else 2)] in _HIGH_SURROGATES:
            end -= 2
        return data[:end].decode(mode, "replace").replace("\0", ""), data[end:]

    def _eight(self, data: bytes) -> str:
        if b"\0" in data:
            data = data.replace(b"\0", b"")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = "\n".join(map(self._line, data.split(b"\n")))
        return text

    def _line(self, line: bytes) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            pass
        try:
            return line.decode(self._page, "replace")
        except UnicodeError:  # some stateful encodings do not replace
            return line.decode("latin-1")


def _after_mark(data: bytes) -> bytes:
    return data[2:] if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else data
