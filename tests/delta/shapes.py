"""Random but valid deltas: codes, rift tables, and steps with what they make, found naively."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from tests.lab.pa30_writer import (
    ALIGNED,
    LENGTH,
    MAIN,
    Copy,
    Exact,
    Literal,
    Offset,
    Recent,
    Shape,
    Step,
)

Rift = list[tuple[int, int]]

RANDOMS = st.integers(0, 2**32).map(Random)
"""Seeds rather than hypothesis' own random numbers: a block alone takes thousands of them."""


def complete_lengths(random: Random, symbols: int, used: int) -> list[int]:
    """Give the code lengths of a random complete code in which `used` of the symbols occur."""
    leaves = [1, 1]
    while len(leaves) < used:
        index = random.randrange(len(leaves))
        if leaves[index] < 15:
            leaves[index] += 1
            leaves.append(leaves[index])
    lengths = [0] * symbols
    for symbol, length in zip(random.sample(range(symbols), len(leaves)), leaves, strict=True):
        lengths[symbol] = length
    return lengths


def block_lengths(random: Random) -> list[int]:
    """Give the 872 code lengths of a block in which every symbol can be said."""
    lengths = []
    for symbols in (MAIN, LENGTH, ALIGNED):
        lengths += complete_lengths(random, symbols, symbols)
    return lengths


def random_shape(random: Random, basis_size: int, target_size: int) -> Shape:
    """Give blocks and a rift table, or none of them."""
    end = basis_size + target_size
    starts = sorted(random.sample(range(basis_size, end), min(target_size, random.randrange(4))))
    blocks = [(start, block_lengths(random)) for start in starts]
    if len(blocks) > 1 and random.random() < 0.5:
        blocks[1] = (blocks[1][0], nearly(random, blocks[0][1]))
    rift = [
        (start, random.randrange(max(1, basis_size)) - start)
        for start in sorted(random.sample(range(end), min(end, random.randrange(4))))
    ]
    return Shape(blocks, rift)


def nearly(random: Random, lengths: list[int]) -> list[int]:
    """Exchange a few code lengths for one another, so that the code stays complete."""
    changed = list(lengths)
    for _ in range(20):
        one, other = random.randrange(MAIN), random.randrange(MAIN)
        changed[one], changed[other] = changed[other], changed[one]
    return changed


def shift_at(rift: Rift, basis_size: int, position: int) -> int:
    """Give the shift of the rift table at a position: the last entry not behind it, or the last."""
    entries = sorted([*rift, (basis_size, -basis_size)], key=lambda entry: entry[0])
    shifts = [shift for start, shift in entries if start <= position]
    return shifts[-1] if shifts else entries[-1][1]


def random_steps(
    random: Random, basis: bytes, target_size: int, rift: Rift
) -> tuple[list[Step], bytes]:
    """Give steps that can be taken, and what they make."""
    window = bytearray(basis)
    end = len(basis) + target_size
    recent = [0, 0, 0]
    steps: list[Step] = []
    while len(window) < end:
        step, distance = _random_step(random, window, end, recent, rift, len(basis))
        made = _made(step, distance, window, rift, len(basis))
        if made is None:
            step, made, distance = Literal(random.randrange(256)), b"", 0
            made = bytes([step.byte])
        steps.append(step)
        window += made
        if distance:
            recent = _remember(recent, distance)
    return steps, bytes(window[len(basis) :])


def _random_step(
    random: Random, window: bytearray, end: int, recent: list[int], rift: Rift, basis_size: int
) -> tuple[Step, int]:
    room = end - len(window)
    kind = random.randrange(6) if room > 1 else 0
    count = random.choice([2, 3, 8, 9, 263, 264, 300, 1000])
    count = min(count, room)
    shift = shift_at(rift, basis_size, len(window))
    if kind == 1 and window:
        distance = random.randrange(1, len(window) + 1)
        return Copy(distance, count), distance
    if kind == 2:
        index = random.randrange(3)
        return Recent(index, count), recent[index]
    if kind == 3:
        offset = random.choice([0, -1, 1, random.randrange(-0x2A000, 0x2A000)])
        return Offset(offset, count), offset - shift
    if kind == 4:
        return Exact(count), -shift
    return Literal(random.randrange(256)), 0


def _made(
    step: Step, distance: int, window: bytearray, rift: Rift, basis_size: int
) -> bytes | None:
    """Take one step byte by byte; None where it leads out of the window."""
    if isinstance(step, Literal):
        return bytes([step.byte])
    grown = bytearray(window)
    for _ in range(step.count):
        if isinstance(step, Exact):
            distance = -shift_at(rift, basis_size, len(grown))
        if not 0 < distance <= len(grown):
            return None
        grown.append(grown[-distance])
    return bytes(grown[len(window) :])


def _remember(recent: list[int], distance: int) -> list[int]:
    """Put a distance in front, as the last of three different ones."""
    if distance == recent[0]:
        return recent
    if distance == recent[1]:
        return [distance, recent[0], recent[2]]
    return [distance, recent[0], recent[1]]
