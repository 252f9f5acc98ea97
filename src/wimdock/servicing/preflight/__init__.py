"""Preflight: what would stop a run, known before it begins. Nothing here ever writes anything.

`judge_host` tells whether a host can commit an image; mounts, the rehearsal and the doctor ask it
too, so that all of them say the same.
"""

from wimdock.servicing.preflight.host import Ability, HostVerdict, Trouble, judge_host

__all__ = ["Ability", "HostVerdict", "Trouble", "judge_host"]
