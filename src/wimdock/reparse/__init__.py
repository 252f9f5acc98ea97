"""Reparse points: tags, their data, whose they are, and which host understands which.

What a host makes of them is `wimdock.reparse.judgement`; who only shows them need not load that.
"""

from wimdock.reparse.data import (
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
from wimdock.reparse.decode import decode
from wimdock.reparse.encode import encode, junction, symbolic_link
from wimdock.reparse.hosts import Build
from wimdock.reparse.owner import Owner, owner_of
from wimdock.reparse.tags import TAGS, Tag, tag_named, tag_of

__all__ = [
    "TAGS",
    "AppExecLink",
    "Build",
    "CloudFile",
    "ContainerLink",
    "ExternalBacking",
    "LinuxSymlink",
    "MountPoint",
    "NfsFile",
    "Opaque",
    "Owner",
    "ReparseValue",
    "SymbolicLink",
    "Tag",
    "ThirdParty",
    "decode",
    "encode",
    "junction",
    "owner_of",
    "symbolic_link",
    "tag_named",
    "tag_of",
]
