"""What JSON documents and tables say of distribution points and of what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wimdock.cli.columns import print_summary
from wimdock.cli.failure import failures
from wimdock.cli.output import Column, moment, print_text, size, visible

if TYPE_CHECKING:
    from wimdock.errors import WimdockError
    from wimdock.site.distribution import Placed
    from wimdock.site.models import DistributionPoint


def state_of(point: DistributionPoint) -> str:
    """Say in a word how it is with a point: `up`, `down` or `disabled`."""
    if not point.enabled:
        return "disabled"
    return "up" if point.down_since is None else "down"


def point_content(point: DistributionPoint) -> dict[str, Any]:
    """Give what JSON documents say of a point."""
    return {
        "name": point.name,
        "kind": point.kind.value,
        "location": point.location,
        "endpoint": point.endpoint or None,
        "region": point.options.get("region"),
        "state": state_of(point),
        "enabled": point.enabled,
        "follow": point.follow,
        "added": point.added_at,
        "down_since": point.down_since,
        "retry_at": point.retry_at,
        "sent_bytes": point.sent,
        "error": point.error or None,
    }


def placed_content(each: Placed) -> dict[str, Any]:
    """Give what JSON documents say of an image package at a point."""
    content = each.content
    return {
        "point": each.point.name,
        "image_package": each.package.id,
        "name": each.package.name,
        "removed": each.package.removed_at,
        "state": content.state.value,
        "current": each.is_current,
        "content_version": content.content_version,
        "newest_version": each.package.content_version,
        "file": content.name or None,
        "length": content.length if content.header else None,
        "sha256": content.sha256 or None,
        "last_sent_bytes": content.sent,
        "verified": content.verified_at,
        "attempts": content.attempts,
        "retry_at": content.retry_at,
        "error": content.error or None,
    }


def print_points(found: Sequence[DistributionPoint]) -> None:
    """Print a table of points."""
    columns = ("name", "kind", "state", "follows", "tried again", "location", "trouble")
    print_summary(
        columns,
        [
            (
                point.name,
                point.kind.value,
                state_of(point),
                "yes" if point.follow else "",
                moment(point.retry_at),
                point.location + (f" at {point.endpoint}" if point.endpoint else ""),
                point.error,
            )
            for point in found
        ],
    )


def print_placed(found: Sequence[Placed]) -> None:
    """Print a table of what is where."""
    columns = (
        "point",
        "image package",
        "state",
        Column("version", right=True),
        Column("newest", right=True),
        Column("size", right=True),
        "verified",
        "tried again",
        "trouble",
    )
    print_summary(
        columns,
        [
            (
                each.point.name,
                each.package.id,
                _state(each),
                each.content.content_version,
                each.package.content_version,
                size(each.content.length) if each.content.header else "",
                moment(each.content.verified_at),
                moment(each.content.retry_at or each.point.retry_at),
                each.content.error or each.point.error,
            )
            for each in found
        ],
    )


def _state(each: Placed) -> str:
    if each.package.removed_at is not None:
        return "image package removed"
    if not each.point.enabled:
        return "point disabled"
    if each.content.state.value == "current" and not each.is_current:
        return "older"
    if each.content.state.value == "waiting" and each.point.down_since is not None:
        return "point down"
    return each.content.state.value


def print_point(point: DistributionPoint, told: str) -> None:
    """Print in a line what became of a point."""
    print_text(f"{visible(point.name)}: {told}, {visible(point.location)}")


def error_content(error: WimdockError | None) -> dict[str, object] | None:
    """Give what JSON documents say of what went wrong."""
    return None if error is None else failures(error)[0].content()
