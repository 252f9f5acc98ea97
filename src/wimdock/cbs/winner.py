r"""Winners: which version of a component is the one that the running Windows uses.

`SOFTWARE\Microsoft\Windows\CurrentVersion\SideBySide\Winners\<version-less key>` names the winning
major.minor as its default value; the key of that name below it names the winning version as its own
default, and has one more value for every version that is present.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wimdock.cbs.identity import Identity, Version
from wimdock.cbs.target import TargetHive, TargetImage, TargetKey, text_of
from wimdock.errors import MalformedPackage
from wimdock.image.change_set import HiveName, SetValue
from wimdock.registry.value_type import ValueType, encode_string

WINNERS = "Microsoft\\Windows\\CurrentVersion\\SideBySide\\Winners"


@dataclass(frozen=True, slots=True)
class Family:
    """The versions of one component that an image has; `winner` is None where it has none."""

    versions: frozenset[Version] = frozenset()
    winner: Version | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one component.

    `wins` tells whether its files, registry and services are the ones in use; `replaces` is the
    version that won before, if any; `present` tells that the image had this very version already.
    """

    wins: bool
    present: bool
    replaces: Version | None
    why: str


class Winners:
    """The component families of an image, each read once when it is asked for."""

    def __init__(self, image: TargetImage) -> None:
        """Look at the image's SOFTWARE hive; an image without one has no components."""
        self._hive: TargetHive | None = image.hive(HiveName.SOFTWARE)
        self._families: dict[str, Family] = {}

    def family(self, identity: Identity) -> Family:
        """Give what the image has of a component, whatever the version."""
        key = identity.versionless_key
        if key not in self._families:
            found = self._hive.open_key(f"{WINNERS}\\{key}") if self._hive else None
            self._families[key] = _read_family(found) if found else Family()
        return self._families[key]

    def judge(self, identity: Identity, others: Sequence[Version] = ()) -> Verdict:
        """Tell what becomes of a component; `others` are versions of it that come with it.

        The highest version wins. One that loses goes into the store all the same.
        """
        family = self.family(identity)
        version = identity.version
        present = version in family.versions
        best = max((version, *others, *family.versions))
        if best > version:
            where = "in the image" if best in family.versions else "in the same update"
            return Verdict(
                wins=False,
                present=present,
                replaces=None,
                why=f"version {best} {where} is newer",
            )
        if family.winner is None:
            why = "no other version in the image"
        elif family.winner == version:
            why = "this version is in the image already"
        else:
            why = f"newer than version {family.winner} in the image"
        replaces = family.winner if family.winner != version else None
        return Verdict(wins=True, present=present, replaces=replaces, why=why)


def _read_family(key: TargetKey) -> Family:
    versions: set[Version] = set()
    winners: dict[str, Version] = {}
    for line in key.subkeys():
        winner = _version(text_of(line.value("")))
        if winner is not None:
            winners[line.name] = winner
            versions.add(winner)
        named = (_version(value.name) for value in line.values() if value.name)
        versions.update(version for version in named if version is not None)
    winner = winners.get(text_of(key.value(""))) or max(winners.values(), default=None)
    return Family(frozenset(versions), winner)


def _version(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except MalformedPackage:
        return None


def register_winner(identity: Identity, verdict: Verdict) -> Iterator[SetValue]:
    """Give the edits that make a component known as present and, where it wins, as the winner."""
    version = identity.version
    line = f"{version.major}.{version.minor}"
    family = f"{WINNERS}\\{identity.versionless_key}"
    yield SetValue(
        HiveName.SOFTWARE, f"{family}\\{line}", str(version), ValueType.REG_BINARY, b"\x01"
    )
    if verdict.wins:
        yield SetValue(HiveName.SOFTWARE, family, "", ValueType.REG_SZ, encode_string(line))
        yield SetValue(
            HiveName.SOFTWARE,
            f"{family}\\{line}",
            "",
            ValueType.REG_SZ,
            encode_string(str(version)),
        )
