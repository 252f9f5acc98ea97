"""What the site keeps of an image's reparse points: enough to judge any host by, and no more.

An image may have a hundred thousand of them, of a handful of kinds. Those that every build of
Windows judges alike are kept as one record, with the data of one of them: {"owner", "tag" (its
number), "count", "bytes", "examples" (the first few paths), "data" (hexadecimal, null where it
cannot be read) and "unreadable" (why)}. A verdict on a host is the same from these as from the
image itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wimdock.errors import ImageError
from wimdock.paths import ImagePath
from wimdock.reparse.data import Opaque, ReparseValue
from wimdock.reparse.decode import decode
from wimdock.reparse.hosts import NAMES
from wimdock.reparse.judgement import Judgement, judge
from wimdock.reparse.owner import Owner
from wimdock.reparse.tags import tag_of
from wimdock.servicing.preflight.host import EXAMPLES, Alike
from wimdock.site.stored_text import storable_text

if TYPE_CHECKING:
    from wimdock.image.reparse_points import ReparsePoint
    from wimdock.wim import Image

Record = dict[str, Any]

_Judgements = tuple[Judgement | None, ...]


@dataclass(slots=True)
class _Group:
    data: bytes | None
    unreadable: str
    count: int = 0
    size: int = 0
    examples: list[str] = field(default_factory=list)


def reparse_facts(image: Image) -> list[Record]:
    """Sum up the reparse points of an image, in the order in which each kind is met first."""
    from wimdock.image.reparse_points import reparse_points

    judged: dict[tuple[int, ReparseValue, Owner], _Judgements] = {}
    groups: dict[tuple[Owner, int, _Judgements], _Group] = {}
    for point, (_, entry) in zip(reparse_points(image), image.reparse_points(), strict=True):
        kind = point.tag.value, point.value, point.owner
        if kind not in judged:
            judged[kind] = tuple(judge(*kind, host) for host in NAMES)
        key = point.owner, point.tag.value, judged[kind]
        group = groups.get(key)
        if group is None:
            try:
                group = _Group(image.reparse_data(entry), "")
            except ImageError as error:
                group = _Group(None, _reason(point, error))
            groups[key] = group
        group.count += 1
        group.size += point.size
        if len(group.examples) < EXAMPLES:
            group.examples.append(storable_text(str(point.path)))
    return [_record(owner, tag, group) for (owner, tag, _), group in groups.items()]


def _record(owner: Owner, tag: int, group: _Group) -> Record:
    return {
        "owner": owner.value,
        "tag": tag,
        "count": group.count,
        "bytes": group.size,
        "examples": group.examples,
        "data": None if group.data is None else group.data.hex(),
        "unreadable": storable_text(group.unreadable),
    }


def _reason(point: ReparsePoint, error: ImageError) -> str:
    """Give the reason that the point itself was given, which its judgement repeats."""
    return point.value.reason if isinstance(point.value, Opaque) else str(error)


def kinds_in(facts: Iterable[Mapping[str, Any]]) -> list[Alike]:
    """Give what `judge_alike` takes from the records of an image."""
    return [_alike(fact) for fact in facts]


def _alike(fact: Mapping[str, Any]) -> Alike:
    tag, data = int(fact["tag"]), fact["data"]
    value: ReparseValue = Opaque(0, fact["unreadable"])
    if data is not None:
        value = decode(tag, bytes.fromhex(data))
    examples = tuple(ImagePath(path) for path in fact["examples"])
    return Alike(tag_of(tag), Owner(fact["owner"]), value, int(fact["count"]), examples)
