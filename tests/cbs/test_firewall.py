"""Firewall rules: the texts of a real Windows beside the manifests of the same rules."""

from __future__ import annotations

import pytest

from tests.cbs.component_text import component
from tests.cbs.planning import FakeHive
from wimdock.cbs.firewall import firewall_edits
from wimdock.cbs.refusal import Refusals
from wimdock.cbs.target import TargetHive
from wimdock.image.change_set import SetValue
from wimdock.registry import Hive, encode_string

_DEFAULTS = "ControlSet001\\Services\\SharedAccess\\Defaults\\FirewallPolicy\\FirewallRules"
_POLICY = "ControlSet001\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules"

# The attributes with which Windows itself brings a rule, and those of a rule with profiles.
SSH = """<firewallRule action="allow" active="true"
  binary="%SystemRoot%\\system32\\OpenSSH\\sshd.exe"
  desc="Inbound rule for OpenSSH SSH Server (sshd)" dir="in" group="OpenSSH Server"
  internalName="OpenSSH-Server-In-TCP" lport="22" name="OpenSSH SSH Server (sshd)"
  protocol="TCP" />"""
IWARP = """<firewallRule Action="Allow" Active="FALSE" Binary="System"
  Desc="@FirewallAPI.dll,-28606" Dir="In" LPort="5445" Name="@FirewallAPI.dll,-28603"
  Profile="Domain, Private, Public" Protocol="6" group="@FirewallAPI.dll,-28602"
  internalName="FPSSMBD-iWARP-In-TCP" />"""


def edits_of(rule: str, system: TargetHive | None) -> tuple[list[SetValue], tuple[str, ...]]:
    refusals = Refusals()
    return list(
        firewall_edits(component(rule), "ControlSet001", system, refusals)
    ), refusals.reasons


def test_a_rule_reads_as_in_a_real_windows(real_system: Hive) -> None:
    for path in (_DEFAULTS, _POLICY):
        key = real_system.open_key(path)
        assert key is not None
        real = key.value("OpenSSH-Server-In-TCP")
        assert real is not None
        edits, reasons = edits_of(SSH, real_system)
        assert reasons == ()
        assert [(edit.key, edit.name, edit.type) for edit in edits] == [
            (_DEFAULTS, "OpenSSH-Server-In-TCP", 1)
        ]
        assert edits[0].data == real.data


def test_a_rule_goes_into_the_defaults_and_the_policy() -> None:
    edits, _ = edits_of(SSH, FakeHive())
    assert [edit.key for edit in edits] == [_DEFAULTS, _POLICY]
    assert edits[0].data == edits[1].data
    assert edits[0].data.decode("utf-16-le").startswith("v2.10|Action=Allow|")


def test_a_rule_that_is_in_force_stays_as_it_is() -> None:
    system = FakeHive()
    text = encode_string("v2.30|Action=Allow|Active=FALSE|")
    system.make(_POLICY).set("OpenSSH-Server-In-TCP", 1, text)
    assert [edit.key for edit in edits_of(SSH, system)[0]] == [_DEFAULTS]


def test_some_profiles_are_named() -> None:
    rule = IWARP.replace("Domain, Private, Public", "Domain,Private")
    assert "|Protocol=6|Profile=Domain|Profile=Private|LPort=5445|" in (
        edits_of(rule, None)[0][0].data.decode("utf-16-le")
    )


@pytest.mark.parametrize(
    "change, why",
    [
        (('dir="in"', 'dir="up"'), "dir"),
        (('protocol="TCP"', 'protocol="CARRIER-PIGEON"'), "protocol"),
        (('lport="22"', 'lport="RPC"'), "port"),
        (('lport="22"', 'lport="22" edge="true"'), "edge"),
        (('desc="Inbound', 'desc="Inbound|'), "bar"),
        (('internalName="OpenSSH-Server-In-TCP"', ""), "name"),
        (('protocol="TCP"', 'protocol="TCP" profile="Somewhere"'), "profile"),
    ],
)
def test_what_is_not_known_is_refused(change: tuple[str, str], why: str) -> None:
    edits, reasons = edits_of(SSH.replace(*change), None)
    assert edits == []
    assert len(reasons) == 1
    assert why in reasons[0]
