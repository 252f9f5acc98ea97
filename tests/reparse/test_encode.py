"""Links written and read again; wimlib is the witness in tests/image/test_reparse_points.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.errors import UsageError
from wimdock.reparse import AppExecLink, MountPoint, SymbolicLink, decode
from wimdock.reparse.encode import encode, junction, symbolic_link

NAMES = st.text(st.characters(codec="utf-16-le"), max_size=60)
STRINGS = st.text(st.characters(codec="utf-16-le", exclude_characters="\0"), max_size=60)


@given(st.builds(SymbolicLink, NAMES, NAMES, relative=st.booleans()))
def test_symlinks_come_back(link: SymbolicLink) -> None:
    assert decode(*encode(link)) == link


@given(st.builds(MountPoint, NAMES, NAMES))
def test_mount_points_come_back(link: MountPoint) -> None:
    assert decode(*encode(link)) == link


@given(st.builds(AppExecLink, STRINGS, STRINGS, STRINGS, STRINGS, st.just(3)))
def test_app_exec_links_come_back(link: AppExecLink) -> None:
    assert decode(*encode(link)) == link


@pytest.mark.parametrize(
    "target,substitute,relative",
    [
        ("..\\x", "..\\x", True),
        ("\\x", "\\x", True),
        ("C:\\x", "\\??\\C:\\x", False),
        ("\\\\?\\C:\\x", "\\??\\C:\\x", False),
        ("\\\\server\\share", "\\??\\UNC\\server\\share", False),
    ],
)
def test_links_as_mklink_makes_them(target: str, substitute: str, relative: bool) -> None:  # noqa: FBT001
    assert symbolic_link(target) == SymbolicLink(substitute, target, relative=relative)


def test_junctions_as_mklink_makes_them() -> None:
    assert junction("C:\\Users") == MountPoint("\\??\\C:\\Users", "C:\\Users")
    volume = "\\\\?\\Volume{01234567-89AB-CDEF-0123-456789ABCDEF}\\"
    assert junction(volume).is_volume
    assert junction(volume).printed == volume


@pytest.mark.parametrize(
    "link",
    [
        SymbolicLink("x" * 40_000, "", relative=True),
        SymbolicLink("x" * 4_200, "x" * 4_200, relative=True),
        MountPoint("x" * 8_185, ""),
        AppExecLink("p", "e", "x" * 8_200, "0"),
        AppExecLink("p\0q", "e", "x", "0"),
    ],
)
def test_what_no_reparse_point_holds_is_refused(
    link: SymbolicLink | MountPoint | AppExecLink,
) -> None:
    with pytest.raises(UsageError):
        encode(link)
