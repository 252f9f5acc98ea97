"""The kernel's table of mounts, read from text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wimdock.errors import StagingError
from wimdock.servicing.cleanup.mounts_in import mount_holding, read_mounts
from wimdock.servicing.mount_table import parse_mounts

_TABLE = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
42 27 0:39 / /srv/d/Config\040Mgr\134x\012y rw,nosuid - fuse.wimfs wimfs rw,user_id=0
43 27 8:1 /sub/folder /srv/bind rw shared:1 master:2 - ext4 /dev/sda1 rw
44 27 0:40 / /srv/- rw - tmpfs - rw
not a line
45 x 0:1 / /srv
"""


def test_lines() -> None:
    found = list(parse_mounts(_TABLE + b"46 27 0:41 / /srv/\xff rw - tmpfs none rw\n"))
    assert [mount.id for mount in found] == [22, 42, 43, 44, 46]
    assert found[1].directory == Path("/srv/d/Config Mgr\\x\ny")
    assert [mount.kind for mount in found] == ["proc", "fuse.wimfs", "ext4", "tmpfs", "tmpfs"]
    assert os.fsencode(found[4].directory) == b"/srv/\xff"
    assert [mount.is_wim for mount in found] == [False, True, False, False, False]
    assert [mount.owner for mount in found] == [None, 0, None, None, None]
    assert (found[2].parent, found[2].root) == (27, Path("/sub/folder"))


def test_without_a_table_nothing_is_proved(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match="nothing can be proved"):
        read_mounts(tmp_path / "missing")


def test_where_a_file_lies(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        mount = mount_holding(fd)
    finally:
        os.close(fd)
    assert mount is not None
    assert tmp_path.is_relative_to(mount.directory)
    with pytest.raises(StagingError):
        mount_holding(fd)
