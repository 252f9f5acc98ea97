"""Which reparse points trouble which host, and how sure that is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.reparse import (
    TAGS,
    AppExecLink,
    Build,
    ExternalBacking,
    LinuxSymlink,
    Opaque,
    Owner,
    ReparseValue,
    SymbolicLink,
    ThirdParty,
    tags,
)
from wimdock.reparse.encode import junction, symbolic_link
from wimdock.reparse.judgement import Strength, judge

OLD, NEW = Build.parse("2012 R2"), Build.parse("Server 2025")
STRONG, WEAK = Strength.STRONG, Strength.WEAK
ALIAS = AppExecLink("p", "e", "x", "0")
VOLUME = "\\\\?\\Volume{01234567-89AB-CDEF-0123-456789ABCDEF}\\"


@pytest.mark.parametrize(
    "tag,value,owner,host,expected",
    [
        (tags.APPEXECLINK, ALIAS, Owner.STORE, OLD, STRONG),
        (tags.APPEXECLINK, ALIAS, Owner.STORE, NEW, None),
        (tags.LX_SYMLINK, LinuxSymlink("x"), Owner.WSL, OLD, STRONG),
        (0x9000FEED, Opaque(1), Owner.UNKNOWN, NEW, STRONG),
        (0x44, ThirdParty("{}", 1), Owner.THIRD_PARTY, NEW, WEAK),
        (tags.WOF, ExternalBacking("file", algorithm="LZX"), Owner.COMPACT, OLD, STRONG),
        (tags.WOF, ExternalBacking("wim"), Owner.COMPACT, OLD, None),
        (tags.WOF, ExternalBacking("file", algorithm="LZX"), Owner.COMPACT, NEW, None),
        (tags.SYMLINK, symbolic_link("..\\x"), Owner.PLAIN, OLD, None),
        (tags.SYMLINK, symbolic_link("C:\\x"), Owner.PLAIN, OLD, WEAK),
        (tags.SYMLINK, SymbolicLink("\\??\\C:\\x", "x", relative=True), Owner.PLAIN, OLD, WEAK),
        (tags.SYMLINK, symbolic_link("\\\\?\\C:\\x"), Owner.OFFICE, NEW, WEAK),
        (tags.SYMLINK, symbolic_link(VOLUME), Owner.PLAIN, NEW, WEAK),
        (tags.SYMLINK, symbolic_link("C:\\ProgramData"), Owner.WINDOWS, OLD, None),
        (tags.MOUNT_POINT, junction("C:\\Users"), Owner.PLAIN, OLD, None),
        (tags.MOUNT_POINT, junction(VOLUME), Owner.PLAIN, OLD, WEAK),
        (tags.SYMLINK, Opaque(2, "short"), Owner.PLAIN, NEW, WEAK),
        (tags.DEDUP, Opaque(9), Owner.DEDUPLICATION, OLD, None),
    ],
)
def test_judgement(
    tag: int, value: ReparseValue, owner: Owner, host: Build, expected: Strength | None
) -> None:
    judgement = judge(tag, value, owner, host)
    assert (judgement and judgement.strength) == expected
    if judgement is not None:
        assert judgement.reason.endswith(".")


@given(st.sampled_from(sorted(TAGS)), st.sampled_from([OLD, NEW]))
def test_a_tag_that_the_host_does_not_know_is_always_a_strong_finding(
    tag: int, host: Build
) -> None:
    judgement = judge(tag, Opaque(0), Owner.UNKNOWN, host)
    assert (judgement is None) == TAGS[tag].is_known_to(host)
    assert judgement is None or judgement.strength is STRONG
