"""`wimdock worker`: a process that executes runs; and the list of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wimdock.cli.address import Address, metrics_at
from wimdock.cli.columns import print_summary
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import Column, moment, print_document, print_text, size
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.worker_options import worker_options

_EXAMPLES = examples(
    "wimdock worker --database postgresql://wimdock@db/wimdock",
    "wimdock worker --queue night --architecture amd64 --concurrency 2",
    "wimdock worker --storage images=/mnt/images --metrics 0.0.0.0:9100",
    "wimdock worker list",
)
_ARCHITECTURES = ("x86", "amd64", "arm", "arm64")


class Folders(click.ParamType[tuple[str, Path]]):
    """A name and a folder: NAME=FOLDER."""

    name = "folder"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        """Give both; the folder must be absolute."""
        name, found, folder = str(value).partition("=")
        if not found or not name or not Path(folder).is_absolute():
            self.fail(f"{str(value)[:60]!r} is not NAME=FOLDER with an absolute folder", param, ctx)
        return name, Path(folder)


@click.group(invoke_without_command=True, epilog=_EXAMPLES)
@click.option(
    "--queue",
    "queues",
    multiple=True,
    metavar="NAME",
    help="Take runs of this queue; may be given several times. Without it, of the default queue.",
)
@click.option(
    "--architecture",
    "architectures",
    multiple=True,
    type=click.Choice(_ARCHITECTURES),
    help="Take runs of images of this architecture only; may be given several times.",
)
@click.option(
    "--storage",
    "storage",
    multiple=True,
    type=Folders(),
    metavar="NAME=FOLDER",
    help="The folder of a storage location on this machine; may be given several times.",
)
@click.option(
    "--memory",
    type=Number(1),
    metavar="MIB",
    help="Take runs that need no more memory; without it worker.memory of the settings.",
)
@worker_options
@click.option(
    "--metrics", type=Address(), metavar="HOST:PORT", help="Serve /metrics and /healthz there."
)
@site_options
@click.pass_context
def worker(
    context: click.Context,
    *,
    queues: tuple[str, ...],
    architectures: tuple[str, ...],
    storage: tuple[tuple[str, Path], ...],
    memory: int | None,
    concurrency: int | None,
    grace: int,
    metrics: tuple[str, int] | None,
    place: SitePlace,
) -> None:
    """Execute runs, until told to end (SIGTERM, SIGINT).

    Any number of workers may serve one site, on any machines that see its database, its folder and
    its images. The runs of one that dies are taken on by another after the last step that was done;
    a worker that was taken for dead and wakes up commits nothing, and ends with status 93. Told to
    end, it takes no more runs and lets those that go on end within the grace; told again, it hands
    them back at once, with their images as they were.
    """
    if context.invoked_subcommand is not None:
        context.obj = place
        return
    from wimdock.cli.service_log import ServiceLog
    from wimdock.cli.signals import run_until_signalled
    from wimdock.engine.offer import WorkerOptions
    from wimdock.engine.worker import Worker
    from wimdock.events import Reporter

    options = WorkerOptions(
        queues=queues,
        architectures=architectures,
        storage=dict(storage),
        memory=memory,
        concurrency=concurrency,
        grace=grace,
    )
    with place.opened() as site:
        log = ServiceLog(site.clock, as_json=site.settings.log.json)
        one = Worker(site, options, Reporter(log))
        with metrics_at(site, metrics, lambda: one.trouble):
            run_until_signalled(one.run, one.stop)


@worker.command("list", epilog=examples("wimdock worker list", "wimdock worker list --json"))
@click.option(
    "--ended",
    type=Number(0),
    default=0,
    metavar="N",
    help="Also the N that ended last.",
)
@site_options
@json_option
@click.pass_obj
def list_(given: SitePlace | None, *, ended: int, place: SitePlace, as_json: bool) -> None:
    """List the workers of a site, with what they offer and the runs that they execute."""
    from wimdock.site.runs.watching import list_workers, runs_of_workers

    if given is not None and (given.folder or given.url) and not (place.folder or place.url):
        place = given
    with place.opened() as site:
        found = list_workers(site, ended=ended)
        runs = runs_of_workers(site)
        now = site.now()
    content = [_content(each, runs.get(each.id, []), now) for each in found]
    if as_json:
        print_document("workers", {"workers": content})
        return
    if not content:
        print_text("There is no worker.")
        return
    columns = (
        "worker",
        "state",
        "queues",
        "architectures",
        Column("memory", right=True),
        Column("runs", right=True),
        "started",
        Column("silent", right=True),
    )
    print_summary(columns, [_row(each) for each in content])


def _content(worker: Any, runs: list[int], now: Any) -> dict[str, Any]:
    return {
        "id": worker.id,
        "host": worker.host,
        "process": worker.pid,
        "version": worker.version,
        "state": worker.state.value,
        "queues": worker.queues,
        "architectures": worker.architectures,
        "storage": [name for name in worker.storages if name],
        "memory_bytes": worker.memory,
        "concurrency": worker.concurrency,
        "runs": runs,
        "started": worker.started_at,
        "heartbeat": worker.heartbeat_at,
        "silent_seconds": max(round((now - worker.heartbeat_at).total_seconds(), 1), 0.0),
        "lease_seconds": worker.lease_seconds,
        "ended": worker.ended_at,
    }


def _row(each: dict[str, Any]) -> tuple[object, ...]:
    return (
        each["id"],
        each["state"],
        ", ".join(each["queues"]),
        ", ".join(each["architectures"]) or "all",
        size(each["memory_bytes"]),
        f"{len(each['runs'])} of {each['concurrency']}",
        moment(each["started"]),
        "" if each["ended"] else f"{each['silent_seconds']:.0f} s",
    )
