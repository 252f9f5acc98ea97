"""The figures of a simulation as a page."""

from __future__ import annotations

from collections import Counter

from bench.scale.check import Checked
from bench.scale.meter import Cost
from bench.scale.world import World

GROWTH = 1.3
"""A run of the last week costs so many times one of the first at most."""

_OF_A_RUN = ("tick", "claim", "begin", "fence", "record")
_KINDS = {
    "tick": "a tick that found schedules due",
    "idle tick": "a tick that found none",
    "claim": "a claim that found runs",
    "idle claim": "a claim that found none",
    "begin": "beginning an attempt",
    "fence": "asking the fence before the commit",
    "record": "recording how an attempt ended",
    "heartbeat": "a heartbeat",
    "look": "looking for dead workers, burying them",
}
_MILLI = 1000
_PAGE = """\
# Scale

<!-- Written by scripts/scale: do not edit. -->

`scripts/scale` wrote this page after it had played a site with {packages:,} image packages and
{workers:,} workers for {days} days of simulated time. Unless told otherwise it plays 10,000 of them
on 500 for 30 days; with `--quick` a small site for a week.

What is real: the database (SQLite, in memory, not synchronized), the scheduler's tick, the queue
with its claims, leases, fences and retries, heartbeats, burials, and the record of how a run ended,
with its status message, history and log. What is played: the time; the work of a run, which only
takes it; the image files; and the engine, which stands behind its port in memory. Two schedulers
tick, each after every {every}.

## What is checked

When each schedule must be due is computed apart from the scheduler, by plain arithmetic on dates.

- Each due instant has one run for each of its image packages: none twice, none lost.
- For {outage} hours in the middle no scheduler runs. Of the instants that passed, the newest of
  each schedule is run late, the others are recorded as missed.
- Every run ends, and has one entry in the history.
- Every run that succeeded wrote its file once, no other run wrote one, and no file was written
  under an older token after a newer one. A worker that stood still goes on where it was before it
  learns that it was taken for dead.
- A run of the last week costs the site at most {growth:g} times what one of the first costs.

## What it did

| | |
|---|---:|
{facts}

Schedules: {schedules}.

## What it cost

Processor time of one process, in milliseconds. A run costs its share of the ticks and claims that
found something, and its beginning, fence and record:

| | {weeks} |
|---|{rules}
| runs | {runs} |
| a run | {costs} |

The last week against the first: {ratio:.2f}.

| one of each | how many | mean, first week | mean, last week | longest |
|---|---:|---:|---:|---:|
{kinds}

Played in {minutes:.1f} minutes on {machine}.

Workers beat each hour here and are buried after three, instead of 5 and 30 seconds: that changes
how often they do so, and nothing else. In earnest {workers:,} workers beat {beats:,.0f} times a
second, which asks for PostgreSQL, as so many machines do.
"""


def cost_per_run(world: World, week: int) -> float:
    """Give the processor seconds that the site spent on a run in a week."""
    spent = sum(world.meter.cost(kind, week).seconds for kind in _OF_A_RUN)
    return spent / max(world.meter.cost("record", week).count, 1)


def growth(world: World) -> float:
    """Give what a run of the last whole week costs against one of the first."""
    return cost_per_run(world, world.meter.periods - 1) / cost_per_run(world, 0)


def report(world: World, checked: Checked, *, seconds: float, machine: str) -> str:
    """Give the page."""
    size = world.size
    weeks = range(world.meter.periods)
    return _PAGE.format(
        packages=size.packages,
        workers=size.workers,
        days=size.days,
        outage=size.outage,
        every="minute" if size.minutes == 1 else f"{size.minutes} minutes",
        growth=GROWTH,
        facts="\n".join(_facts(world, checked)),
        schedules=_schedules(world),
        weeks=" | ".join(f"week {week + 1}" for week in weeks),
        rules="---:|" * len(weeks),
        runs=" | ".join(f"{world.meter.cost('record', week).count:,}" for week in weeks),
        costs=" | ".join(f"{cost_per_run(world, week) * _MILLI:.2f}" for week in weeks),
        ratio=growth(world),
        kinds="\n".join(_cost(world, kind, words) for kind, words in _KINDS.items()),
        minutes=seconds / 60,
        machine=machine,
        beats=size.workers / 5,
    )


def _facts(world: World, checked: Checked) -> list[str]:
    crowd = world.crowd
    hours = checked.longest_wait.total_seconds() / 3600
    facts = {
        "runs": checked.runs,
        "of them succeeded": checked.succeeded,
        "of them failed, as they were meant to": checked.failed,
        "attempts": checked.attempts,
        "instants recorded as missed": checked.missed,
        "workers that died": crowd.deaths,
        "workers that stood still for a while": crowd.pauses,
        "workers that were buried": crowd.burials,
        "attempts that another worker took on": crowd.ledger.taken_over,
        "commits that the fence refused": crowd.files.refused,
    }
    rows = [f"| {name} | {number:,} |" for name, number in facts.items()]
    return [*rows, f"| longest time from the making of a run to its end | {hours:.1f} h |"]


def _schedules(world: World) -> str:
    counted = Counter(each.kind for each in world.schedules)
    return ", ".join(f"{number} {kind}" for kind, number in counted.items())


def _cost(world: World, kind: str, words: str) -> str:
    first, last = (world.meter.cost(kind, week) for week in (0, world.meter.periods - 1))
    every = world.meter.total(kind)
    longest = every.longest * _MILLI
    return f"| {words} | {every.count:,} | {_milli(first)} | {_milli(last)} | {longest:.0f} |"


def _milli(cost: Cost) -> str:
    return f"{cost.each * _MILLI:.2f}" if cost.count else ""
