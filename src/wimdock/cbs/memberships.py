r"""Memberships that add a component to a list which many share: PATH, and the groups of svchost.

`Environment` with a `path` adds a folder to `Path` in the system's environment; `SvcHost` with a
`serviceGroup` adds a service to the group that the subcategory names. Both read the image's value
and add to it; what is there already stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator

from wimdock.cbs.component_manifest import ComponentManifest, Membership
from wimdock.cbs.element import Element
from wimdock.cbs.refusal import Refusals, refuse
from wimdock.cbs.runtime_path import refuse_variables
from wimdock.cbs.target import TargetImage, text_of, texts_of
from wimdock.image.change_set import HiveName, SetValue
from wimdock.registry.value_type import ValueType, encode_string, encode_strings

SVCHOST = "Microsoft\\Windows NT\\CurrentVersion\\SvcHost"
_ENVIRONMENT = "Control\\Session Manager\\Environment"
_POSITIONS = frozenset({"", "last", "first"})
# Marks for others to read: what boots, what recovers; and what services.py carries out.
PLAIN = frozenset(
    {"service", "bootcritical", "bootrecovery", "servicingstackcomponent", "singleinstancefiles"}
)


class SharedLists:
    """The shared lists of one image, as they stand after the edits given so far."""

    def __init__(self, image: TargetImage) -> None:
        """Begin with what the image has."""
        self._image = image
        self._path: str | None = None
        self._groups: dict[str, tuple[str, ...]] = {}

    def edits(self, manifest: ComponentManifest, refusals: Refusals) -> Iterator[SetValue]:
        """Give the edits that a winning component's memberships ask for."""
        for membership in manifest.memberships:
            with refusals.about(f"membership {membership.type_name}"):
                if membership.type_name.lower() == "environment":
                    yield from self._environment(membership)
                elif membership.type_name.lower() == "svchost":
                    yield from self._svchost(membership)

    def _environment(self, membership: Membership) -> Iterator[SetValue]:
        for instance in membership.instances:
            for element in instance.children:
                if element.name != "path" or not element.get("name"):
                    refuse(f"{element.name} is not supported")
                yield from self._add_to_path(element)

    def _add_to_path(self, element: Element) -> Iterator[SetValue]:
        key = f"{self._image.control_set}\\{_ENVIRONMENT}"
        if self._path is None:
            self._path = _text(self._image, HiveName.SYSTEM, key, "Path")
        folder = element.get("name")
        refuse_variables(folder)
        if _plain(folder) not in {_plain(part) for part in self._path.split(";")}:
            parts = (self._path.rstrip(";"),) if self._path else ()
            self._path = ";".join(_added(parts, folder, element.get("position")))
            data = encode_string(self._path)
            yield SetValue(HiveName.SYSTEM, key, "Path", ValueType.REG_EXPAND_SZ, data)

    def _svchost(self, membership: Membership) -> Iterator[SetValue]:
        for instance in membership.instances:
            group = instance.get("subcategory")
            for element in instance.children:
                if element.name != "serviceGroup" or not group or not element.get("serviceName"):
                    refuse(f"{element.name} is not supported")
                yield from self._add_to_group(group, element)

    def _add_to_group(self, group: str, element: Element) -> Iterator[SetValue]:
        folded = group.lower()
        if folded not in self._groups:
            hive = self._image.hive(HiveName.SOFTWARE)
            key = hive.open_key(SVCHOST) if hive else None
            self._groups[folded] = texts_of(key.value(group) if key else None)
        service = element.get("serviceName")
        if service.lower() not in (name.lower() for name in self._groups[folded]):
            names = _added(self._groups[folded], service, element.get("position"))
            self._groups[folded] = names
            data = encode_strings(names)
            yield SetValue(HiveName.SOFTWARE, SVCHOST, group, ValueType.REG_MULTI_SZ, data)


def _text(image: TargetImage, hive_name: HiveName, path: str, name: str) -> str:
    hive = image.hive(hive_name)
    key = hive.open_key(path) if hive else None
    return text_of(key.value(name) if key else None)


def _plain(folder: str) -> str:
    return folder.rstrip("\\").lower()


def _added(names: tuple[str, ...], name: str, position: str) -> tuple[str, ...]:
    if position.lower() not in _POSITIONS:
        refuse(f"the position {position[:80]!r} is not known")
    return (name, *names) if position.lower() == "first" else (*names, name)
