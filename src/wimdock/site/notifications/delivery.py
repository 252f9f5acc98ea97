"""Delivering a notice to a target of the settings, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wimdock.site.notifications.delivery_failure import NotSent
from wimdock.site.notifications.mail import MAIL_SECONDS, send_mail, write_mail
from wimdock.site.notifications.webhook import send_webhook
from wimdock.site.settings import Target
from wimdock.site.site import Site


def deliver(site: Site, name: str, notice: Mapping[str, Any]) -> str:
    """Send a notice to the target of this name, once, now.

    Gives "", or what part of it was refused; NotSent where it was not taken.
    """
    target = target_of(site, name)
    if target is None:
        message = f"the settings have no target {name} any more"
        raise NotSent(message, hint="Name it again in wimdock.toml, or let it be given up.")
    if target.kind == "mail":
        mail = write_mail(site.settings.mail, target, notice, site.now())
        return send_mail(site.settings.mail, target, mail, site.host, MAIL_SECONDS)
    send_webhook(target, notice, site.now())
    return ""


def target_of(site: Site, name: str) -> Target | None:
    """Give the target of a name, None where the settings have none."""
    return next((each for each in site.settings.notification if each.name == name), None)
