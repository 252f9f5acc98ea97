"""Applying a delta: basis and delta in, target out."""

from __future__ import annotations

from wimdock.delta.calls import restore_calls
from wimdock.delta.expansion import expand
from wimdock.delta.faults import Fault, malformed
from wimdock.delta.header import read_delta
from wimdock.errors import DeltaError

MOST_BYTES = 256 * 1024 * 1024
"""The largest target that is made unless the caller allows another size."""


def apply_delta(delta: bytes, basis: bytes, *, max_size: int = MOST_BYTES) -> bytes:
    """Give the target that a PA30 delta makes from its basis (empty where it has none).

    The target has the size and, where the delta promises one, the hash that it promises. Raises
    UnsupportedDelta where a PE transform or another format is needed, DeltaError for everything
    else; a target of more than `max_size` bytes is refused before anything is allocated.
    """
    parts = read_delta(delta)
    header = parts.header
    header.check_supported()
    if header.target_size > max_size:
        message = (
            f"The delta makes {header.target_size:,} bytes, more than the {max_size:,} allowed."
        )
        raise DeltaError(message, hint="Nothing that big is expected here: check the update.")
    if parts.preparation:
        raise malformed(Fault.PREPARATION)
    target = expand(parts.patch, basis, header.target_size)
    if header.restores_calls:
        target = restore_calls(target)
    header.check_target(target)
    return target
