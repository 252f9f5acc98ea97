"""A trial: one notification that tells of nothing, sent at once and once."""

from __future__ import annotations

from wimdock.errors import NoSuchRecord
from wimdock.site.notifications.delivery import deliver, target_of
from wimdock.site.notifications.event import NotificationEvent
from wimdock.site.notifications.notice import notice_of
from wimdock.site.settings import Target
from wimdock.site.site import Site


def send_trial(site: Site, name: str) -> tuple[Target, str]:
    """Send a trial to a target; gives the target, and what part of it was refused, or "".

    NoSuchRecord where the settings have no such target, NotificationError where it is not taken.
    """
    target = target_of(site, name)
    if target is None:
        known = ", ".join(each.name for each in site.settings.notification)
        hint = "Write it into wimdock.toml as a [[notification]]: docs/guide/notifications.md."
        if known:
            hint = f"Name one of {known}; `wimdock notification targets` tells of them."
        message = f"the settings have no target {name}"
        raise NoSuchRecord(message, hint=hint)
    with site.reading() as session:
        notice = notice_of(session, site, NotificationEvent.TRIAL, None)
    return target, deliver(site, name, notice)
