"""From the bytes behind a tag to the value that they say.

The bytes are those of a WIM file's blob: without the 8-byte header of [MS-FSCC] 2.1.2.2, so that a
third party's begin with its GUID. Layouts: symbolic link 2.1.2.4, mount point 2.1.2.5, NFS 2.1.2.6
and LX_SYMLINK 2.1.2.7 of [MS-FSCC]; WOF after the Windows SDK (`wofapi.h`); APPEXECLINK, WCI and
CLOUD are not specified and are given as far as their headers are commonly known.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from wimdock.reparse import tags
from wimdock.reparse.data import (
    APPEXECLINK_VERSION,
    LX_SYMLINK_VERSION,
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
)

SYMLINK_FLAG_RELATIVE = 1

_NAMES = struct.Struct("<HHHH")
_FLAGS = struct.Struct("<I")
_WOF = struct.Struct("<II")
_WOF_FILE = struct.Struct("<II")
_WOF_WIM = struct.Struct("<IIQ20s")
_WCI = struct.Struct("<II16sH")
_CLOUD = struct.Struct("<HH4s")
_NFS = struct.Struct("<8s")
_DEVICE = struct.Struct("<II")
_GUID = struct.Struct("<IHH8s")

_WOF_PROVIDER_WIM = 1
_WOF_PROVIDER_FILE = 2
_WOF_ALGORITHMS = {0: "XPRESS4K", 1: "LZX", 2: "XPRESS8K", 3: "XPRESS16K"}
_CLOUD_SIGNATURES = {b"FeRp": "file", b"BtRp": "bitmap"}
_NFS_TYPES = {
    b"LNK\x01\0\0\0\0": "symbolic link",
    b"CHR\0\0\0\0\0": "character device",
    b"BLK\0\0\0\0\0": "block device",
    b"FIFO\0\0\0\0": "named pipe",
    b"SOCK\0\0\0\0": "socket",
}

_APPEXECLINK_STRINGS = 4


def guid_text(guid: bytes) -> str:
    """Write a GUID of 16 bytes the way Windows does, in braces."""
    first, second, third, rest = _GUID.unpack(guid)
    tail = f"{rest[:2].hex()}-{rest[2:].hex()}".upper()
    return f"{{{first:08X}-{second:04X}-{third:04X}-{tail}}}"


class _MisfitError(ValueError):
    """The data do not have the form that their tag asks for; never leaves this module."""


def _need(data: bytes, size: int) -> None:
    if len(data) < size:
        message = f"{len(data)} bytes where at least {size} belong"
        raise _MisfitError(message)


def _text(data: bytes) -> str:
    if len(data) % 2:
        message = "text with half a character at its end"
        raise _MisfitError(message)
    return data.decode("utf-16-le", "surrogatepass")


def _names(data: bytes, start: int) -> tuple[str, str]:
    """Give substitute and print name of a link; their offsets count from `start`."""
    _need(data, start)
    names = []
    fields = _NAMES.unpack_from(data)
    for offset, length in (fields[:2], fields[2:]):
        if start + offset + length > len(data):
            message = f"a name at {offset} of {length} bytes reaches past the end"
            raise _MisfitError(message)
        names.append(_text(data[start + offset : start + offset + length]))
    return names[0], names[1]


def _symlink(data: bytes) -> SymbolicLink:
    substitute, printed = _names(data, _NAMES.size + _FLAGS.size)
    (flags,) = _FLAGS.unpack_from(data, _NAMES.size)
    return SymbolicLink(substitute, printed, relative=bool(flags & SYMLINK_FLAG_RELATIVE))


def _mount_point(data: bytes) -> MountPoint:
    return MountPoint(*_names(data, _NAMES.size))


def _app_exec_link(data: bytes) -> AppExecLink:
    _need(data, _FLAGS.size)
    (version,) = _FLAGS.unpack_from(data)
    if version != APPEXECLINK_VERSION:
        message = f"version {version}, only {APPEXECLINK_VERSION} is known"
        raise _MisfitError(message)
    *strings, rest = _text(data[_FLAGS.size :]).split("\0")
    if len(strings) < _APPEXECLINK_STRINGS or rest:
        message = f"{len(strings)} strings where {_APPEXECLINK_STRINGS} belong"
        raise _MisfitError(message)
    package, entry_point, executable, application_type = strings[:_APPEXECLINK_STRINGS]
    return AppExecLink(package, entry_point, executable, application_type, version)


def _lx_symlink(data: bytes) -> LinuxSymlink:
    _need(data, _FLAGS.size)
    (version,) = _FLAGS.unpack_from(data)
    if version != LX_SYMLINK_VERSION:
        message = f"version {version}, only {LX_SYMLINK_VERSION} is known"
        raise _MisfitError(message)
    return LinuxSymlink(data[_FLAGS.size :].decode("utf-8", "surrogateescape"), version)


def _wof(data: bytes) -> ExternalBacking:
    _need(data, _WOF.size + _WOF_FILE.size)
    _, provider = _WOF.unpack_from(data)
    if provider == _WOF_PROVIDER_FILE:
        _, algorithm = _WOF_FILE.unpack_from(data, _WOF.size)
        name = _WOF_ALGORITHMS.get(algorithm, f"algorithm {algorithm}")
        return ExternalBacking("file", algorithm=name)
    if provider == _WOF_PROVIDER_WIM:
        _need(data, _WOF.size + _WOF_WIM.size)
        _, _, source, digest = _WOF_WIM.unpack_from(data, _WOF.size)
        return ExternalBacking("wim", data_source=source, digest=digest)
    message = f"provider {provider} is not known"
    raise _MisfitError(message)


def _wci(data: bytes) -> ContainerLink:
    _need(data, _WCI.size)
    version, _, layer, length = _WCI.unpack_from(data)
    _need(data, _WCI.size + length)
    name = _text(data[_WCI.size : _WCI.size + length])
    return ContainerLink(guid_text(layer), name, version)


def _cloud(data: bytes) -> CloudFile:
    _need(data, _CLOUD.size)
    flags, size, signature = _CLOUD.unpack_from(data)
    # The signature stands there only when the data are not packed: it tells more surely than the
    # flags do, whose meaning nobody has specified.
    return CloudFile(_CLOUD_SIGNATURES.get(signature, "packed"), size, flags)


def _nfs(data: bytes) -> NfsFile:
    _need(data, _NFS.size)
    (code,) = _NFS.unpack_from(data)
    kind = _NFS_TYPES.get(code)
    if kind is None:
        message = f"type {code.hex()} is not known"
        raise _MisfitError(message)
    if kind == "symbolic link":
        return NfsFile(kind, target=_text(data[_NFS.size :]))
    if kind.endswith("device"):
        _need(data, _NFS.size + _DEVICE.size)
        return NfsFile(kind, device=_DEVICE.unpack_from(data, _NFS.size))
    return NfsFile(kind)


_DECODERS: dict[int, Callable[[bytes], ReparseValue]] = {
    tags.SYMLINK: _symlink,
    tags.MOUNT_POINT: _mount_point,
    tags.APPEXECLINK: _app_exec_link,
    tags.LX_SYMLINK: _lx_symlink,
    tags.WOF: _wof,
    tags.WCI: _wci,
    tags.WCI_1: _wci,
    tags.WCI_LINK: _wci,
    tags.WCI_LINK_1: _wci,
    tags.NFS: _nfs,
    **dict.fromkeys(tags.CLOUD_TAGS, _cloud),
}


def decode(tag: int, data: bytes) -> ReparseValue:
    """Give what the data behind a tag say; `Opaque` where that is not known or cannot be."""
    if not tag & tags.MICROSOFT:
        if len(data) < _GUID.size:
            return Opaque(len(data), "a third party's data without its GUID")
        return ThirdParty(guid_text(data[: _GUID.size]), len(data) - _GUID.size)
    decoder = _DECODERS.get(tag)
    if decoder is None:
        return Opaque(len(data))
    try:
        return decoder(data)
    except _MisfitError as misfit:
        return Opaque(len(data), str(misfit))
