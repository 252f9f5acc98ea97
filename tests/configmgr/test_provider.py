"""Providers from the command line and from files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.configmgr import Provider, parse_provider, read_providers
from wimdock.errors import StorageError, UsageError
from wimdock.reparse.hosts import SERVER_2012_R2, SERVER_2019


def test_a_provider_is_read_by_number_and_by_name() -> None:
    assert parse_provider("CM01=6.3.9600").build == SERVER_2012_R2
    assert parse_provider("CM01 = Server 2012 R2").build == SERVER_2012_R2
    assert parse_provider("CM01").build is None
    assert str(parse_provider("CM01=6.3.9600")) == "CM01 (Server 2012 R2)"
    assert str(parse_provider("CM01")) == "CM01 (build not known)"


def test_a_server_of_a_site_is_a_host_whatever_its_name() -> None:
    assert not Provider("WIMDOCK", None, site="CAS").is_wimdock


def test_wimdock_is_no_host() -> None:
    assert parse_provider("wimdock").is_wimdock
    assert not parse_provider("CM01").is_wimdock


@pytest.mark.parametrize("text", ["", "=6.3.9600", "CM01=", "CM01=seven", "a\nb=10", "wimdock=10"])
def test_what_names_no_provider_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_provider(text)


@given(st.text(max_size=40))
def test_any_text_is_a_provider_or_refused(text: str) -> None:
    try:
        found = parse_provider(text)
    except UsageError:
        return
    assert found.name


CSV = "name,build,site\nCM01,6.3.9600,CAS\n\nCM02,Server 2019,CAS\nCM03,,\n"


@pytest.mark.parametrize(
    "data",
    [
        CSV.encode(),
        CSV.encode("utf-8-sig"),
        CSV.encode("utf-16"),
        CSV.encode("utf-16-le"),
        CSV.encode("utf-16-be"),
        CSV.replace(",", ";").replace("\n", "\r\n").encode(),
        CSV.replace("name,build", '"Server","Version"').encode(),
        (
            b'[{"name":"CM01","build":"6.3.9600","site":"CAS"},'
            b'{"Name":"CM02","Build":17763,"site":"CAS"},{"name":"CM03","build":null}]'
        ),
        (
            b'{"providers":[{"name":"CM01","build":"2012 R2","site":"CAS"},'
            b'{"machine":"CM02","osversion":"10.0.17763","site":"CAS"},{"name":"CM03"}]}'
        ),
    ],
)
def test_lists_of_providers(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "providers"
    path.write_bytes(data)
    assert read_providers(path) == (
        Provider("CM01", SERVER_2012_R2, "CAS", str(path)),
        Provider("CM02", SERVER_2019, "CAS", str(path)),
        Provider("CM03", None, "", str(path)),
    )


@pytest.mark.parametrize(
    "data, place",
    [
        (b"name,build\nCM01,6.3.9600\nCM02,eleven\n", "line 3"),
        (b"name,build\n,6.3.9600\n", "line 2"),
        (b'[{"name":"CM01"},{"build":"10.0.17763"}]', "provider 2"),
        (b'[{"name":"CM01"},\n"CM02"]', "provider 2"),
        (b'[{"name":\n]', "line 2"),
        (b'[{"name":"CM01"},{"name":["CM02"]}]', "provider 2"),
        (b'[{"name":"CM01","build":true}]', "provider 1"),
        (b"[" * 100_000, "not JSON"),
        (b"", "no provider"),
        (b"name,build\n", "no provider"),
        (b'{"hosts":[]}', "no list"),
        (b"\xff\xfe\x00", "no text"),
        (b"\xfc\xfd", "no text"),
    ],
)
def test_a_list_that_cannot_be_read_says_where(tmp_path: Path, data: bytes, place: str) -> None:
    path = tmp_path / "providers"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=place):
        read_providers(path)


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        read_providers(tmp_path / "none.csv")
