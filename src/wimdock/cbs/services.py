r"""Services: `serviceData` of a manifest as keys below `SYSTEM\<control set>\Services`.

Which values there are, their names, types and data: the SYSTEM hive of a Windows 10 beside the
manifests of the same services (docs/internals/component-store.md), and winsvc.h.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wimdock.cbs.component_manifest import ComponentManifest, Service
from wimdock.cbs.refusal import Refusals, refuse
from wimdock.cbs.runtime_path import refuse_variables
from wimdock.cbs.security import descriptor
from wimdock.cbs.service_failure import failure_actions
from wimdock.cbs.service_trigger import trigger_values
from wimdock.cbs.target import TargetHive
from wimdock.image.change_set import CreateKey, DeleteKey, HiveName, RegistryEdit, SetValue
from wimdock.registry.value_type import ValueType, encode_dword, encode_string, encode_strings

_TYPES = {
    "kerneldriver": 0x01,
    "filesystemdriver": 0x02,
    "adapter": 0x04,
    "recognizerdriver": 0x08,
    "win32ownprocess": 0x10,
    "win32shareprocess": 0x20,
    "win32userownprocess": 0x50,
    "win32usershareprocess": 0x60,
    "interactiveprocess": 0x100,
}
_STARTS = {"boot": 0, "system": 1, "auto": 2, "delayedauto": 2, "demand": 3, "disabled": 4}
_DELAYED = "delayedauto"
_ERROR_CONTROLS = {"ignore": 0, "normal": 1, "severe": 2, "critical": 3}
_SID_TYPES = {"none": 0, "unrestricted": 1, "restricted": 3}
_KNOWN = frozenset(
    {"name", "displayName", "description", "type", "start", "errorControl", "imagePath", "group"}
    | {"tag", "objectName", "dependOnService", "dependOnGroup", "requiredPrivileges", "sidType"}
    # Whether to start it after an installation: nothing starts in an image.
    | {"startAfterInstall"}
)
_NAME = re.compile(r"[^\\/\0]{1,256}")
_NUMBER = re.compile(r"0x[0-9a-f]{1,8}|[0-9]{1,9}", re.IGNORECASE)
Value = tuple[str, int, bytes]
_OWNER = "O:SYG:SY"


def service_edits(
    manifest: ComponentManifest, control_set: str, system: TargetHive | None, refusals: Refusals
) -> Iterator[RegistryEdit]:
    """Give the edits that install a component's services, in the manifest's order.

    A service that the image has already keeps its Start: somebody may have chosen it. What cannot
    be carried out goes into `refusals`.
    """
    for service in manifest.services:
        with refusals.about(f"service {service.name}"):
            if not _NAME.fullmatch(service.name):
                refuse("it has no name that a key can have")
            key = f"{control_set}\\Services\\{service.name}"
            exists = system is not None and system.open_key(key) is not None
            values = sorted(_values(service), key=lambda value: value[0])
            yield CreateKey(HiveName.SYSTEM, key)
            for name, kind, data in values:
                if not (exists and name in ("Start", "DelayedAutoStart")):
                    yield SetValue(HiveName.SYSTEM, key, name, kind, data)
            yield from _security_edits(manifest, service, key)
            yield from _trigger_edits(service, key)


def _values(service: Service) -> Iterator[Value]:
    for attribute, text in service.attributes:
        if attribute not in _KNOWN:
            refuse(f"its attribute {attribute} is not known")
        refuse_variables(text)
    yield from _numbers(service)
    for name, text in (
        ("DisplayName", service.display_name),
        ("Description", service.description),
        ("Group", service.group),
        ("ObjectName", service.object_name),
    ):
        if text:
            yield name, ValueType.REG_SZ, encode_string(text)
    for name, text in (
        ("DependOnService", service.depend_on_service),
        ("DependOnGroup", service.depend_on_group),
        ("RequiredPrivileges", service.required_privileges),
    ):
        if text:
            yield name, ValueType.REG_MULTI_SZ, encode_strings(_words(text))
    if service.image_path:
        yield "ImagePath", ValueType.REG_EXPAND_SZ, encode_string(service.image_path)
    if service.failure_actions is not None:
        yield "FailureActions", ValueType.REG_BINARY, failure_actions(service.failure_actions)


def _numbers(service: Service) -> Iterator[Value]:
    if not service.type:
        refuse("it has no type")
    kinds = {_one_of(word, _TYPES, "type") for word in _words(service.type)}
    yield _dword("Type", sum(kinds))
    yield _dword("Start", _one_of(service.start or "demand", _STARTS, "start"))
    if service.start.lower() == _DELAYED:
        yield _dword("DelayedAutoStart", 1)
    control = _one_of(service.error_control or "normal", _ERROR_CONTROLS, "errorControl")
    yield _dword("ErrorControl", control)
    if service.sid_type:
        yield _dword("ServiceSidType", _one_of(service.sid_type, _SID_TYPES, "sidType"))
    if service.get("tag"):
        yield _dword("Tag", _number(service.get("tag")))


def _security_edits(
    manifest: ComponentManifest, service: Service, key: str
) -> Iterator[RegistryEdit]:
    """Give the descriptor of the service itself: who may start and stop it."""
    if not service.security:
        return
    definition = manifest.security_of(service.security)
    if definition is None:
        refuse(f"the security descriptor {service.security} is not defined")
    sddl = definition.sddl
    owned = sddl if sddl.lstrip().upper().startswith(("O:", "G:")) else _OWNER + sddl
    data = descriptor(owned)
    below = f"{key}\\Security"
    yield SetValue(HiveName.SYSTEM, below, "Security", ValueType.REG_BINARY, data)


def _trigger_edits(service: Service, key: str) -> Iterator[RegistryEdit]:
    if not service.triggers:
        return
    yield DeleteKey(HiveName.SYSTEM, f"{key}\\TriggerInfo")
    for number, trigger in enumerate(service.triggers):
        below = f"{key}\\TriggerInfo\\{number}"
        for name, kind, data in trigger_values(trigger):
            yield SetValue(HiveName.SYSTEM, below, name, kind, data)


def _dword(name: str, number: int) -> Value:
    return name, ValueType.REG_DWORD, encode_dword(number)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _one_of(text: str, names: dict[str, int], attribute: str) -> int:
    number = names.get(text.strip().lower())
    if number is None:
        refuse(f"its {attribute} {text[:80]!r} is not known")
    return number


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        refuse(f"{text[:80]!r} is no number")
    return int(text, 16) if text[:2].lower() == "0x" else int(text)
