"""Reasons collected."""

from __future__ import annotations

import pytest

from wimdock.cbs.refusal import Refusals, refuse
from wimdock.errors import UnsupportedPackage


def test_all_reasons_are_kept_once_and_in_order() -> None:
    refusals = Refusals()
    for subject, why in (("b", "two"), ("a", "one"), ("b", "two")):
        with refusals.about(subject):
            refuse(why)
    with refusals.about("c"):
        pass
    assert refusals.reasons == ("b: two", "a: one")
    with pytest.raises(UnsupportedPackage, match="2 things") as caught:
        refusals.close("the update")
    assert caught.value.reasons == refusals.reasons


def test_subjects_nest() -> None:
    refusals = Refusals()
    with refusals.about("component"):
        with refusals.about("key"):
            refuse("why")
        refuse("else")
    assert refusals.reasons == ("component: key: why", "component: else")


def test_nothing_to_refuse() -> None:
    Refusals().close("the update")


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), Refusals().about("x"):
        raise ZeroDivisionError
