"""The token that a run's generation is recorded with in the file's sidecar.

It names site and run, and no other run of any site has it: by it a run knows its own commit again,
and the site knows a run's commit from what another program did to the file.
"""

from __future__ import annotations

from wimdock.site.site import Site

_RUN = "/run-"
_DIGITS = 18


def commit_token(site: Site, run_id: int) -> str:
    """Give the token of a run."""
    return f"{site.uuid}{_RUN}{run_id}"


def run_of_token(site: Site, token: str) -> int | None:
    """Give the run of this site that a token names, None where it names none."""
    own, found, number = token.partition(_RUN)
    digits = number.isascii() and number.isdigit() and len(number) <= _DIGITS
    return int(number) if found and own == site.uuid and digits else None
