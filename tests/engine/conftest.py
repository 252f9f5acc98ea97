"""What tests of the engine share with those of the site."""

from __future__ import annotations

from tests.site.conftest import clock, database_url, make_site, postgres, site

__all__ = ["clock", "database_url", "make_site", "postgres", "site"]
