"""What a reparse point means for a host that services the Microsoft way.

A host that does not know a tag cannot carry it through a commit; that is a strong finding. A known
tag with data of an unusual kind is a weak one. What triggers 0x800700A1 is not documented in
detail, so the two are kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from wimdock.reparse import tags
from wimdock.reparse.data import ExternalBacking, MountPoint, Opaque, ReparseValue, SymbolicLink
from wimdock.reparse.hosts import WINDOWS_10, Build
from wimdock.reparse.owner import Owner


class Strength(Enum):
    """How sure it is that a reparse point troubles a host."""

    STRONG = "strong"
    WEAK = "weak"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Why a reparse point troubles a host, in one sentence, and how sure that is."""

    strength: Strength
    reason: str


def judge(tag: int, value: ReparseValue, owner: Owner, host: Build) -> Judgement | None:
    """Tell whether a host of that build is troubled by a reparse point; None where it is not."""
    known = tags.tag_of(tag)
    if not known.is_microsoft:
        return Judgement(
            Strength.WEAK,
            f"{known.name} is a third party's tag: {host.name} knows it only with that driver.",
        )
    if not known.is_listed:
        return Judgement(Strength.STRONG, f"{known.name} is a tag that {host.name} does not know.")
    if not known.is_known_to(host):
        return Judgement(
            Strength.STRONG,
            f"{known.name} came with {known.since.name if known.since else 'a newer Windows'}: "
            f"{host.name} does not know it.",
        )
    return _judge_data(value, owner, host)


def _judge_data(value: ReparseValue, owner: Owner, host: Build) -> Judgement | None:
    if isinstance(value, ExternalBacking) and value.provider == "file" and host < WINDOWS_10:
        return Judgement(
            Strength.STRONG,
            f"compression by WOF came with Windows 10: {host.name} knows WIM-backed files only.",
        )
    if isinstance(value, Opaque) and value.reason:
        return Judgement(Strength.WEAK, f"its data cannot be read: {value.reason}.")
    if owner is Owner.WINDOWS:
        return None
    if isinstance(value, SymbolicLink):
        return _judge_symlink(value)
    if isinstance(value, MountPoint) and value.is_volume:
        return Judgement(Strength.WEAK, "a junction to a volume by its GUID.")
    return None


def _judge_symlink(link: SymbolicLink) -> Judgement | None:
    if link.printed.startswith("\\\\?\\") or link.substitute.startswith("\\\\?\\"):
        return Judgement(Strength.WEAK, r"a symbolic link whose target begins with \\?\.")
    if link.substitute.upper().startswith("\\??\\VOLUME{"):
        return Judgement(Strength.WEAK, "a symbolic link to a volume by its GUID.")
    # Whatever its flag says, such a target is no relative one.
    if not link.relative or link.substitute.startswith("\\??\\"):
        return Judgement(Strength.WEAK, "a symbolic link with an absolute target.")
    return None
