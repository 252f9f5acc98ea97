"""The hosts that a preflight judges where nobody names one: an example of each server build."""

from __future__ import annotations

from wimdock.configmgr.provider import WIMDOCK, Provider
from wimdock.reparse.hosts import (
    SERVER_2012,
    SERVER_2012_R2,
    SERVER_2016,
    SERVER_2019,
    SERVER_2022,
    SERVER_2025,
)

_BUILDS = (SERVER_2012, SERVER_2012_R2, SERVER_2016, SERVER_2019, SERVER_2022, SERVER_2025)

EXAMPLE_HOSTS = (
    *(Provider(build.name, build, source="an example of this build") for build in _BUILDS),
    Provider(WIMDOCK, None, source="wimdock itself"),
)
"""Oldest first, and wimdock."""
