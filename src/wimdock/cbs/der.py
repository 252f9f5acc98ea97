"""DER, as far as a catalog's list of hashes needs it: a run of tagged items."""

from __future__ import annotations

from collections.abc import Iterator

from wimdock.errors import MalformedPackage

SEQUENCE = 0x30
SET = 0x31
OCTET_STRING = 0x04
OBJECT_ID = 0x06

_TAG_NUMBER = 0x1F
_LONG_LENGTH = 0x80
_LENGTH_BYTES = 4
_BASE_128 = 0x80


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the identifier octet and the content of each item in a row.

    Raises MalformedPackage for lengths that do not fit and for forms that DER does not use here.
    """
    at = 0
    while at < len(data):
        tag = data[at]
        if tag & _TAG_NUMBER == _TAG_NUMBER or at + 1 >= len(data):
            raise _broken()
        length = data[at + 1]
        at += 2
        if length >= _LONG_LENGTH:
            count = length - _LONG_LENGTH
            if not 0 < count <= _LENGTH_BYTES or at + count > len(data):
                raise _broken()
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise _broken()
        yield tag, data[at : at + length]
        at += length


def object_id(dotted: str) -> bytes:
    """Encode an object identifier, without tag and length."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    encoded = bytearray((first * 40 + second,))
    for number in rest:
        digits = [number % _BASE_128]
        while number := number // _BASE_128:
            digits.append(number % _BASE_128 | _BASE_128)
        encoded.extend(reversed(digits))
    return bytes(encoded)


def _broken() -> MalformedPackage:
    return MalformedPackage("a DER item does not fit into what holds it")
