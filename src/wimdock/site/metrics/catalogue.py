"""Every metric of a site: its name, its type, its labels and what it tells.

`docs/guide/monitoring.md` has this table; a name never changes its meaning once it was released.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricKind:
    """One metric. The name of a counter ends with `_total`; units are seconds and bytes."""

    name: str
    type: Literal["gauge", "counter", "histogram"]
    words: str
    labels: Labels = ()


SECONDS_OF_RUNS = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)
"""The upper bounds of the histogram of how long runs take."""

MOST_QUEUES = 20
"""So many queues have series of their own; the others are summed up as `other`."""

CATALOGUE = tuple(
    MetricKind(*each)
    for each in (
        (
            "wimdock_site_info",
            "gauge",
            "1, with the site's code, the kind of its database and the version of this process.",
            ("code", "database", "version"),
        ),
        ("wimdock_database_up", "gauge", "Whether the database answered: 1 or 0."),
        ("wimdock_collection_seconds", "gauge", "How long it took to ask the database."),
        ("wimdock_runs", "gauge", "Runs that have not ended.", ("state",)),
        (
            "wimdock_runs_at_step",
            "gauge",
            "Runs under way, by the step that they are at.",
            ("step",),
        ),
        ("wimdock_runs_orphaned", "gauge", "Runs whose worker is dead and that none has yet."),
        ("wimdock_runs_ended_total", "counter", "Runs that have ended, by how.", ("state",)),
        (
            "wimdock_run_seconds",
            "histogram",
            "How long runs took, from their start to their end.",
            ("state",),
        ),
        ("wimdock_queue_runs", "gauge", "Runs that wait in a queue.", ("queue",)),
        (
            "wimdock_queue_oldest_seconds",
            "gauge",
            "How long the run has waited that could have begun the longest ago.",
            ("queue",),
        ),
        (
            "wimdock_update_results_total",
            "counter",
            "Updates by what became of them, one for each update, image and run.",
            ("outcome",),
        ),
        ("wimdock_added_bytes_total", "counter", "By how much runs made image files grow."),
        (
            "wimdock_image_packages",
            "gauge",
            "Image packages, by how their file was found.",
            ("state",),
        ),
        ("wimdock_image_bytes", "gauge", "The size of all their files."),
        ("wimdock_generations", "gauge", "Generations on record that can be gone back to, of all."),
        ("wimdock_updates", "gauge", "Updates in the library.", ("state",)),
        ("wimdock_schedules", "gauge", "Schedules, enabled and disabled.", ("state",)),
        ("wimdock_schedules_due", "gauge", "Schedules that are due and were not started yet."),
        (
            "wimdock_schedule_instants_total",
            "counter",
            "Instants at which schedules were due, by what became of them.",
            ("outcome",),
        ),
        (
            "wimdock_tick_age_seconds",
            "gauge",
            "How long ago schedules were last looked at; absent before the first time.",
        ),
        (
            "wimdock_workers",
            "gauge",
            "Workers, by state; stopped ones while remembered.",
            ("state",),
        ),
        ("wimdock_workers_silent", "gauge", "Workers that should live and say nothing."),
        ("wimdock_worker_slots", "gauge", "Runs that running workers can execute at once."),
        (
            "wimdock_distribution_points",
            "gauge",
            "Distribution points: up, down or disabled.",
            ("state",),
        ),
        (
            "wimdock_distribution_contents",
            "gauge",
            "Image packages at distribution points, one for each of both.",
            ("state",),
        ),
        ("wimdock_sent_bytes_total", "counter", "Bytes sent to the distribution points there are."),
        ("wimdock_notifications", "gauge", "Notifications, by state.", ("state",)),
        (
            "wimdock_notifications_oldest_seconds",
            "gauge",
            "How long the oldest notification has waited that was not sent yet.",
        ),
    )
)
"""All of them, in the order of the text."""

PROCESS = (
    MetricKind("process_cpu_seconds_total", "counter", "Processor time of this process."),
    MetricKind("process_open_fds", "gauge", "Files and connections that it has open."),
    MetricKind("process_max_fds", "gauge", "How many it may have open."),
    MetricKind("process_resident_memory_bytes", "gauge", "Its memory."),
    MetricKind("process_virtual_memory_bytes", "gauge", "Its addresses in use."),
    MetricKind("process_start_time_seconds", "gauge", "When it began, in seconds since 1970."),
)
"""What the process tells of itself, by the names that Prometheus's own libraries use."""
