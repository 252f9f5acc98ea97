"""Making sites and opening them."""

from __future__ import annotations

import pytest

from wimdock.errors import AlreadyRecorded, NoSite
from wimdock.site.opening import Place, create_site, open_site
from wimdock.site.site import Site


def test_a_site_that_was_made_can_be_opened(site: Site, database_url: str | None) -> None:
    again = open_site(Place(site.folder))
    assert (again.code, again.database.is_sqlite) == ("CAS", database_url is None)
    again.close()


def test_there_is_one_site_in_a_folder(site: Site) -> None:
    with pytest.raises(AlreadyRecorded):
        create_site(Place(site.folder), "ABC")


def test_no_site_is_said_so() -> None:
    with pytest.raises(NoSite):
        open_site(Place(None, None))
