"""A writer of PA30 deltas and compressed manifests, as small as it can be.

`write_delta` compares a target with its basis greedily and uses the codes that need no description.
`write_steps` writes steps that a test has chosen, with blocks and rift tables of its choice, so
that every part of the format can be met. See docs/internals/delta.md for the format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tests.lab.bit_writer import BitWriter, Code, flat

MAIN, LENGTH, ALIGNED, PRETREE, NUMBERS = 600, 256, 16, 39, 252
ALGORITHMS = {"": 0, "md5": 0x8003, "sha1": 0x8004, "sha256": 0x800C}
_KEY = 4
_LONGEST_COPY = 1 << 20


@dataclass(frozen=True, slots=True)
class Literal:
    """One byte as it is."""

    byte: int


@dataclass(frozen=True, slots=True)
class Copy:
    """`count` bytes, at least two, from `distance` bytes back (1 to 0xFFFFFFFF)."""

    distance: int
    count: int


@dataclass(frozen=True, slots=True)
class Recent:
    """`count` bytes from one of the three last distances."""

    index: int
    count: int


@dataclass(frozen=True, slots=True)
class Offset:
    """`count` bytes from `offset` before the place of the rift table (-0x2A000 to 0x29FFF)."""

    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class Exact:
    """`count` bytes from the place of the rift table."""

    count: int


Step = Literal | Copy | Recent | Offset | Exact


@dataclass(frozen=True, slots=True)
class Shape:
    """How a patch is written.

    `blocks` are (start, 872 code lengths) pairs, none for the flat codes; `rift` are (start, shift)
    pairs, in the order in which they are written.
    """

    blocks: Sequence[tuple[int, Sequence[int]]] = ()
    rift: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What the header of a delta says besides the target's size."""

    algorithm: str = ""
    flags: int = 0
    file_type: int = 1
    file_type_set: int = 1
    preparation: bytes = b""


FLAT = flat(MAIN) + flat(LENGTH) + flat(ALIGNED)


def write_delta(basis: bytes, target: bytes, head: Head | None = None) -> bytes:
    """Give a delta that makes `target` from `basis`."""
    return write_steps(len(basis), steps_between(basis, target), target, head=head)


def write_manifest(xml: bytes, dictionary: bytes) -> bytes:
    """Give a compressed manifest that needs this dictionary."""
    return b"DCM\x01" + write_delta(dictionary, xml)


def write_steps(
    basis_size: int,
    steps: Sequence[Step],
    target: bytes,
    shape: Shape | None = None,
    head: Head | None = None,
) -> bytes:
    """Give a delta of these steps, which make `target` as the caller promises."""
    head = head or Head()
    digest = hashlib.new(head.algorithm, target).digest() if head.algorithm else b""
    writer = BitWriter()
    for number in (head.file_type_set, head.file_type, head.flags, len(target)):
        writer.number(number)
    writer.number(ALGORITHMS[head.algorithm])
    writer.buffer(digest)
    writer.buffer(head.preparation)
    writer.buffer(write_patch(basis_size, steps, shape or Shape()))
    return b"PA30" + bytes(8) + writer.to_bytes()


def write_patch(basis_size: int, steps: Sequence[Step], shape: Shape) -> bytes:
    """Give the patch of a delta."""
    writer = BitWriter()
    _write_rift(writer, shape.rift)
    _write_blocks(writer, shape.blocks)
    blocks = list(shape.blocks) or [(0, FLAT)]
    position = basis_size
    current = -1
    codes: tuple[Code, Code, Code] = (Code(()), Code(()), Code(()))
    for step in steps:
        index = max([0, *(n for n, (start, _) in enumerate(blocks) if start <= position)])
        if index != current:
            current = index
            lengths = blocks[index][1]
            codes = (
                Code(lengths[:MAIN]),
                Code(lengths[MAIN : MAIN + LENGTH]),
                Code(lengths[MAIN + LENGTH :]),
            )
        _write_step(writer, step, codes)
        position += 1 if isinstance(step, Literal) else step.count
    return writer.to_bytes()


def steps_between(basis: bytes, target: bytes) -> list[Step]:
    """Compare greedily: the last place where the next four bytes stood is where a copy starts."""
    window = basis + target
    seen = {window[at : at + _KEY]: at for at in range(len(basis))}
    steps: list[Step] = []
    at = len(basis)
    while at < len(window):
        start = seen.get(window[at : at + _KEY])
        count = 0
        if start is not None and len(window) - at >= _KEY:
            while at + count < len(window) and window[start + count] == window[at + count]:
                count += 1
            steps.append(Copy(at - start, count))
        else:
            count = 1
            steps.append(Literal(window[at]))
        for place in range(at, at + count):
            seen[window[place : place + _KEY]] = place
        at += count
    return steps


def _write_step(writer: BitWriter, step: Step, codes: tuple[Code, Code, Code]) -> None:
    main, length, aligned = codes
    if isinstance(step, Literal):
        main.write(writer, step.byte)
        return
    slot, extra = _slot_of(step)
    far = slot >= 43
    short = step.count - 1 if step.count <= 8 else 0
    main.write(writer, 256 + 8 * (7 if far else slot) + short)
    if far:
        first, flags, width = next(
            kind for kind in ((55, 0b11, 4), (47, 0b01, 3), (43, 0b0, 2)) if slot >= kind[0]
        )
        writer.bits(flags, 1 if first == 43 else 2)
        writer.bits(slot - first, width)
    if isinstance(step, Copy) and slot >= 17:
        value, width = extra
        writer.bits(value >> 4, width - 4)
        aligned.write(writer, value & 15)
    else:
        writer.bits(*extra)
    if not short:
        _write_length(writer, step.count, length)


def _slot_of(step: Copy | Recent | Offset | Exact) -> tuple[int, tuple[int, int]]:
    """Give the slot of a copy, and the value and width of what follows it."""
    if isinstance(step, Exact):
        return 3, (0, 0)
    if isinstance(step, Recent):
        return 4 + step.index, (0, 0)
    if isinstance(step, Offset):
        for slot, (low, width) in enumerate(((0x2000, 14), (0xA000, 16), (0x2A000, 18))):
            if -low <= step.offset < low:
                inner = low - (1 << (width - 1))
                raw = step.offset + inner if step.offset < 0 else step.offset - inner
                return slot, (raw + (1 << (width - 1)), width)
        message = f"{step} is too far away"
        raise ValueError(message)
    if step.distance < 4:
        return 7 + step.distance, (0, 0)
    width = step.distance.bit_length() - 2
    return 11 + 2 * (width - 1) + (step.distance >> width & 1), (step.distance, width)


def _write_length(writer: BitWriter, count: int, length: Code) -> None:
    rest = count - 8
    if rest < LENGTH:
        length.write(writer, rest)
        return
    length.write(writer, 0)
    width = rest.bit_length() - 1
    writer.bits(1 << (width - 8), width - 7)
    writer.bits(rest, width)


def _write_rift(writer: BitWriter, rift: Sequence[tuple[int, int]]) -> None:
    """Write a rift table: the starts with codes said at length, the shifts with implied ones."""
    writer.bits(bool(rift), 1)
    if not rift:
        return
    for explicit in (126, 0):
        writer.bits(explicit, 8)
        writer.bits(explicit, 8)
        writer.bits(0 if explicit else 248, 8)
        for width in flat(NUMBERS) if explicit else ():
            writer.bits(width - 1, 4)
        writer.bits(8 - 1, 4)
    codes = Code(flat(NUMBERS)), Code([8] * 248 + [7] * 4)
    writer.number(len(rift))
    before = 0, 0
    for entry in rift:
        for code, value, old in zip(codes, entry, before, strict=True):
            _write_signed(writer, code, value - old)
        before = entry


def _write_signed(writer: BitWriter, code: Code, value: int) -> None:
    magnitude = ~value if value < 0 else value
    width = max(0, magnitude.bit_length() - 2)
    symbol = 2 * width + (magnitude >> width) if magnitude > 3 else magnitude
    code.write(writer, symbol + (126 if value < 0 else 0))
    writer.bits(magnitude, width)


def _write_blocks(writer: BitWriter, blocks: Sequence[tuple[int, Sequence[int]]]) -> None:
    writer.bits(not blocks, 1)
    if not blocks:
        return
    writer.number(len(blocks))
    before = 0
    for start, _ in blocks:
        writer.number(start - before)
        before = start
    pretree = Code(flat(PRETREE))
    for width in flat(PRETREE):
        writer.bits(width, 4)
    old: Sequence[int] = [0] * len(FLAT)
    for _, lengths in blocks:
        _write_lengths(writer, pretree, lengths, old)
        old = lengths


def _write_lengths(
    writer: BitWriter, pretree: Code, lengths: Sequence[int], old: Sequence[int]
) -> None:
    """Write code lengths, by runs and by changes wherever they can be said that way."""
    at = 0
    while at < len(lengths):
        kept = _run(lengths[at:], old[at:])
        filled = _run(lengths[at:], [lengths[at - 1]] * len(lengths)) if at else 0
        change = lengths[at] - old[at]
        run = max(kept, filled)
        if run:
            kind = run - 1 if run < 4 else run.bit_length()
            pretree.write(writer, (31 if kept >= filled else 23) + kind)
            if run > 3:
                writer.bits(run, run.bit_length() - 1)
        elif 1 <= abs(change) <= 3:
            pretree.write(writer, 16 + change if change > 0 else 19 - change)
        else:
            pretree.write(writer, lengths[at])
        at += max(1, run)


def _run(lengths: Sequence[int], expected: Sequence[int]) -> int:
    count = 0
    while count < min(127, len(lengths)) and lengths[count] == expected[count]:
        count += 1
    return count
