"""Winners, against what a real Windows records."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.cbs.planning import FakeImage
from tests.lab.identity import TOKEN
from wimdock.cbs.identity import Identity, Version
from wimdock.cbs.winner import WINNERS, Family, Winners, register_winner
from wimdock.image.change_set import ChangeSet, HiveName
from wimdock.registry import encode_string

_VERSIONS = st.builds(Version, st.integers(6, 7), st.integers(0, 1), st.integers(0, 3))


def lab(version: Version) -> Identity:
    return Identity("Lab", version, "amd64", "neutral", TOKEN, version_scope="NonSxS")


def install(image: FakeImage, version: Version) -> bool:
    """Install one version; tell whether it won."""
    verdict = Winners(image).judge(lab(version))
    image.apply(ChangeSet(registry=tuple(register_winner(lab(version), verdict))))
    return verdict.wins


def test_a_first_version_wins() -> None:
    verdict = Winners(FakeImage()).judge(lab(Version(10, 0, 1, 1)))
    assert verdict.wins
    assert not verdict.present
    assert verdict.replaces is None
    assert "no other version" in verdict.why


def test_a_newer_version_wins_and_an_older_one_does_not() -> None:
    image = FakeImage()
    assert install(image, Version(10, 0, 2))
    newer = Winners(image).judge(lab(Version(10, 0, 3)))
    assert (newer.wins, newer.replaces) == (True, Version(10, 0, 2))
    older = Winners(image).judge(lab(Version(10, 0, 1)))
    assert (older.wins, older.replaces) == (False, None)
    assert "10.0.2.0 in the image is newer" in older.why


def test_the_same_version_is_present() -> None:
    image = FakeImage()
    install(image, Version(10, 0, 2))
    again = Winners(image).judge(lab(Version(10, 0, 2)))
    assert (again.wins, again.present, again.replaces) == (True, True, None)


def test_versions_of_the_same_update_compete() -> None:
    verdict = Winners(FakeImage()).judge(lab(Version(1)), [Version(1), Version(2)])
    assert not verdict.wins
    assert "in the same update" in verdict.why


def test_an_image_without_the_key_and_odd_values() -> None:
    image = FakeImage()
    key = image.hives[HiveName.SOFTWARE].make(f"{WINNERS}\\{lab(Version()).versionless_key}")
    key.set("", 1, encode_string("nonsense"))
    assert Winners(image).family(lab(Version())) == Family()


@given(st.lists(_VERSIONS, min_size=1, max_size=6))
def test_the_highest_version_is_the_winner_in_any_order(versions: list[Version]) -> None:
    image = FakeImage()
    for version in versions:
        install(image, version)
    family = Winners(image).family(lab(Version()))
    assert family.winner == max(versions)
    assert family.versions == frozenset(versions)


def test_what_is_recorded_is_what_a_real_windows_records(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "vectors" / "sidebyside-winners.json").read_text())
    names = json.loads((shared_data / "vectors" / "component-identities.json").read_text())
    known = {}
    for entry in names:
        one = entry["identity"]
        identity = Identity(
            one["name"],
            Version(),
            one["processorArchitecture"],
            one["language"],
            one["publicKeyToken"],
            version_scope=one["versionScope"],
        )
        known[identity.versionless_key] = identity
    seen = 0
    for entry in vectors:
        family, _, line = entry["key"].partition("\\")
        values = entry["values"]
        if not line:
            continue
        winner = Version.parse(values["@"].strip('"'))
        image = FakeImage()
        identity = known[family].with_version(winner)
        verdict = Winners(image).judge(identity)
        image.apply(ChangeSet(registry=tuple(register_winner(identity, verdict))))
        key = f"{WINNERS}\\{family}"
        assert image.data(HiveName.SOFTWARE, key, "") == encode_string(line)
        assert image.data(HiveName.SOFTWARE, f"{key}\\{line}", "") == encode_string(str(winner))
        if str(winner) in values:
            assert values[str(winner)] == "hex:01"
            assert image.data(HiveName.SOFTWARE, f"{key}\\{line}", str(winner)) == b"\x01"
            seen += 1
    assert seen
