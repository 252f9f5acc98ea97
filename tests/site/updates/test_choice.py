"""Which updates a selection takes for given images, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.site.updates.made_updates import (
    MADE_AT,
    WINDOWS,
    document,
    image,
    package_id,
    update_row,
)
from wimdock.cbs.applicability import Judge, PackageState, judge
from wimdock.cbs.identity import Identity, Version
from wimdock.errors import NoSuchRecord, ScheduleError
from wimdock.site.models import Image, UpdateRow
from wimdock.site.site import Site
from wimdock.site.updates.choice import Chooser, StoredImage
from wimdock.site.updates.ordering import Candidate, needed
from wimdock.site.updates.selection import Selection
from wimdock.site.updates.stored import stored_update

ALL = Selection(all_applicable=True)
NEWEST = Selection(newest_per_family=True)
ROLLUP = "Package_for_RollupFix"
OTHER_WINDOWS = WINDOWS.replace("19041.1", "22000.1")


def chosen(
    site: Site, selection: Selection, rows: Iterable[UpdateRow], *images: Image, days: float = 0
) -> list[int]:
    with site.writing() as session:
        session.add_all(rows)
    with site.reading() as session:
        found = Chooser(session, selection, MADE_AT + timedelta(days=days)).choose(images)
        return [row.id for row in found]


def simple(number: int, name: str, version: str, **values: object) -> UpdateRow:
    return update_row(number, document(package_id(name, version)), **values)


def test_all_that_is_applicable_older_before_newer_and_stacks_first(site: Site) -> None:
    rows = [
        simple(1, ROLLUP, "19041.1000.1.1"),
        simple(2, "Feature", "10.0.19041.1"),
        simple(3, ROLLUP, "19041.900.1.9"),
        simple(4, "Package_for_ServicingStack_900", "19041.900.1.1", stack=True),
    ]
    assert chosen(site, ALL, rows, image()) == [4, 2, 3, 1]


def test_what_is_for_another_windows_or_architecture_is_left_out(site: Site) -> None:
    rows = [
        update_row(1, document(package_id(ROLLUP, "22000.5.1.1"), parents=(OTHER_WINDOWS,))),
        update_row(2, document(package_id(ROLLUP, "19041.5.1.1", arch="x86"))),
        simple(3, ROLLUP, "19041.5.1.1"),
    ]
    assert chosen(site, ALL, rows, image()) == [3]
    assert chosen(site, NEWEST, (), image()) == [3]


def test_what_is_installed_or_superseded_is_left_out(site: Site) -> None:
    rows = [simple(1, ROLLUP, "19041.5.1.1"), simple(2, ROLLUP, "19041.6.1.1")]
    newer = package_id(ROLLUP, "19041.6.1.1")
    assert chosen(site, ALL, rows, image(newer)) == []
    assert chosen(site, ALL, (), image(newer), image(index=2)) == [1, 2]


def test_the_newest_of_each_family(site: Site) -> None:
    rows = [
        simple(1, ROLLUP, "19041.10.1.1"),
        simple(2, ROLLUP, "19041.9.1.1"),
        simple(3, "Feature", "10.0.19041.1"),
    ]
    assert chosen(site, NEWEST, rows, image()) == [3, 1]


def test_the_newest_that_is_for_the_image_not_that_of_another_windows(site: Site) -> None:
    rows = [
        simple(1, ROLLUP, "19041.10.1.1"),
        update_row(2, document(package_id(ROLLUP, "22000.5.1.1"), parents=(OTHER_WINDOWS,))),
    ]
    assert chosen(site, NEWEST, rows, image()) == [1]


def test_each_language_is_a_family(site: Site) -> None:
    rows = [
        update_row(1, document(package_id("Words", "10.0.19041.1", language="de-DE"))),
        update_row(2, document(package_id("Words", "10.0.19041.2", language="fr-FR"))),
    ]
    assert chosen(site, NEWEST, rows, image()) == [1, 2]


def test_a_newer_one_that_asks_for_an_older_one_brings_it(site: Site) -> None:
    """A cumulative update may build on an earlier one, its checkpoint."""
    checkpoint = package_id(ROLLUP, "19041.100.1.1")
    rows = [
        simple(1, ROLLUP, "19041.100.1.1"),
        simple(2, ROLLUP, "19041.150.1.1"),
        update_row(3, document(package_id(ROLLUP, "19041.200.1.1"), parents=(checkpoint,))),
    ]
    assert chosen(site, NEWEST, rows, image()) == [1, 2, 3]
    assert chosen(site, NEWEST, (), image(checkpoint)) == [3]


def test_what_another_update_makes_applicable_comes_after_it(site: Site) -> None:
    child = package_id("Feature-Child", "19041.500.1.1")
    root = package_id("Feature", "19041.500.1.1")
    rows = [
        update_row(1, document(package_id("Patch", "19041.1.1.1"), parents=(child,))),
        update_row(
            2,
            document(root, children=(child,), components=0),
            document(child, root=False, parents=()),
        ),
    ]
    assert chosen(site, ALL, rows, image()) == [2, 1]
    assert chosen(site, Selection(ids=(1, 2)), (), image()) == [2, 1]
    assert chosen(site, Selection(ids=(1,)), (), image()) == [1]


def test_a_deep_one_needs_a_child_that_is_for_the_image(site: Site) -> None:
    child = package_id("Part", "19041.1.1.1")
    root = package_id("Whole", "19041.1.1.1")
    rows = [
        update_row(
            1,
            document(root, deep=True, children=(child,), components=0),
            document(child, root=False, parents=(OTHER_WINDOWS,)),
        )
    ]
    assert chosen(site, ALL, rows, image()) == []
    assert chosen(site, ALL, (), image(OTHER_WINDOWS)) == [1]


def test_one_of_several_packages_in_a_file_is_enough(site: Site) -> None:
    other = document(package_id("SSU", "22000.1.1.1"), parents=(OTHER_WINDOWS,))
    rows = [update_row(1, document(package_id(ROLLUP, "19041.5.1.1")), other)]
    assert chosen(site, ALL, rows, image()) == [1]


def test_the_same_package_in_other_bytes_is_put_in_once(site: Site) -> None:
    rows = [simple(1, ROLLUP, "19041.5.1.1"), simple(2, ROLLUP, "19041.5.1.1")]
    assert chosen(site, ALL, rows, image()) == [2]
    assert chosen(site, Selection(ids=(1,), all_applicable=True), (), image()) == [1]


def test_retired_and_unsupported_ones_are_never_found_by_a_rule(site: Site) -> None:
    rows = [
        simple(1, "Retired", "1.0", retired_at=MADE_AT),
        simple(2, "Unsupported", "1.0", unsupported=["the element x"]),
        simple(3, "Fine", "1.0"),
    ]
    assert chosen(site, ALL, rows, image()) == [3]
    assert chosen(site, Selection(ids=(2,)), (), image()) == [2]
    with pytest.raises(ScheduleError, match="retired"):
        chosen(site, Selection(ids=(1,)), (), image())
    with pytest.raises(NoSuchRecord):
        chosen(site, Selection(ids=(9,)), (), image())


def test_by_kb_classification_and_age(site: Site) -> None:
    old = MADE_AT - timedelta(days=30)
    rows = [
        simple(1, "A", "1.0", kb="KB5000802", classification="Security Update"),
        simple(2, "B", "2.0", kb="KB5000803", classification="Hotfix", released_at=old),
        simple(3, "C", "3.0", kb="KB5000802", released_at=old),
    ]
    assert chosen(site, Selection(kbs=("KB5000802",)), rows, image()) == [1, 3]
    assert chosen(site, Selection(classifications=("security UPDATE", "Hotfix")), (), image()) == [
        1,
        2,
    ]
    assert chosen(site, Selection(min_age_days=30), (), image()) == [2, 3]
    assert chosen(site, Selection(min_age_days=31), (), image()) == []
    assert chosen(site, Selection(min_age_days=31), (), image(), days=1) == [2, 3]
    assert chosen(site, Selection(max_age_days=29), (), image()) == [1]
    both = Selection(kbs=("KB5000802",), min_age_days=10)
    assert chosen(site, both, (), image()) == [3]


def test_named_ones_stay_though_nothing_is_known_to_need_them(site: Site) -> None:
    rows = [simple(1, "A", "2.0"), simple(2, "B", "1.0")]
    assert chosen(site, Selection(ids=(1, 2)), rows) == [2, 1]
    assert chosen(site, Selection(ids=(1, 2)), (), image(architecture="arm64")) == [2, 1]
    assert chosen(site, ALL, ()) == []


_NAMES = st.sampled_from(["A", "B", "C"])
_VERSIONS = st.integers(1, 4).map("19041.{}.1.1".format)
_PACKAGES = st.builds(package_id, _NAMES, _VERSIONS)


def _candidate(number: int, root: str, parent: str) -> Candidate:
    identity = Identity.parse_id(root)
    update = stored_update("x", [document(root, parents=(parent,))])
    family = identity.package_family
    return Candidate(
        id=number,
        family=family,
        version=identity.version,
        stack=False,
        at=MADE_AT,
        roots=(update,),
        whole=lambda: (update,),
    )


@given(
    st.lists(st.tuples(_PACKAGES, _PACKAGES | st.just(WINDOWS)), max_size=8),
    st.sets(_PACKAGES, max_size=3),
)
def test_nothing_applicable_is_left_out_and_each_is_applicable_in_its_turn(
    updates: list[tuple[str, str]], installed: set[str]
) -> None:
    candidates = [_candidate(number, root, parent) for number, (root, parent) in enumerate(updates)]
    target = StoredImage.of(image(*sorted(installed)))
    everything = [each.candidate for each in needed(candidates, target)]
    applicable = {
        each.roots[0].root.id
        for each in candidates
        if judge(each.roots[0], target.installed, "amd64").is_applicable
    }
    assert applicable <= {each.roots[0].root.id for each in everything}
    newest = [each.candidate for each in needed(candidates, target, newest_only=True)]
    assert {_best(everything, each.family) for each in everything} == {
        _best(newest, each.family) for each in everything
    }
    for found in (everything, newest):
        judged = Judge(target.installed, "amd64")
        for each in found:
            assert judged.judge(each.roots[0]).is_applicable
            judged.add(each.roots[0].root.id, PackageState.INSTALLED)


def _best(candidates: list[Candidate], family: str) -> tuple[str, Version]:
    return family, max(each.version for each in candidates if each.family == family)
