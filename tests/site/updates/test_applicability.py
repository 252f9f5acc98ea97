"""Which updates are for which images: from what is stored, and planned on the image itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servicing.surroundings import put_in
from tests.site.updates.library_state import rows_of, small_update
from wimdock.cbs.applicability import judge
from wimdock.cbs.opening import open_update
from wimdock.errors import NoSuchRecord
from wimdock.image.windows import WindowsImage
from wimdock.site.images.adding import add_package
from wimdock.site.images.reading import reload_package
from wimdock.site.site import Site
from wimdock.site.updates.choice import Chooser
from wimdock.site.updates.importing import ImportOptions, import_updates
from wimdock.site.updates.judging import applicability, plan_updates
from wimdock.site.updates.retiring import retire
from wimdock.site.updates.selection import Selection
from wimdock.site.updates.stored import stored_updates
from wimdock.wim import Archive


@pytest.fixture
def dictionary(shared_data: Path) -> bytes:
    """Give the real dictionary of manifests."""
    return (shared_data / "packages" / "manifest-dictionary.bin").read_bytes()


def test_what_is_stored_is_judged_as_the_file_itself(
    site: Site,
    shared_data: Path,
    dictionary: bytes,
    lab_image: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    """The judge gives the same answer from the database as from image and update files."""
    image = lab_image("lzx")
    package = add_package(site, image)
    import_updates(site, shared_data / "packages", ImportOptions(dictionary))
    small_update(tmp_path / "a.cab")
    import_updates(site, tmp_path)
    rows = {row.id: row for row in rows_of(site)}
    found = applicability(site)
    with Archive.open(image) as archive:
        assert len(found) == len(rows) * archive.image_count
        for each in found:
            windows = WindowsImage(archive, each.index)
            row = rows[each.update_id]
            path = site.library / row.sha256[:2] / row.sha256 / row.file_name
            folder = tmp_path / f"{each.index}-{each.update_id}"
            update = open_update(path, folder, dictionary=lambda: dictionary)
            answer = judge(update, windows.installed_packages(), windows.own_architecture)
            assert (each.state, each.reason) == (answer.state.value, answer.reason)
            assert (each.package_id, each.hresult) == (package.id, answer.hresult)
            (stored,) = stored_updates("x", row.packages)
            again = judge(stored, windows.installed_packages(), windows.own_architecture)
            assert [p.id for p in again.packages] == [p.id for p in answer.packages]
    assert {each.state for each in found} == {"applicable", "not applicable"}


def test_the_table_after_servicing(
    site: Site, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    image = lab_image("lzx")
    package = add_package(site, image)
    newer = small_update(tmp_path / "new.cab", "10.0.19041.5")
    older = small_update(tmp_path / "old.cab", "10.0.19041.4")
    import_updates(site, tmp_path)
    assert {each.state for each in applicability(site, [package.id])} == {"applicable"}
    put_in(image, [newer])
    package = reload_package(site, package.id).package
    states = {each.update_id: each.state for each in applicability(site) if each.index == 1}
    by_name = {row.file_name: row.id for row in rows_of(site)}
    assert states == {by_name[newer.name]: "installed", by_name[older.name]: "superseded"}
    with site.reading() as session:
        images = [each for each in package.images if each.index == 1]
        assert Chooser(session, Selection(all_applicable=True), site.now()).choose(images) == []


def test_the_plan_agrees_and_has_the_last_word(
    site: Site, shared_data: Path, dictionary: bytes, lab_image: Callable[[str], Path]
) -> None:
    image = lab_image("lzx")
    before = image.read_bytes()
    package = add_package(site, image)
    import_updates(site, shared_data / "packages", ImportOptions(dictionary))
    stored = {(each.index, each.update_id): each for each in applicability(site)}
    planned = {(each.index, each.update_id): each for each in plan_updates(site, [package.id])}
    assert stored.keys() == planned.keys()
    for key, each in planned.items():
        if each.unsupported:
            assert each.state == "failed"
        else:
            assert each.state == stored[key].state
    assert image.read_bytes() == before


def test_a_file_or_an_image_that_is_not_there_fails_by_itself(
    site: Site,
    lab_image: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = lab_image("lzx")
    package = add_package(site, image)
    small_update(tmp_path / "a.cab", "10.0.19041.5")
    small_update(tmp_path / "b.cab", "10.0.19041.6")
    import_updates(site, tmp_path)
    first, second = rows_of(site)
    stored = site.library / first.sha256[:2] / first.sha256 / first.file_name
    stored.unlink()
    states = {each.update_id: each.state for each in plan_updates(site) if each.index == 1}
    assert states == {first.id: "failed", second.id: "applicable"}
    monkeypatch.setenv("WIMDOCK_MANIFEST_DICTIONARY", str(tmp_path / "missing"))
    assert {each.state for each in plan_updates(site)} == {"failed"}
    monkeypatch.delenv("WIMDOCK_MANIFEST_DICTIONARY")
    image.unlink()
    assert {each.state for each in plan_updates(site, [package.id])} == {"failed"}
    assert {each.state for each in applicability(site, [package.id])} == {"applicable"}
    retire(site, [first.id, second.id])
    assert applicability(site) == plan_updates(site) == []


def test_what_is_not_known(site: Site, tmp_path: Path) -> None:
    import_updates(site, small_update(tmp_path / "a.cab"))
    assert applicability(site) == []
    with pytest.raises(NoSuchRecord):
        applicability(site, ["CAS00009"])
    with pytest.raises(NoSuchRecord):
        applicability(site, (), [5])
