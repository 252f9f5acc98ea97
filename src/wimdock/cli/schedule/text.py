"""Schedules in words, for the commands that print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wimdock.cli.output import count, duration, moment, print_text, visible

if TYPE_CHECKING:
    from wimdock.site.models import Schedule, ScheduleTarget, UpdateRow

_FEW = 4
_MINUTE = 60
_WORDS = {
    "continue_on_error": "goes on despite errors",
    "update_points": "updates the distribution points",
    "allow_unsigned": "takes unsigned packages",
    "on_copy": "works on a copy",
}


def state_of(schedule: Schedule) -> str:
    """Say whether a schedule is on."""
    if schedule.removed_at is not None:
        return "removed"
    if not schedule.enabled:
        return "off"
    if schedule.next_due is None and schedule.recurrence.get("kind") != "now":
        return "over"
    return "on"


def indexes_in_words(indexes: Sequence[int]) -> str:
    """Give indexes, "all" for none."""
    return ", ".join(map(str, indexes)) if indexes else "all"


def targets_in_words(targets: Sequence[ScheduleTarget]) -> str:
    """Give image packages with their indexes, or only how many they are."""
    if len(targets) > _FEW:
        return count(len(targets), "image package")
    return " ".join(
        target.package_id + (f":{','.join(map(str, target.indexes))}" if target.indexes else "")
        for target in targets
    )


def options_in_words(options: dict[str, object]) -> str:
    """Give what differs from the default of how runs are done."""
    said = [words for name, words in _WORDS.items() if options.get(name)]
    if options.get("max_run_minutes"):
        said.append(f"ends after {duration(float(str(options['max_run_minutes'])) * _MINUTE)}")
    if options.get("retries"):
        pause = duration(float(str(options.get("backoff", _MINUTE))))
        said.append(f"is tried again {count(int(str(options['retries'])), 'time')}, after {pause}")
    return ", ".join(said)


def updates_in_words(updates: Sequence[UpdateRow]) -> str:
    """Give the numbers of updates with their KB numbers or titles."""
    return ", ".join(f"{update.id} ({update.kb or update.title})" for update in updates)


def tell_unsigned(updates: Sequence[UpdateRow]) -> None:
    """Say which updates the rule of a schedule leaves out, for no catalog covers them."""
    if updates:
        said = visible(updates_in_words(updates))
        print_text(f"Left out as unsigned, for want of --allow-unsigned: {said}")


def tell_schedule(schedule: Schedule, *, token: str | None = None) -> None:
    """Print a schedule, line by line."""
    from wimdock.site.schedules.telling import tell

    told = tell(schedule)
    name = f" ({visible(schedule.name)})" if schedule.name else ""
    print_text(f"schedule {schedule.id}{name}: {state_of(schedule)}")
    by_hand = schedule.recurrence.get("kind") == "now"
    lines = (
        ("due", told.recurrence if by_hand else f"{told.recurrence} ({schedule.zone})"),
        ("due next", moment(schedule.next_due)),
        ("due last", moment(schedule.last_due)),
        ("window", told.window if told.window != "always" else ""),
        ("image packages", targets_in_words(schedule.targets)),
        ("updates", told.selection),
        ("a run", options_in_words(schedule.options)),
        ("queue", schedule.queue if schedule.queue != "default" else ""),
        ("priority", str(schedule.priority) if schedule.priority else ""),
        ("schedule token", token or ""),
        ("added", f"{moment(schedule.created_at)} by {schedule.created_by}"),
    )
    for title, value in lines:
        if value:
            print_text(f"  {title + ':':<16}{visible(value)}")
