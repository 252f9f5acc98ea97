"""The text that Prometheus reads."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from wimdock import __version__
from wimdock.errors import SiteError
from wimdock.site.metrics.catalogue import CATALOGUE, SECONDS_OF_RUNS, MetricKind
from wimdock.site.metrics.observation import Sample, observe
from wimdock.site.metrics.run_durations import Durations, run_durations
from wimdock.site.site import Site

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""The type of the text, for HTTP."""


def metrics_text(site: Site) -> bytes:
    """Give every metric of the site and of this process, as Prometheus's text.

    Where the database does not answer, `wimdock_database_up` is 0 and only the process is told of.
    """
    registry = CollectorRegistry()
    registry.register(_SiteCollector(site))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _SiteCollector(Collector):
    """Asks the database once for each text."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def describe(self) -> Sequence[Metric]:
        """Name no metric beforehand: nothing is asked at the registration."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give the metrics in the order of the catalogue."""
        samples, durations = _asked(self._site)
        by_metric: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            by_metric[sample.metric].append(sample)
        for kind in CATALOGUE:
            if kind.type == "histogram":
                yield _histogram(kind, durations)
            elif by_metric[kind.name]:
                yield _family(kind, by_metric[kind.name])


def _asked(site: Site) -> tuple[list[Sample], list[Durations]]:
    began = time.monotonic()
    database = "sqlite" if site.database.is_sqlite else "postgresql"
    samples = [Sample("wimdock_site_info", 1, (site.code, database, __version__))]
    durations: list[Durations] = []
    up = 1
    try:
        with site.reading() as session:
            found = list(observe(session, site))
            durations = run_durations(session, site)
        samples += found
    except SiteError:
        up, durations = 0, []
    samples.append(Sample("wimdock_database_up", up))
    samples.append(Sample("wimdock_collection_seconds", time.monotonic() - began))
    return samples, durations


def _family(kind: MetricKind, samples: Sequence[Sample]) -> Metric:
    made = CounterMetricFamily if kind.type == "counter" else GaugeMetricFamily
    family = made(kind.name, kind.words, labels=kind.labels)
    for sample in samples:
        family.add_metric(sample.labels, sample.value)
    return family


def _histogram(kind: MetricKind, durations: Sequence[Durations]) -> Metric:
    family = HistogramMetricFamily(kind.name, kind.words, labels=kind.labels)
    for each in durations:
        bounds = [str(float(bound)) for bound in SECONDS_OF_RUNS]
        buckets = [*zip(bounds, each.at_most, strict=True), ("+Inf", each.count)]
        family.add_metric((each.state,), buckets, each.seconds)
    return family
