"""Random edits against a model of plain dictionaries; the result is sound cell by cell."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.registry.consistency import check
from tests.registry.model import Node, descriptor, snapshot_of
from wimdock.clock import FixedClock
from wimdock.registry import Hive
from wimdock.upcase import fold

CLOCK = FixedClock(datetime(2024, 5, 1, tzinfo=UTC))
BEYOND = "\N{GOTHIC LETTER FAIHU}"
NAMES = st.sampled_from(
    ["a", "A", "b", "Bc", "bC", "ä", "Ä", "µ", "Ж", "ж", BEYOND, "x" * 255, "amd64_n.m_1", "z", "_"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(tuple)
VALUE_NAMES = st.one_of(NAMES, st.just(""), st.sampled_from([f"v{i}" for i in range(12)]))
SIZES = st.sampled_from([0, 1, 3, 4, 5, 8, 60, 61, 500, 4100, 16343, 16344, 16345, 32688, 50000])
EDITS = st.one_of(
    st.tuples(st.just("create"), PATHS, st.one_of(st.none(), st.integers(0, 3))),
    st.tuples(st.just("delete"), PATHS),
    st.tuples(st.just("set"), PATHS, VALUE_NAMES, st.integers(0, 2**32 - 1), SIZES),
    st.tuples(st.just("unset"), PATHS, VALUE_NAMES),
    st.tuples(st.just("secure"), PATHS, st.integers(0, 3)),
    st.tuples(st.just("class"), PATHS, st.sampled_from(["", "Shell", "Ж" * 40])),
    st.tuples(st.just("reopen"), st.just(())),
)


def edit(hive: Hive, model: Node, action: str, path: tuple[str, ...], *rest: object) -> None:
    """Carry out one edit on both."""
    text = "\\".join(path)
    key, node = hive.open_key(text), model.open(path)
    assert (key is None) == (node is None)
    match (action, *rest):
        case ("create", int(number)):
            hive.create_key(text, descriptor(number))
            model.create(path, descriptor(number))
        case ("create", None):
            hive.create_key(text)
            model.create(path)
        case ("delete",):
            assert hive.delete_key(text) == (node is not None)
            if node:
                parent = model.open(path[:-1])
                assert parent
                del parent.subkeys[fold(path[-1])]
        case ("set", str(name), int(type_), int(size)):
            key, node = hive.create_key(text), model.create(path)
            data = (name.encode("utf-8") + bytes(range(256)))[: max(1, size)] * size
            key.set_value(name, type_, data[:size])
            stored = node.values.get(fold(name), (name,))[0]
            node.values[fold(name)] = (str(stored), type_, data[:size])
        case ("unset", str(name)) if key and node:
            assert key.delete_value(name) == (fold(name) in node.values)
            node.values.pop(fold(name), None)
        case ("secure", int(number)) if key and node:
            key.set_security(descriptor(number))
            node.security = descriptor(number)
        case ("class", str(name)) if key and node:
            key.set_class_name(name)
            node.class_name = name


@given(st.lists(EDITS, max_size=60))
@settings(max_examples=150, deadline=None)
def test_edits_agree_with_the_model(edits: list[tuple[str, tuple[str, ...]]]) -> None:
    hive = Hive.empty("SOFTWARE", clock=CLOCK)
    model = snapshot_of(hive.to_bytes())
    rest: list[object]
    for action, path, *rest in edits:
        if action == "reopen":
            data = hive.to_bytes()
            check(data)
            hive = Hive.parse(data, clock=CLOCK)
        else:
            edit(hive, model, action, path, *rest)
    data = hive.to_bytes()
    check(data)
    assert snapshot_of(data) == model


@given(st.lists(EDITS, max_size=30))
@settings(max_examples=30, deadline=None)
def test_everything_deleted_leaves_one_free_cell_per_bin(
    edits: list[tuple[str, tuple[str, ...]]],
) -> None:
    hive = Hive.empty("SOFTWARE", clock=CLOCK)
    model = snapshot_of(hive.to_bytes())
    rest: list[object]
    for action, path, *rest in edits:
        if action != "reopen":
            edit(hive, model, action, path, *rest)
    for key in hive.root.subkeys():
        hive.root.delete_subkey(key.name)
    for value in hive.root.values():
        hive.root.delete_value(value.name)
    checker = check(hive.to_bytes())
    assert len(checker.used) == 2
