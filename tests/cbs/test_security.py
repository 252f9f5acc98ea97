"""Descriptors against real ones, and against a reader of its own."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.cbs.security import ObjectKind, assigned_descriptor, descriptor
from wimdock.cbs.sid import WELL_KNOWN, sid_bytes
from wimdock.errors import UnsupportedPackage
from wimdock.registry import Hive

_TI = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
_CAPABILITY = (
    "S-1-15-3-1024-1065365936-1281604716-3511738428-1654721687"
    "-432734479-3232135806-4053264122-3456934681"
)
# As the manifests of Windows 10 define it.
WRP_REGKEY = (
    f"O:{_TI}G:{_TI}D:P(A;CI;GA;;;{_TI})(A;CI;GR;;;SY)(A;CI;GR;;;BA)(A;CI;GR;;;BU)"
    f"(A;CI;GR;;;S-1-15-2-1)(A;CI;GR;;;{_CAPABILITY})"
)
WRP_FILE = (
    f"O:{_TI}G:{_TI}D:P(A;;FA;;;{_TI})(A;;GRGX;;;BA)(A;;GRGX;;;SY)(A;;GRGX;;;BU)"
    "(A;;GRGX;;;S-1-15-2-1)(A;;GRGX;;;S-1-15-2-2)S:(AU;FASA;0x000D0116;;;WD)"
)
WRP_PARENT_DIR = (
    f"O:{_TI}G:{_TI}D:P(A;CI;GA;;;{_TI})(A;;0x1301bf;;;SY)(A;IOCIOI;GA;;;SY)"
    "(A;;0x1301bf;;;BA)(A;IOCIOI;GA;;;BA)(A;CIOI;GRGX;;;BU)(A;OICIIO;GA;;;CO)"
    "(A;CIOI;GRGX;;;S-1-15-2-1)(A;CIOI;GRGX;;;S-1-15-2-2)"
)
SSH_AGENT = (
    "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)(A;;CCLCSWLOCRRC;;;IU)"
    "(A;;CCLCSWLOCRRC;;;SU)(A;;RP;;;AU)"
)

Ace = tuple[int, int, int, bytes]


def read(data: bytes) -> tuple[int, bytes, bytes, list[Ace] | None, list[Ace] | None]:
    """Read a self-relative descriptor after [MS-DTYP] 2.4.6: control, owner, group, SACL, DACL."""
    revision, _, control, owner, group, sacl, dacl = struct.unpack_from("<BBHIIII", data)
    assert revision == 1
    assert control & 0x8000

    def sid(at: int) -> bytes:
        return data[at : at + 8 + 4 * data[at + 1]] if at else b""

    def acl(at: int) -> list[Ace] | None:
        if not at:
            return None
        acl_revision, _, size, count, _ = struct.unpack_from("<BBHHH", data, at)
        assert acl_revision == 2
        position = at + 8
        entries = []
        for _ in range(count):
            kind, flags, length, mask = struct.unpack_from("<BBHI", data, position)
            entries.append((kind, flags, mask, data[position + 8 : position + length]))
            position += length
        assert position == at + size
        return entries

    return control, sid(owner), sid(group), acl(sacl), acl(dacl)


def masks(data: bytes | None) -> list[tuple[int, int]]:
    assert data is not None
    return [(flags, mask) for _, flags, mask, _ in read(data)[4] or []]


def test_the_keys_of_a_real_hive_carry_exactly_these_bytes(real_system: Hive) -> None:
    expected = assigned_descriptor(WRP_REGKEY, ObjectKind.KEY)
    pending = [real_system.open_key("ControlSet001\\Control\\SafeBoot")]
    same = 0
    while pending:
        key = pending.pop()
        assert key is not None
        same += key.security == expected
        pending.extend(key.subkeys())
    assert same > 100


def test_a_service_of_a_real_hive_has_the_descriptor_of_its_parent(real_system: Hive) -> None:
    services = real_system.open_key("ControlSet001\\Services")
    sshd = real_system.open_key("ControlSet001\\Services\\sshd")
    assert services is not None
    assert sshd is not None
    assert sshd.security == services.security


def test_the_service_of_a_real_hive_carries_exactly_these_bytes(real_system: Hive) -> None:
    key = real_system.open_key("ControlSet001\\Services\\ssh-agent\\Security")
    assert key is not None
    value = key.value("Security")
    assert value is not None
    assert descriptor("O:SYG:SY" + SSH_AGENT) == value.data


def test_generic_rights_of_a_file_become_its_own() -> None:
    data = assigned_descriptor(WRP_FILE, ObjectKind.FILE)
    assert masks(data) == [(0, 0x1F01FF)] + [(0, 0x1200A9)] * 5
    assert data is not None
    control, owner, group, sacl, _ = read(data)
    assert control == 0x9C14
    assert owner == group == sid_bytes(_TI)
    assert sacl == [(2, 0xC0, 0xD0116, sid_bytes("WD"))]


def test_an_entry_that_is_inherited_and_effective_is_split() -> None:
    assert masks(assigned_descriptor(WRP_PARENT_DIR, ObjectKind.FILE)) == [
        (0x00, 0x001F01FF),
        (0x0A, 0x10000000),
        (0x00, 0x001301BF),
        (0x0B, 0x10000000),
        (0x00, 0x001301BF),
        (0x0B, 0x10000000),
        (0x00, 0x001200A9),
        (0x0B, 0xA0000000),
        (0x0B, 0x10000000),
        (0x00, 0x001200A9),
        (0x0B, 0xA0000000),
        (0x00, 0x001200A9),
        (0x0B, 0xA0000000),
    ]


def test_without_a_dacl_an_object_takes_that_of_its_folder() -> None:
    assert assigned_descriptor("O:SYG:SY", ObjectKind.FILE) is None
    assert assigned_descriptor("S:(AU;FA;FA;;;WD)", ObjectKind.KEY) is None


def test_owner_and_group_that_are_left_out_are_the_system() -> None:
    data = assigned_descriptor("D:P(A;;GA;;;BA)", ObjectKind.KEY)
    assert data is not None
    assert read(data)[1:3] == (sid_bytes("SY"), sid_bytes("SY"))


def test_a_mandatory_label() -> None:
    _, _, _, sacl, dacl = read(descriptor("S:(ML;CIOI;NWNX;;;HI)"))
    assert dacl is None
    assert sacl == [(0x11, 0x03, 0x5, sid_bytes("S-1-16-12288"))]


def test_a_null_list_and_an_empty_list_differ() -> None:
    control, *_, dacl = read(descriptor("D:NO_ACCESS_CONTROL"))
    assert (control & 0x4, dacl) == (0x4, None)
    assert read(descriptor("D:P"))[4] == []


@pytest.mark.parametrize(
    "flags, bits", [("P", 0x1000), ("AI", 0x0400), ("AR", 0x0100), ("PAIAR", 0x1500)]
)
def test_flags_of_a_list(flags: str, bits: int) -> None:
    assert read(descriptor(f"D:{flags}(A;;GA;;;SY)"))[0] == 0x8004 | bits
    assert read(descriptor(f"S:{flags}(AU;SA;GA;;;SY)"))[0] == 0x8010 | bits << 1


@pytest.mark.parametrize(
    "rights, mask",
    [("0x1301bf", 0x1301BF), ("17", 17), ("017", 15), ("0", 0), ("KAGR", 0x800F003F), ("", 0)],
)
def test_rights(rights: str, mask: int) -> None:
    assert masks(descriptor(f"D:(A;;{rights};;;SY)")) == [(0, mask)]


@pytest.mark.parametrize(
    "sddl, why",
    [
        ("D:(OA;;RP;bf967aba-0de6-11d0-a285-00aa003049e2;;SY)", "object"),
        ('D:(XA;;FX;;;WD;(@User.Title=="PM"))', "not supported"),
        ("D:(XA;;FX;;;WD)", "conditional"),
        ("S:(RA;;;;;WD)", "resource attribute"),
        ("S:(SP;;;;;S-1-17-1)", "scoped policy"),
        ("D:(A;;GA;;;DA)", "domain"),
        ("D:(A;;GA;;)", "six fields"),
        ("D:(A;ZZ;GA;;;SY)", "letters"),
        ("D:(A;;G;;;SY)", "letters"),
        ("D:(A;;0x1FFFFFFFF;;;SY)", "letters"),
        ("D:(A;;GA;;;SY", "not supported"),
        ("D:Q(A;;GA;;;SY)", "flag"),
        ("D:(B;;GA;;;SY)", "type of entry"),
        ("D:D:", "twice"),
        ("hello", "no O:"),
        ("D:NO_ACCESS_CONTROL(A;;GA;;;SY)", "NULL"),
        ("D:" + "(A;;GA;;;SY)" * 5000, "more entries"),
        ("D:" + "(A;;GA;;;SY)" * 6000, "characters"),
    ],
)
def test_what_is_not_understood_is_refused(sddl: str, why: str) -> None:
    with pytest.raises(UnsupportedPackage, match=why) as caught:
        descriptor(sddl)
    assert caught.value.reasons


_FLAGS = st.sets(st.sampled_from(["OI", "CI", "NP", "IO"]))
_RIGHTS = st.one_of(
    st.integers(0, 2**32 - 1).map(hex),
    st.lists(st.sampled_from(["GA", "GR", "GX", "RC", "WD", "KA", "FR", "CC"]), max_size=4).map(
        "".join
    ),
)
_ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["A", "D", "AU"]), _FLAGS, _RIGHTS, st.sampled_from(sorted(WELL_KNOWN))
    ),
    max_size=8,
)


@given(_ENTRIES)
def test_what_is_written_is_what_is_read(entries: list[tuple[str, set[str], str, str]]) -> None:
    text = "".join(f"({t};{''.join(sorted(f))};{r};;;{s})" for t, f, r, s in entries)
    _, owner, group, _, dacl = read(descriptor(f"O:BAG:SYD:AI{text}"))
    assert (owner, group) == (sid_bytes("BA"), sid_bytes("SY"))
    assert dacl is not None
    assert [sid for *_, sid in dacl] == [sid_bytes(alias) for *_, alias in entries]
    for kind in ObjectKind:
        data = assigned_descriptor(f"D:{text}", kind)
        assert data is not None
        for _, flags, mask, _ in read(data)[4] or []:
            assert flags & 0x08 or not mask & 0xF0000000


@given(st.text(alphabet="OGDS:PAI();0x1FRSYBAWD- \n", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UnsupportedPackage):
        read(descriptor(text))
        assigned_descriptor(text, ObjectKind.FILE)
