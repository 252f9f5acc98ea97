"""Reparse points: tags, their data, whose they are, and which host understands which.

Writing them is `wimdock.reparse.encode`, what a host makes of them `wimdock.reparse.judgement`: who
only shows them need not load those.
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
    "owner_of",
    "tag_named",
    "tag_of",
]
