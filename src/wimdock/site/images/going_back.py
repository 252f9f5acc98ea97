"""Taking an image package back to an older generation of its file.

Order: the file's header is written, which is the commit; then the site records it. A crash between
the two is made good by the next `refresh`, which finds the older header and records that.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from wimdock.events import Reporter
from wimdock.files import Disk
from wimdock.site.images.facts import FileFacts
from wimdock.site.images.reading import read_anew, refresh
from wimdock.site.images.records import file_of
from wimdock.site.messages import remember, report
from wimdock.site.messages.table import PACKAGE_ROLLED_BACK
from wimdock.site.models import ImagePackage, StatusMessageRow
from wimdock.site.site import Site
from wimdock.wim.rollback import rollback


@dataclass(frozen=True, slots=True)
class RolledBack:
    """An image package after it was taken back, and the numbers of both generations."""

    package: ImagePackage
    left: int
    reached: int


def rollback_package(
    site: Site,
    package_id: str,
    to: int | None = None,
    *,
    reporter: Reporter | None = None,
    disk: Disk | None = None,
) -> RolledBack:
    """Take the file back to generation `to`, or to the one before the current.

    The caller keeps runs off the package meanwhile (`wimdock.site.runs.lease.hold`). What is served
    from it is a new content version, for the distribution points. GenerationError where there is no
    such generation.
    """
    before = refresh(site, package_id, reporter).package
    left, reached = rollback(file_of(site, before), to, disk=disk)

    def told(session: Session, package: ImagePackage, facts: FileFacts) -> StatusMessageRow:
        del facts
        remember(
            session,
            site,
            package.id,
            action="rollback",
            result="succeeded",
            generation=reached.number,
            detail=f"from generation {left.number}",
        )
        site.note(session, "image.rollback", package.id, left=left.number, to=reached.number)
        number = str(reached.number)
        return report(site, session, PACKAGE_ROLLED_BACK, package.id, number, package_id=package.id)

    package = read_anew(site, before.id, reporter, told)
    return RolledBack(package, left.number, reached.number)
