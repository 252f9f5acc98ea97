"""Who signed a catalog, as the catalog says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.catalog import catalog
from wimdock.cbs.catalog_signer import signer_name
from wimdock.cbs.opening import open_update

_CATALOG = catalog({"update.mum": b"content"})


def test_the_signer_of_a_made_catalog() -> None:
    assert signer_name(_CATALOG) == "wimdock test lab"


@pytest.mark.parametrize(
    "name", ["OpenSSH-Client-19041.cab", "OpenSSH-Server-19041.cab", "windows6.1-kb4528069-x64.msu"]
)
def test_the_signer_of_real_packages(name: str, shared_data: Path, tmp_path: Path) -> None:
    packages = shared_data / "packages"
    dictionary = (packages / "manifest-dictionary.bin").read_bytes()
    update = open_update(packages / name, tmp_path, dictionary=lambda: dictionary)
    found = {signer_name(each.catalog.read_bytes()) for each in update.packages if each.catalog}
    assert found == {"Microsoft Windows"}


@given(st.integers(0, len(_CATALOG) - 1), st.integers(0, 255))
def test_a_spoiled_catalog_has_some_signer_or_none(at: int, value: int) -> None:
    spoiled = bytearray(_CATALOG)
    spoiled[at] = value
    assert isinstance(signer_name(bytes(spoiled)), str)


@given(st.binary(max_size=300))
def test_what_is_no_catalog_has_no_signer(data: bytes) -> None:
    assert signer_name(data) == ""
