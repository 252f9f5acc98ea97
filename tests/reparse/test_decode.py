"""Reparse data: what Windows and others write is read; what is broken never raises."""

from __future__ import annotations

import struct
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab import reparse_data as lab
from wimdock.reparse import (
    TAGS,
    AppExecLink,
    CloudFile,
    ContainerLink,
    ExternalBacking,
    LinuxSymlink,
    MountPoint,
    NfsFile,
    Opaque,
    ReparseValue,
    SymbolicLink,
    ThirdParty,
    decode,
    tag_of,
)
from wimdock.reparse.tags import AF_UNIX, NFS

LAYER = uuid.UUID("01234567-89AB-CDEF-0123-456789ABCDEF")
HEADER = 8


def read(raw: bytes) -> ReparseValue:
    """Decode reparse data that begin with their header of 8 bytes."""
    tag = int.from_bytes(raw[:4], "little")
    return decode(tag, raw[HEADER:])


SAMPLES: list[tuple[bytes, ReparseValue]] = [
    (
        lab.symlink("..\\a\\b", relative=True),
        SymbolicLink("..\\a\\b", "..\\a\\b", relative=True),
    ),
    (
        lab.symlink("\\??\\C:\\x", "C:\\x", relative=False),
        SymbolicLink("\\??\\C:\\x", "C:\\x", relative=False),
    ),
    (
        lab.junction("\\??\\C:\\Users", "C:\\Users"),
        MountPoint("\\??\\C:\\Users", "C:\\Users"),
    ),
    (
        lab.app_exec_link("Some.App_8wekyb3d8bbwe", "Some.App_8wekyb3d8bbwe!App", "C:\\x\\a.exe"),
        AppExecLink("Some.App_8wekyb3d8bbwe", "Some.App_8wekyb3d8bbwe!App", "C:\\x\\a.exe", "0"),
    ),
    (lab.lx_symlink("/usr/bin/sé"), LinuxSymlink("/usr/bin/sé")),
    (lab.wof_file(1), ExternalBacking("file", algorithm="LZX")),
    (
        lab.wci(LAYER, "Windows\\notepad.exe"),
        ContainerLink("{01234567-89AB-CDEF-0123-456789ABCDEF}", "Windows\\notepad.exe"),
    ),
    (lab.cloud(lab.CLOUD_6, b"x" * 40), CloudFile("file", 0, 1)),
    (
        lab.third_party(lab.THIRD_PARTY, LAYER, b"secret"),
        ThirdParty("{01234567-89AB-CDEF-0123-456789ABCDEF}", 6),
    ),
    (lab.microsoft(AF_UNIX, b""), Opaque(0)),
    (lab.dedup(b"map"), Opaque(11)),
    (
        lab.microsoft(NFS, b"LNK\x01\0\0\0\0" + "a/b".encode("utf-16-le")),
        NfsFile("symbolic link", target="a/b"),
    ),
    (
        lab.microsoft(NFS, b"CHR\0\0\0\0\0" + struct.pack("<II", 5, 1)),
        NfsFile("character device", device=(5, 1)),
    ),
    (lab.microsoft(NFS, b"FIFO\0\0\0\0"), NfsFile("named pipe")),
    (
        lab.microsoft(lab.WOF, struct.pack("<IIIIQ", 1, 1, 2, 0, 7) + bytes(range(20)) + bytes(44)),
        ExternalBacking("wim", data_source=7, digest=bytes(range(20))),
    ),
]


@pytest.mark.parametrize("raw,value", SAMPLES, ids=lambda item: getattr(item, "kind", ""))
def test_samples_are_read(raw: bytes, value: ReparseValue) -> None:
    assert read(raw) == value
    assert isinstance(value.text, str)
    assert all(isinstance(fact, str | int | bool) for fact in value.facts().values())


def test_targets_for_people() -> None:
    assert SymbolicLink("\\??\\C:\\x", "", relative=False).text == "C:\\x"
    assert MountPoint("\\??\\Volume{1}\\", "").text == "Volume{1}\\"
    assert MountPoint("\\??\\Volume{1}\\", "").is_volume
    assert AppExecLink("p", "e", "c.exe", "0").text == "c.exe (package p, entry point e, type 0)"
    assert (
        SymbolicLink("\\??\\D:\\b", "C:\\a", relative=False).text == "C:\\a (in truth \\??\\D:\\b)"
    )
    unc = SymbolicLink("\\??\\UNC\\server\\share", "\\\\server\\share", relative=False)
    assert unc.text == "\\\\server\\share"
    assert Opaque(3).text == ""
    assert Opaque(3, "short").text == "not readable: short"
    assert CloudFile("packed", 300, 0x8001).text == "packed data, 300 bytes"
    assert ExternalBacking("file", algorithm="LZX").text == "compressed with LZX"
    assert NfsFile("character device", device=(5, 1)).text == "character device 5:1"


@pytest.mark.parametrize(
    "tag,data",
    [
        (0xA000000C, b""),
        (0xA000000C, bytes(11)),
        (0xA000000C, struct.pack("<HHHHI", 0, 2, 0, 0, 0)),
        (0xA000000C, struct.pack("<HHHHI", 65535, 65535, 0, 0, 0)),
        (0xA000000C, struct.pack("<HHHHI", 0, 3, 0, 0, 0) + b"abc"),
        (0xA0000003, bytes(7)),
        (0x8000001B, struct.pack("<I", 3) + "a\0b\0".encode("utf-16-le")),
        (0x8000001B, struct.pack("<I", 2) + "a\0b\0c\0d\0".encode("utf-16-le")),
        (0x8000001B, struct.pack("<I", 3) + "a\0b\0c\0d".encode("utf-16-le")),
        (0xA000001D, b"\2"),
        (0xA000001D, struct.pack("<I", 1)),
        (0x80000017, struct.pack("<IIII", 1, 9, 1, 1)),
        (0x80000017, struct.pack("<IIII", 1, 1, 1, 1)),
        (0x80000018, bytes(25)),
        (0x80000018, bytes(24) + b"\4\0ab"),
        (0x9000001A, b"abc"),
        (0x80000014, b"????\0\0\0\0"),
        (0x80000014, b"CHR\0\0\0\0\0abc"),
        (0x00000044, b"too short"),
    ],
)
def test_what_does_not_fit_is_opaque_with_a_reason(tag: int, data: bytes) -> None:
    value = decode(tag, data)
    assert isinstance(value, Opaque)
    assert value.reason
    assert value.size == len(data)


@given(st.sampled_from([raw for raw, _ in SAMPLES]), st.data())
def test_mutated_data_never_raise(raw: bytes, draw: st.DataObject) -> None:
    mutated = bytearray(raw)
    for _ in range(draw.draw(st.integers(1, 4))):
        if len(mutated) > HEADER:
            position = draw.draw(st.integers(HEADER, len(mutated) - 1))
            mutated[position] = draw.draw(st.integers(0, 255))
    cut = draw.draw(st.integers(HEADER, len(mutated)))
    value = read(bytes(mutated[:cut]))
    assert isinstance(value.text, str)
    value.facts()


@given(st.sampled_from(sorted(TAGS)) | st.integers(0, 0xFFFFFFFF), st.binary(max_size=200))
def test_any_bytes_behind_any_tag_never_raise(tag: int, data: bytes) -> None:
    value = decode(tag, data)
    assert value.kind
    assert isinstance(value, ThirdParty | Opaque) or tag_of(tag).is_microsoft
