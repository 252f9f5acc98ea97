"""Builds of Windows by number and by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.errors import UsageError
from wimdock.reparse.hosts import NAMES, SERVER_2012_R2, SERVER_2016, Build


@pytest.mark.parametrize(
    "text,build",
    [
        ("10.0.14393", Build(10, 0, 14393)),
        ("10.0.14393.5989", Build(10, 0, 14393)),
        ("14393", Build(10, 0, 14393)),
        ("9600", Build(6, 3, 9600)),
        ("28000", Build(10, 0, 28000)),
        ("Server 2016", Build(10, 0, 14393)),
        ("Windows Server 2012 R2", Build(6, 3, 9600)),
        ("2012 R2", Build(6, 3, 9600)),
        ("2012", Build(6, 2, 9200)),
        ("windows 10 1709", Build(10, 0, 16299)),
        ("Windows 11 24H2", Build(10, 0, 26100)),
        ("Server 2025", Build(10, 0, 26100)),
        ("Windows 7", Build(6, 1, 7600)),
    ],
)
def test_parse(text: str, build: Build) -> None:
    assert Build.parse(text) == build


@pytest.mark.parametrize("text", ["", "10.0", "banana", "1.2.3.4.5", "123", "10.0.x", "9" * 30])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Build.parse(text)


def test_names_are_in_order_and_all_parse() -> None:
    assert list(NAMES) == sorted(NAMES)
    for build, names in NAMES.items():
        assert Build.parse(str(build)) == build
        for name in names:
            assert Build.parse(name) == build


def test_name_of_a_build() -> None:
    assert SERVER_2016.name == "Server 2016"
    assert SERVER_2012_R2.name == "Server 2012 R2"
    assert Build(10, 0, 20000).name == "Windows 10 22H2 or later (10.0.20000)"
    assert Build(3, 1, 1).name == "3.1.1"


@given(st.text(max_size=30))
def test_any_text_is_a_build_or_our_error(text: str) -> None:
    try:
        build = Build.parse(text)
    except UsageError:
        return
    assert Build.parse(str(build)) == build
