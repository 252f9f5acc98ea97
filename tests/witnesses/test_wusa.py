"""The same packages through Wine's wusa: the same files and the same registry.

Known differences, each of which a test states:
- wusa takes neither compressed manifests nor the component store; it is given decoded manifests and
  only runtime files are compared.
- wusa 8 (Debian 12) ignores memberships, and so services: Wine's own service manager makes them
  from the same attributes instead. It stores ImagePath as REG_SZ where Windows has REG_EXPAND_SZ,
  adds PreshutdownTimeout and empty dependencies, and knows no RequiredPrivileges.
- wusa ignores firewallRule, directories, instrumentation and security descriptors.
- wusa fails for a file without a destination and for REG_QWORD and REG_NONE; the lab's package for
  it has none of these. It reads a hexadecimal REG_DWORD as a decimal one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.lab.cases import component, package
from tests.lab.hive import REG_DWORD, REG_EXPAND_SZ, REG_SZ
from tests.lab.hive_reader import Exported, by_hivexregedit, changes
from tests.lab.identity import LabIdentity
from tests.lab.lab import Lab
from tests.lab.manifest import LabPackage
from tests.lab.package import bare_files, write_cabinet, write_package, write_standalone
from tests.lab.wine import Prefix, Registry
from tests.witnesses.serviced import Serviced, judge, run_wimdock
from tests.witnesses.update_contents import UpdateContents

# Wine takes its time to make a Windows.
pytestmark = pytest.mark.timeout(600)

_WUSA_TYPES = {"REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ", "REG_DWORD", "REG_BINARY"}
_RUNTIME = "Windows/"
_CONTROL_SET = "system\\currentcontrolset\\"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a run of wusa added: runtime files with their SHA-256, keys with values."""

    files: dict[str, str]
    registry: Registry


def _ask(wine: Prefix, standalone: Path) -> Opinion:
    files, registry = wine.files(), wine.registry()
    wine.install(standalone)
    new_files = {name: sha for name, sha in wine.files().items() if files.get(name) != sha}
    new_keys: Registry = {}
    for key, values in wine.registry().items():
        before = registry.get(key, {})
        fresh = {name: value for name, value in values.items() if before.get(name) != value}
        if fresh or key not in registry:
            new_keys[key] = fresh
    return Opinion(new_files, new_keys)


def _runtime_files(serviced: Serviced) -> dict[str, str]:
    """Give the new files below C:\\Windows outside the component store and servicing."""  # noqa: D301
    apart = ("winsxs/", "servicing/", "system32/catroot/", "system32/config/")
    new = {
        path.removeprefix(_RUNTIME).lower(): facts.sha256
        for path, facts in serviced.after.items()
        if path not in serviced.before and path.startswith(_RUNTIME) and facts.sha256
    }
    return {path: sha for path, sha in new.items() if sha and not path.startswith(apart)}


def _changed(serviced: Serviced) -> Registry:
    """Give what changed in HKEY_LOCAL_MACHINE: keys in lower case and in Wine's words."""
    found: Registry = {}
    for hive in ("SYSTEM", "SOFTWARE"):
        before = by_hivexregedit(serviced.hives_before / hive)
        after: Exported = changes(before, by_hivexregedit(serviced.hives_after / hive))
        for key, values in after.items():
            name = f"{hive}\\{key}".lower()
            found[name.replace("system\\controlset001\\", _CONTROL_SET)] = values
    return found


@pytest.fixture(scope="module")
def opinions(
    wine: Prefix, contents: tuple[UpdateContents, ...], tmp_path_factory: pytest.TempPathFactory
) -> Opinion:
    """Give what wusa makes of OpenSSH Client and Server together."""
    folder = tmp_path_factory.mktemp("standalone")
    files: dict[str, str] = {}
    registry: Registry = {}
    for name, content in zip(("Client", "Server"), contents, strict=True):
        cabinet = write_cabinet(folder / f"OpenSSH-{name}.cab", content.files)
        root = LabPackage(LabIdentity(f"OpenSSH-{name}-Package"))
        opinion = _ask(wine, write_standalone(folder / f"{name}.msu", root, cabinet))
        files |= opinion.files
        registry |= opinion.registry
    return Opinion(files, registry)


@pytest.mark.parametrize("serviced", ["lzx"], indirect=True)
def test_the_same_runtime_files(opinions: Opinion, serviced: Serviced) -> None:
    ours = _runtime_files(serviced)
    assert len(ours) == 12
    assert opinions.files == ours


@pytest.mark.parametrize("serviced", ["lzx"], indirect=True)
def test_every_key_that_wusa_makes_is_there(opinions: Opinion, serviced: Serviced) -> None:
    ours = _changed(serviced)
    made = {key for key in opinions.registry if "openssh" in key or "\\services\\ssh" in key}
    assert made == {f"{_CONTROL_SET}services\\sshd"}
    for key in made:
        assert opinions.registry[key].items() <= ours[key].items()


@pytest.mark.parametrize("serviced", ["lzx"], indirect=True)
def test_wines_service_manager_makes_the_same_services(
    wine: Prefix, contents: tuple[UpdateContents, ...], serviced: Serviced
) -> None:
    ours = _changed(serviced)
    for service in {one["name"]: one for content in contents for one in content.services}.values():
        wine.make_service(service["name"] + "-witness", service)
        theirs = wine.registry()[f"{_CONTROL_SET}services\\{service['name']}-witness"]
        mine = ours[f"{_CONTROL_SET}services\\{service['name']}"]
        assert mine.keys() - theirs.keys() == {"RequiredPrivileges"}
        assert theirs.keys() - mine.keys() == {
            "DependOnGroup",
            "DependOnService",
            "PreshutdownTimeout",
        }
        differing = {name for name in mine.keys() & theirs.keys() if mine[name] != theirs[name]}
        assert differing == {"ImagePath"}
        assert mine["ImagePath"] == (REG_EXPAND_SZ, theirs["ImagePath"][1])
        assert theirs["ImagePath"][0] == REG_SZ


def test_the_same_values_of_every_type(wine: Prefix, lab: Lab, tmp_path: Path) -> None:
    whole = component("Lab-Registry")
    placed = tuple(one for one in whole.payloads if one.destination == "$(runtime.system32)\\")
    keys = tuple(
        replace(key, values=tuple(value for value in key.values if value[1] in _WUSA_TYPES))
        for key in whole.registry
    )
    update = package(replace(whole, payloads=placed, registry=keys), name="Lab-Registry-Package")
    inner = write_cabinet(tmp_path / "lab.cab", bare_files(update))
    theirs = _ask(wine, write_standalone(tmp_path / "lab.msu", update, inner))

    image = lab.copy("xpress", tmp_path)
    run_wimdock("service", image, "--update", write_package(tmp_path / "update.cab", update))
    source = Path(shutil.copyfile(lab.volume(), tmp_path / "source.img"))
    serviced = judge(image, "", lab.snapshot(), source, tmp_path)
    ours = _changed(serviced)

    assert theirs.files == _runtime_files(serviced)
    # Wine itself writes other keys whenever it starts.
    made = {
        key: values for key, values in theirs.registry.items() if "\\lab" in key or ".lab" in key
    }
    differing = {
        (key, name): (value, ours.get(key, {}).get(name))
        for key, values in made.items()
        for name, value in values.items()
        if ours.get(key, {}).get(name) != value
    }
    assert len(made) == len(keys)
    assert made.keys() <= ours.keys()
    # wusa reads "0x0000002a" as a decimal number.
    assert differing == {
        ("software\\lab", "number"): ((REG_DWORD, bytes(4)), (REG_DWORD, b"\x2a\0\0\0"))
    }
