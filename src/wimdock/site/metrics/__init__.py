"""Metrics for Prometheus: what the site's database says, and what this process uses.

Every process of a site tells the same of the site, whoever is asked. No label names an image
package, a run or an update: however large a site grows, the number of series stays.
"""

from wimdock.site.metrics.catalogue import CATALOGUE, MetricKind
from wimdock.site.metrics.exposition import CONTENT_TYPE, metrics_text
from wimdock.site.metrics.server import MetricsServer, metrics_server

__all__ = [
    "CATALOGUE",
    "CONTENT_TYPE",
    "MetricKind",
    "MetricsServer",
    "metrics_server",
    "metrics_text",
]
