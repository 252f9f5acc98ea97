"""What is kept of reparse points: a verdict from it is the one that the image itself gives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.lab import Lab
from wimdock.image.reparse_points import ReparsePoint, grouped, reparse_points
from wimdock.paths import ImagePath
from wimdock.reparse import tags
from wimdock.reparse.decode import decode
from wimdock.reparse.hosts import NAMES, Build
from wimdock.reparse.owner import owner_of
from wimdock.reparse.tags import tag_of
from wimdock.servicing.preflight.host import HostVerdict, judge_alike, judge_host
from wimdock.site.images import reparse_facts as module
from wimdock.site.images.reparse_facts import kinds_in, reparse_facts
from wimdock.wim import Archive, Image

HOSTS = [*NAMES, Build(6, 2, 9300), Build(10, 0, 15000), Build(10, 0, 99999), None]


def without_examples(verdict: HostVerdict) -> HostVerdict:
    """Give a verdict whose examples, of which several will do, are left out."""
    troubles = tuple(replace(each, examples=()) for each in verdict.troubles)
    return replace(verdict, troubles=troubles)


def stored(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the records as a database gives them back."""
    found: list[dict[str, Any]] = json.loads(json.dumps(facts))
    return found


@pytest.mark.parametrize("recipe", ["lzx", "special"])
@pytest.mark.parametrize("host", HOSTS, ids=str)
def test_the_verdict_is_that_of_the_image(lab: Lab, recipe: str, host: Build | None) -> None:
    with Archive.open(lab.image(recipe)) as archive:
        image = archive.image(1)
        points = list(reparse_points(image))
        facts = stored(reparse_facts(image))
    assert points
    kept = judge_alike(kinds_in(facts), host)
    assert without_examples(kept) == without_examples(judge_host(points, host))
    assert judge_alike(kinds_in(facts), host, is_wimdock=True).can_commit


def test_nothing_is_left_out(lab: Lab) -> None:
    with Archive.open(lab.image("special")) as archive:
        image = archive.image(1)
        groups = grouped(reparse_points(image))
        facts = reparse_facts(image)
    for group in groups:
        mine = [
            each
            for each in facts
            if (each["owner"], each["tag"]) == (group.owner.value, group.tag.value)
        ]
        assert sum(each["count"] for each in mine) == group.count
        assert sum(each["bytes"] for each in mine) == group.size
    assert sum(each["count"] for each in facts) == sum(group.count for group in groups)
    assert len(facts) < sum(group.count for group in groups)
    assert all(1 <= len(each["examples"]) <= 5 for each in facts)


class MadeEntry:
    """Stands for an entry of an image: reparse data that can be read, or not."""

    def __init__(self, data: bytes) -> None:
        """Take the data."""
        self.data = data


class MadeImage:
    """Stands for an image with reparse points of any tag and data."""

    def __init__(self, points: list[ReparsePoint], data: list[bytes]) -> None:
        """Take what stands for the points, and their data."""
        self.points = points
        self.entries = [MadeEntry(each) for each in data]

    def reparse_points(self) -> Any:
        paths = (point.path for point in self.points)
        return iter(list(zip(paths, self.entries, strict=True)))

    def reparse_data(self, entry: MadeEntry) -> bytes:
        return entry.data


TAGS = st.one_of(
    st.sampled_from(sorted(tags.TAGS)), st.integers(min_value=0, max_value=(1 << 32) - 1)
)


@given(points=st.lists(st.tuples(TAGS, st.binary(max_size=48)), max_size=12), host=st.data())
def test_any_points_are_judged_alike(points: list[tuple[int, bytes]], host: st.DataObject) -> None:
    made = []
    for number, (tag, data) in enumerate(points):
        path = ImagePath(f"\\Users\\name{number}")
        value = decode(tag, data)
        owner = owner_of(path, tag, value, 0)
        made.append(ReparsePoint(path, tag_of(tag), value, owner, len(data), is_directory=False))
    image: Any = MadeImage(made, [data for _, data in points])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wimdock.image.reparse_points.reparse_points", lambda _image: iter(made))
        facts = stored(module.reparse_facts(image))
    build = host.draw(st.sampled_from(HOSTS))
    kept = without_examples(judge_alike(kinds_in(facts), build))
    # What hosts judge alike may differ in a reason that they do not tell; the counts do not.
    assert kept == without_examples(judge_host(made, build))


def test_data_that_cannot_be_read(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from wimdock.errors import CorruptImage

    def corrupt(_image: Image, _entry: object) -> bytes:
        message = "the content does not have its hash\ud800"
        raise CorruptImage(message)

    monkeypatch.setattr(Image, "reparse_data", corrupt)
    with Archive.open(lab.image("lzx")) as archive:
        image = archive.image(1)
        points = list(reparse_points(image))
        facts = reparse_facts(image)
    json.dumps(facts).encode("ascii")
    assert all(each["data"] is None for each in facts)
    assert all(r"\ud800" in each["unreadable"] for each in facts)
    kept, real = judge_alike(kinds_in(facts), None), judge_host(points, None)
    assert (kept.ability, kept.strong, kept.weak) == (real.ability, real.strong, real.weak)
