"""Traces put in order, and their codes: in the order of the logs, or the innermost error first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wimdock.doctor.trace import Trace

_DEPTH = {"cbs": 1, "dism": 2, "offline": 3}


def in_order(traces: Iterable[Trace]) -> list[Trace]:
    """Put traces in the order in which they were read, each once."""
    unique = {trace.order: trace for trace in traces}
    return [unique[order] for order in sorted(unique)]


def innermost_first(traces: Iterable[Trace]) -> list[Trace]:
    """Put the image library's frames first, then component servicing, DISM, the site's log."""
    return sorted(
        traces, key=lambda each: (0 if each.is_stack else _DEPTH.get(each.log, 4), each.order)
    )


def codes_of(
    traces: Iterable[Trace], wanted: Callable[[int], bool] = lambda _: True
) -> tuple[int, ...]:
    """Give the codes of failures in traces, each once."""
    codes = (code for trace in traces for code in trace.failures if wanted(code))
    return tuple(dict.fromkeys(codes))
