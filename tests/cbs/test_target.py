"""Texts of registry values, however broken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.cbs.planning import FakeImage, FakeValue
from wimdock.cbs.target import TargetImage, text_of, texts_of
from wimdock.image.staging import StagedImage
from wimdock.image.windows import WindowsImage
from wimdock.registry import encode_string, encode_strings


def test_texts() -> None:
    assert text_of(None) == ""
    assert texts_of(None) == ()
    assert text_of(FakeValue("", 1, encode_string("text"))) == "text"
    assert texts_of(FakeValue("", 7, encode_strings(["a", "b"]))) == ("a", "b")


@given(st.binary(max_size=40))
def test_any_bytes_are_some_text(data: bytes) -> None:
    value = FakeValue("", 1, data)
    assert "\0" not in text_of(value)
    assert all(texts_of(value))


def images(windows: WindowsImage, staged: StagedImage) -> tuple[TargetImage, ...]:
    """Show to the type checker that all of these can be planned for."""
    return (windows, staged, FakeImage())


def test_what_planning_asks_is_what_images_answer() -> None:
    assert callable(images)
