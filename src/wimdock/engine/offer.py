"""What a worker offers, told by its options, the settings of the site and the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from wimdock.site.models import WorkerRow
from wimdock.site.runs.create import DEFAULT_QUEUE
from wimdock.site.runs.queue import WorkerOffer
from wimdock.site.site import Site

_MIB = 1 << 20
_PROC = Path("/proc")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker was asked to be; None and empty stand for what the settings say.

    `queues` empty stands for the default queue, `architectures` empty for all. `storage` gives
    folders of storage locations on this machine. `memory` is in MiB. `grace` is for how many
    seconds runs may go on when the worker is told to end.
    """

    queues: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    storage: Mapping[str, Path] = field(default_factory=dict)
    memory: int | None = None
    concurrency: int | None = None
    grace: float = 60.0


def site_of_worker(site: Site, options: WorkerOptions) -> Site:
    """Give the site as the worker's machine sees it: with its folders of storage locations."""
    if not options.storage:
        return site
    storage = {**site.settings.storage, **options.storage}
    return replace(site, settings=replace(site.settings, storage=storage))


def offer_of(site: Site, options: WorkerOptions) -> WorkerOffer:
    """Give the offer of a worker in this process. Files outside all locations count as seen."""
    settings = site.settings.worker
    memory = (options.memory or settings.memory) * _MIB or memory_of_machine()
    return WorkerOffer(
        host=site.host,
        boot=boot_mark(),
        pid=os.getpid(),
        queues=options.queues or (DEFAULT_QUEUE,),
        architectures=options.architectures,
        storages=("", *sorted(site.settings.storage)),
        memory=memory,
        concurrency=options.concurrency or settings.concurrency,
        lease_seconds=settings.lease,
    )


def memory_of_machine() -> int:
    """Give how much memory this process may use, in bytes: the machine's, or its container's."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(total, int(_CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):  # there is no limit: the file is away or says "max"
        return total


def boot_mark() -> str:
    """Give what the processes of this host share until it is booted anew, by process namespace."""
    boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{(_PROC / 'self/ns/pid').stat().st_ino}"


def has_died(worker: WorkerRow, host: str) -> bool:
    """Tell whether a worker's process is known to be gone: one of this host, since this boot.

    For all others only their silence tells.
    """
    if worker.host != host or worker.boot != boot_mark():
        return False
    try:
        state = (_PROC / str(worker.pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    except (OSError, IndexError):
        return False
    return state in {"Z", "X"}
