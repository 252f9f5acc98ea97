"""Streams of bits and canonical codes, as PA30 deltas use them, to write with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class BitWriter:
    """A stream of bits, least significant first; the first three count the padding at its end."""

    value: int = 0
    width: int = 3
    parts: list[tuple[int, int]] = field(default_factory=list)

    def bits(self, value: int, width: int) -> None:
        self.parts.append((value & ((1 << width) - 1), width))

    def number(self, value: int) -> None:
        nibbles = max(1, -(-value.bit_length() // 4))
        self.bits(1 << (nibbles - 1), nibbles)
        self.bits(value, 4 * nibbles)

    def buffer(self, data: bytes) -> None:
        self.number(len(data))
        used = 3 + sum(width for _, width in self.parts)
        self.bits(0, -used % 8)
        self.bits(int.from_bytes(data, "little"), 8 * len(data))

    def to_bytes(self) -> bytes:
        text = "".join(f"{value:0{width}b}"[::-1] for value, width in self.parts if width)
        padding = -(3 + len(text)) % 8
        text = f"{padding:03b}"[::-1] + text + "0" * padding
        return int(text[::-1], 2).to_bytes(len(text) // 8, "little")


class Code:
    """A canonical code, longest codes first, to write with."""

    def __init__(self, lengths: Sequence[int]) -> None:
        """Count up through the codes; where they get shorter, bits on the right fall away."""
        ordered = sorted(
            (symbol for symbol, length in enumerate(lengths) if length),
            key=lambda symbol: (-lengths[symbol], symbol),
        )
        self.codes: dict[int, tuple[int, int]] = {}
        code, width = 0, lengths[ordered[0]] if ordered else 0
        for symbol in ordered:
            code >>= width - lengths[symbol]
            width = lengths[symbol]
            self.codes[symbol] = (int(f"{code:0{width}b}"[::-1], 2), width)
            code += 1

    def write(self, writer: BitWriter, symbol: int) -> None:
        writer.bits(*self.codes[symbol])


def flat(symbols: int) -> list[int]:
    """Give the lengths of a code whose symbols are all alike, the shorter ones first."""
    width = (symbols - 1).bit_length()
    short = 2**width - symbols
    return [width - 1] * short + [width] * (symbols - short)
