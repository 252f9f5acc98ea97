"""`wimdock serve`: all that a site needs done by itself."""

from __future__ import annotations

import click

from wimdock.cli.address import Address, metrics_at
from wimdock.cli.options import examples
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.worker_options import worker_options

_EXAMPLES = examples(
    "wimdock serve --site /srv/wimdock",
    "wimdock serve --no-worker --metrics 0.0.0.0:9100",
)


@click.command(epilog=_EXAMPLES)
@click.option("--no-worker", is_flag=True, help="Execute no runs: `wimdock worker` does elsewhere.")
@worker_options
@click.option(
    "--metrics",
    type=Address(),
    metavar="HOST:PORT",
    help="Serve /metrics and /healthz there; without it as the settings say.",
)
@site_options
def serve(
    *,
    no_worker: bool,
    concurrency: int | None,
    grace: int,
    metrics: tuple[str, int] | None,
    place: SitePlace,
) -> None:
    """Do all that a site needs done: schedules, runs, imports, distribution, notifications.

    One service does all of it for a site on one machine. Several may run for one site, and
    `wimdock worker` on any machine: no instant and no run is executed twice. SIGTERM or SIGINT end
    it: runs may end within the grace; the second one hands them back at once.
    """
    from wimdock.cli.service_log import ServiceLog
    from wimdock.cli.signals import run_until_signalled
    from wimdock.engine.offer import WorkerOptions
    from wimdock.engine.serve import Service
    from wimdock.events import Reporter

    with place.opened() as site:
        settings = site.settings.metrics
        if metrics is None and settings.port:
            metrics = (settings.host, settings.port)
        log = ServiceLog(site.clock, as_json=site.settings.log.json)
        options = None if no_worker else WorkerOptions(concurrency=concurrency, grace=grace)
        service = Service(site, options, Reporter(log))
        with metrics_at(site, metrics, lambda: service.trouble):
            run_until_signalled(service.run, service.stop)
