"""The dictionary of compressed manifests: one that was given, else of an image of the site."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from wimdock.errors import WimdockError
from wimdock.image.windows import WindowsImage
from wimdock.site.models import ImagePackage
from wimdock.site.site import Site
from wimdock.site.storage import StoredPlace, path_of
from wimdock.wim import Archive


def site_dictionary(site: Site, given: bytes | None) -> Callable[[], bytes | None]:
    """Give a function that gives the dictionary, or None where no image of the site has one.

    Images are opened when it is called first, those read last before others; an image file that
    cannot be read now is passed over, for any other one will do.
    """
    known: list[bytes | None] = [] if given is None else [given]

    def dictionary() -> bytes | None:
        if not known:
            known.append(_of_images(site))
        return known[0]

    return dictionary


def _of_images(site: Site) -> bytes | None:
    with site.reading() as session:
        packages = session.execute(
            select(ImagePackage.storage, ImagePackage.path)
            .where(ImagePackage.removed_at.is_(None), ImagePackage.path.is_not(None))
            .order_by(ImagePackage.read_at.desc(), ImagePackage.id)
        ).all()
    for storage, path in packages:
        try:
            with Archive.open(path_of(site.settings, StoredPlace(storage, path or ""))) as archive:
                for index in range(1, archive.image_count + 1):
                    found = WindowsImage(archive, index).manifest_dictionary()
                    if found is not None:
                        return found
        except (WimdockError, OSError):
            continue
    return None
