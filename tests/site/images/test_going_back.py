"""Taking an image package back, and what a stop in the middle leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.disk import StoppedError, StoppingDisk
from tests.servicing.surroundings import PACKAGE, cabinet_of, packages_in, put_in, quick
from wimdock.errors import DatabaseUnavailable, GenerationError, ImageBusy
from wimdock.files import exclusive_lock
from wimdock.site.images.adding import add_package
from wimdock.site.images.going_back import rollback_package
from wimdock.site.images.reading import refresh
from wimdock.site.images.records import package_of
from wimdock.site.messages import history_of
from wimdock.site.site import Site


@pytest.fixture
def file(lab_image: Callable[[str], Path], site: Site, tmp_path: Path) -> Path:
    """Give the file of CAS00001, in its second generation, which the site knows."""
    file = lab_image("lzx").resolve()
    put_in(file, [cabinet_of("plain", tmp_path)])
    assert add_package(site, file).generation == 2
    return file


def state(site: Site) -> tuple[int | None, int]:
    """Give the generation and the content version that the site knows."""
    with site.reading() as session:
        package = package_of(session, "CAS00001")
        return package.generation, package.content_version


def test_back_and_forward(site: Site, file: Path) -> None:
    found = rollback_package(site, "CAS00001", disk=quick().disk)
    assert (found.left, found.reached) == (2, 1)
    assert PACKAGE not in packages_in(file)
    assert state(site) == (1, 2)
    rollback_package(site, "CAS00001", 2, disk=quick().disk)
    assert PACKAGE in packages_in(file)
    assert state(site) == (2, 3)
    entries = history_of(site, "CAS00001")
    assert [entry.action for entry in entries] == ["rollback", "rollback", "add"]
    assert (entries[1].generation, entries[1].detail) == (1, "from generation 2")
    assert not refresh(site, "CAS00001").changed


def test_where_there_is_nothing_to_go_back_to(site: Site, file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(GenerationError, match="no generation 7"):
        rollback_package(site, "CAS00001", 7)
    rollback_package(site, "CAS00001", disk=quick().disk)
    with pytest.raises(GenerationError, match="oldest"):
        rollback_package(site, "CAS00001")
    assert file.read_bytes()[208:] == before[208:]
    assert state(site) == (1, 2)


def test_a_file_in_use_is_left_alone(site: Site, file: Path) -> None:
    with (
        file.open("rb") as opened,
        exclusive_lock(opened.fileno(), file),
        pytest.raises(ImageBusy),
    ):
        rollback_package(site, "CAS00001")
    assert state(site) == (2, 1)


@pytest.mark.parametrize("stop_at", [1, 2])
def test_a_stop_leaves_one_state_or_the_other(site: Site, file: Path, stop_at: int) -> None:
    with pytest.raises(StoppedError):
        rollback_package(site, "CAS00001", disk=StoppingDisk(stop_at))
    went_back = PACKAGE not in packages_in(file)
    assert refresh(site, "CAS00001").changed is went_back
    assert state(site) == ((1, 2) if went_back else (2, 1))


def test_a_database_lost_after_the_commit(
    site: Site, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is in the older state, the site does not know: the next look records it."""
    from wimdock.site.images import going_back

    def lost(*_given: object, **_named: object) -> None:
        message = "gone"
        raise DatabaseUnavailable(message)

    monkeypatch.setattr(going_back, "remember", lost)
    with pytest.raises(DatabaseUnavailable):
        rollback_package(site, "CAS00001", disk=quick().disk)
    assert state(site) == (2, 1)
    assert PACKAGE not in packages_in(file)
    assert refresh(site, "CAS00001").changed
    assert state(site) == (1, 2)
