"""What JSON documents say of schedules; docs/reference/schemas describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wimdock.site.models import Schedule, UpdateRow
    from wimdock.site.schedules.explain import Explanation, ScheduleDetails

Part = dict[str, Any]


def schedule_content(schedule: Schedule) -> Part:
    """Give what is said of a schedule wherever one is named."""
    return {
        "id": schedule.id,
        "name": schedule.name,
        "enabled": schedule.enabled,
        "recurrence": schedule.recurrence,
        "zone": schedule.zone,
        "window": schedule.window,
        "images": [
            {"image_package": target.package_id, "indexes": target.indexes}
            for target in schedule.targets
        ],
        "updates": schedule.selection,
        "options": schedule.options,
        "queue": schedule.queue,
        "priority": schedule.priority,
        "due_next": schedule.next_due,
        "due_last": schedule.last_due,
        "sms_action": schedule.sms_action,
        "sms_state": schedule.sms_state,
        "created": schedule.created_at,
        "created_by": schedule.created_by,
        "removed": schedule.removed_at,
    }


def details_content(found: ScheduleDetails) -> Part:
    """Give a schedule with its token and its instants that are over."""
    return schedule_content(found.schedule) | {
        "token": found.token,
        "occurrences": [
            {
                "instant": each.instant,
                "outcome": each.outcome.value,
                "recorded": each.at,
                "reason": each.reason,
            }
            for each in found.occurrences
        ],
    }


def explanation_content(found: Explanation) -> Part:
    """Give the instants to come, and the work of each."""
    return {
        "schedule": schedule_content(found.schedule),
        "overdue": [
            {"instant": each.at, "outcome": each.outcome.value, "reason": each.reason or None}
            for each in found.overdue
        ],
        "instants": [
            {
                "instant": each.at,
                "local": each.local.isoformat(),
                "excluded": each.excluded or None,
                "note": each.note or None,
            }
            for each in found.instants
        ],
        "more_excluded": found.more_excluded,
        "work": [
            {
                "image_package": each.package.id,
                "name": each.package.name,
                "indexes": list(each.indexes),
                "updates": [update_content(update) for update in each.updates],
            }
            for each in found.work
        ],
        "unsigned": [update_content(update) for update in found.unsigned],
        "trouble": found.trouble or None,
    }


def update_content(update: UpdateRow) -> Part:
    """Give what is said of an update that a schedule takes or leaves out."""
    return {"id": update.id, "kb": update.kb or None, "title": update.title}
