"""Providers of a site: names, builds, lists, and two who add at once."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from wimdock.configmgr.provider import Provider as Host
from wimdock.configmgr.provider import parse_provider
from wimdock.errors import AlreadyRecorded, NoSuchRecord, UsageError
from wimdock.reparse.hosts import Build
from wimdock.site.models import Audit
from wimdock.site.providers import (
    add_providers,
    hosts_of,
    import_providers,
    list_providers,
    provider_of,
    remove_provider,
)
from wimdock.site.site import Site


def known(site: Site) -> list[tuple[str, str]]:
    """Give names and builds."""
    return [(row.name, row.build) for row in list_providers(site)]


def test_added_and_given_back_as_hosts(site: Site) -> None:
    add_providers(site, [parse_provider("cm02=6.3.9600"), parse_provider("CM01=14393")])
    with site.reading() as session:
        found = hosts_of(session)
        assert provider_of(session, "CM02").added_at == site.now()
    assert [(host.name, host.build) for host in found] == [
        ("CM01", Build(10, 0, 14393)),
        ("cm02", Build(6, 3, 9600)),
    ]
    assert not any(host.is_wimdock for host in found)
    with pytest.raises(AlreadyRecorded, match="CM02"):
        add_providers(site, [parse_provider("CM03=14393"), parse_provider("CM02=14393")])
    assert [name for name, _ in known(site)] == ["CM01", "cm02"]


def test_without_a_build_none_is_added(site: Site) -> None:
    with pytest.raises(UsageError, match="Windows of CM02"):
        add_providers(site, [parse_provider("CM01=14393"), parse_provider("CM02")])
    assert known(site) == []


def test_names_beyond_ascii_are_compared_without_case_too(site: Site) -> None:
    add_providers(site, [parse_provider("\u00c9CM=6.3.9600")])
    with pytest.raises(AlreadyRecorded):
        add_providers(site, [parse_provider("\u00e9cm=6.3.9600")])
    assert remove_provider(site, "\u00c9cm").name == "\u00c9CM"
    assert known(site) == []


def test_a_list_corrects_and_removes_nothing(site: Site) -> None:
    add_providers(site, [parse_provider("CM01=6.3.9600"), parse_provider("CM02=Server 2016")])
    listed = ("cm01=Server 2019", "CM02", "CM03", "CM03=Server 2022", "CM03")
    found = import_providers(site, [parse_provider(each) for each in listed])
    assert (found.added, found.changed, found.unchanged) == (("CM03",), ("CM01",), ("CM02",))
    assert known(site) == [("CM01", "10.0.17763"), ("CM02", "10.0.14393"), ("CM03", "10.0.20348")]
    with site.reading() as session:
        actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions == ["provider.add", "provider.add", "provider.import"]


def test_one_that_cannot_be_taken_leaves_all(site: Site) -> None:
    for name in ("wimdock", "Wimdock", "x" * 256):
        hosts = [parse_provider("CM01"), Host(name, None, site="CAS")]
        with pytest.raises(UsageError):
            import_providers(site, hosts)
    assert known(site) == []


def test_removed(site: Site) -> None:
    add_providers(site, [parse_provider("CM01=14393")])
    assert remove_provider(site, "cm01").name == "CM01"
    with pytest.raises(NoSuchRecord):
        remove_provider(site, "CM01")
    assert known(site) == []


def test_two_at_once(site: Site) -> None:
    ready = Barrier(4)
    ended: list[str] = []

    def add(name: str) -> None:
        ready.wait()
        try:
            add_providers(site, [parse_provider(f"{name}=14393")])
            ended.append("added")
        except AlreadyRecorded:
            ended.append("there")

    threads = [Thread(target=add, args=(name,)) for name in ("CM01", "cm01", "Cm01", "cM01")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["added", "there", "there", "there"]
    assert len(known(site)) == 1
