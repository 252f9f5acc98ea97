r"""Firewall rules: `firewallRule` as values below SharedAccess in the SYSTEM hive.

The text of a rule is that of [MS-GPFAS] 2.2.2.19; which fields, in which order, and that a rule
stands both in the defaults and in the policy in force: the SYSTEM hive of a Windows 10 beside the
manifest of the same rule (docs/internals/component-store.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wimdock.cbs.component_manifest import ComponentManifest
from wimdock.cbs.element import Element
from wimdock.cbs.refusal import Refusals, refuse
from wimdock.cbs.runtime_path import refuse_variables
from wimdock.cbs.target import TargetHive, text_of
from wimdock.image.change_set import HiveName, SetValue
from wimdock.registry.value_type import ValueType, encode_string

ELEMENT = "firewallRule"
_DEFAULTS = "Services\\SharedAccess\\Defaults\\FirewallPolicy\\FirewallRules"
_POLICY = "Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules"
# Every Windows since 7 reads this version, which has all fields that are written here.
_OLDEST_VERSION = (2, 10)
_VERSION = re.compile(r"v([0-9]{1,3})\.([0-9]{1,3})\|")
_PROTOCOLS = {"icmpv4": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
_NUMBER = re.compile(r"[0-9]{1,5}")
_CHOICES = {
    "action": {"allow": "Allow", "block": "Block"},
    "active": {"true": "TRUE", "false": "FALSE"},
    "dir": {"in": "In", "out": "Out"},
}
_PROFILES = {"domain": "Domain", "private": "Private", "public": "Public"}
_PLAIN = (("binary", "App"), ("service", "Svc"), ("name", "Name"), ("desc", "Desc"))
_KNOWN = frozenset(
    {"action", "active", "binary", "desc", "dir", "group", "internalname", "lport", "name"}
    | {"profile", "protocol", "rport", "service"}
)


def firewall_edits(
    manifest: ComponentManifest, control_set: str, system: TargetHive | None, refusals: Refusals
) -> Iterator[SetValue]:
    """Give the edits for a winning component's firewall rules.

    A rule that is in the policy in force already stays as it is there: somebody may have turned it
    off. What cannot be carried out goes into `refusals`.
    """
    for element in manifest.extensions:
        if element.name != ELEMENT:
            continue
        fields = {name.lower(): value for name, value in element.attributes}
        with refusals.about(f"firewall rule {fields.get('internalname', '')}"):
            name, text = _rule(element, fields, _version_in(system, control_set))
            data = encode_string(text)
            for below in (_DEFAULTS, _POLICY):
                key = f"{control_set}\\{below}"
                known = system.open_key(key) if system and below == _POLICY else None
                if known is None or known.value(name) is None:
                    yield SetValue(HiveName.SYSTEM, key, name, ValueType.REG_SZ, data)


def _rule(element: Element, fields: dict[str, str], version: str) -> tuple[str, str]:
    for name in fields:
        if name not in _KNOWN:
            refuse(f"its attribute {name} is not known")
    for text in fields.values():
        refuse_variables(text)
    if element.children:
        refuse(f"its element {element.children[0].name} is not known")
    if not fields.get("internalname") or any("|" in value for value in fields.values()):
        refuse("it has no usable name, or a field with a bar")
    parts = [version]
    for field, written in (("action", "Action"), ("active", "Active"), ("dir", "Dir")):
        parts.append(f"{written}={_choice(field, fields)}")
    if "protocol" in fields:
        parts.append(f"Protocol={_protocol(fields['protocol'])}")
    parts.extend(f"Profile={profile}" for profile in _profiles(fields.get("profile", "")))
    for field, written in (("lport", "LPort"), ("rport", "RPort")):
        parts.extend(f"{written}={port}" for port in _ports(fields.get(field, "")))
    parts.extend(f"{written}={fields[field]}" for field, written in _PLAIN if fields.get(field))
    if fields.get("group"):
        parts.append(f"EmbedCtxt={fields['group']}")
    return fields["internalname"], "|".join(parts) + "|"


def _choice(field: str, fields: dict[str, str]) -> str:
    chosen = _CHOICES[field].get(fields.get(field, "").lower())
    if chosen is None:
        refuse(f"its {field} {fields.get(field, '')[:80]!r} is not known")
    return chosen


def _protocol(text: str) -> int:
    number = _PROTOCOLS.get(text.lower(), int(text) if _NUMBER.fullmatch(text) else None)
    if number is None:
        refuse(f"its protocol {text[:80]!r} is not known")
    return number


def _profiles(text: str) -> list[str]:
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if names == ["all"]:
        return []
    for name in names:
        if name not in _PROFILES:
            refuse(f"its profile {name[:80]!r} is not known")
    # A rule for all three is written without any.
    return [] if len(set(names)) == len(_PROFILES) else [_PROFILES[name] for name in names]


def _ports(text: str) -> list[str]:
    ports = [port.strip() for port in text.split(",") if port.strip()]
    for port in ports:
        if not _NUMBER.fullmatch(port):
            refuse(f"its port {port[:80]!r} is not a number")
    return ports


def _version_in(system: TargetHive | None, control_set: str) -> str:
    """Give the version that the image's own default rules have, or the oldest that will do."""
    key = system.open_key(f"{control_set}\\{_DEFAULTS}") if system else None
    best = _OLDEST_VERSION
    for value in key.values() if key else ():
        match = _VERSION.match(text_of(value))
        if match is not None:
            best = max(best, (int(match[1]), int(match[2])))
    return f"v{best[0]}.{best[1]}"
