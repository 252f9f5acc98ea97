"""Which updates a schedule takes, as a document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.errors import ScheduleError
from wimdock.site.updates.selection import Selection, kb_of

_AGES = st.none() | st.integers(0, 36_500)


@given(
    st.builds(
        Selection,
        ids=st.lists(st.integers(1, (1 << 31) - 1), unique=True).map(tuple),
        all_applicable=st.booleans(),
        newest_per_family=st.booleans(),
        kbs=st.lists(st.integers(1, 99_999_999).map("KB{}".format), unique=True).map(tuple),
        min_age_days=_AGES,
        max_age_days=_AGES,
        classifications=st.lists(
            st.sampled_from(["Update", "Security Update", "Hotfix"]), unique=True
        ).map(tuple),
    )
)
def test_what_is_written_is_read_again(selection: Selection) -> None:
    try:
        selection.check()
    except ScheduleError:
        with pytest.raises(ScheduleError):
            Selection.from_document(selection.to_document())
        return
    assert Selection.from_document(selection.to_document()) == selection
    assert selection.describe()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"ids": []},
        {"ids": ["1"]},
        {"ids": [True]},
        {"ids": [0]},
        {"ids": 5},
        {"ids": [1 << 31]},
        {"all_applicable": "yes"},
        {"all_applicable": False},
        {"kbs": ["KB"]},
        {"kbs": ["KB12٣"]},
        {"kbs": "KB1"},
        {"min_age_days": -1},
        {"max_age_days": 1e3},
        {"max_age_days": 40_000},
        {"min_age_days": 9, "max_age_days": 8},
        {"classifications": [""]},
        {"classifications": [7]},
        {"classifications": ["x" * 65]},
        {"newest": True},
    ],
)
def test_what_makes_no_sense_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError):
        Selection.from_document(document)


@pytest.mark.parametrize("text", ["KB5000802", "kb5000802", " 5000802 ", "KB05000802"])
def test_a_kb_number_has_one_spelling(text: str) -> None:
    assert kb_of(text) == "KB5000802"


def test_a_selection_is_told_in_words() -> None:
    assert Selection(ids=(16777217, 16777218)).describe() == "16777217, 16777218"
    assert Selection(all_applicable=True).describe() == "all applicable"
    rule = Selection(
        ids=(1,),
        newest_per_family=True,
        kbs=("KB1",),
        min_age_days=1,
        max_age_days=30,
        classifications=("Update",),
    )
    assert rule.describe() == (
        "1, and the newest of each family (KB1, Update, at least 1 day old, at most 30 days old)"
    )
