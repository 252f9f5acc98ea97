"""What a reviewer tried: each ended as a success that was none, or in a wrong diagnosis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cbs.planning import FakeImage
from tests.lab.cases import CASES, component, package
from tests.lab.identity import LabIdentity
from tests.lab.lab import Lab
from tests.lab.manifest import LabComponent, LabPackage, LabPayload, LabRegistryKey, LabService
from tests.lab.package import (
    Files,
    add_catalogs,
    bare_files,
    file_hashes_of,
    package_files,
    write_cabinet,
)
from tests.servicing.surroundings import CLOCK, edit_image, put_in
from wimdock.cbs.applicability import ApplicabilityState, judge
from wimdock.cbs.opening import open_update
from wimdock.cbs.plan import Plan, make_plan
from wimdock.cbs.support import left_alone, unsupported
from wimdock.cbs.update import Update
from wimdock.errors import (
    MalformedPackage,
    RegistryError,
    UnsupportedImage,
    UnsupportedPackage,
)
from wimdock.image.change_set import ChangeSet, HiveName, PutFile, SetValue
from wimdock.image.staging import StagedImage
from wimdock.image.windows import WindowsImage
from wimdock.paths import ImagePath
from wimdock.registry import ValueType, encode_dword, encode_string
from wimdock.servicing.service import ServiceOptions
from wimdock.wim import Archive

Opener = Callable[[Files], Update]
PLAIN = package(component())
_KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Lab"


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    def open_files(files: Files) -> Update:
        number = len(list(tmp_path.iterdir()))
        cabinet = write_cabinet(tmp_path / f"{number}.cab", files)
        return open_update(cabinet, tmp_path / f"workspace {number}")

    return open_files


def changed(ending: str, old: str, new: str, made: LabPackage = PLAIN) -> Files:
    """Give a package in whose manifests of one kind a text is another; all hashes fit."""
    files = bare_files(made)
    names = [name for name in files if name.endswith(ending) and old.encode() in files[name]]
    for name in names:
        files[name] = files[name].replace(old.encode(), new.encode(), 1)
    assert names
    add_catalogs(files, made)
    files["$filehashes$.dat"] = file_hashes_of(files)
    return files


def with_payload(name: str, destination: str = "$(runtime.system32)\\") -> LabPackage:
    return package(replace(component(), payloads=(LabPayload(name, b"lab", destination),)))


def planned(update: Update, image: FakeImage | None = None) -> Plan:
    return make_plan(update, image or FakeImage(), CLOCK)


def refusal(update: Update, image: FakeImage | None = None) -> str:
    with pytest.raises(UnsupportedPackage) as caught:
        planned(update, image)
    return "\n".join(caught.value.reasons)


@pytest.mark.parametrize(
    "name", ["x.exe:stream", "..", "../x", "con", "a.", "b ", "a|b", "n" * 256]
)
def test_names_at_run_time_are_names_that_windows_can_have(name: str, opened: Opener) -> None:
    files = changed(
        ".manifest", '<file name="x.bin"', f'<file name="x.bin" destinationName="{name}"',
        with_payload("x.bin"),
    )  # fmt: skip
    assert "is no " in refusal(opened(files))


@pytest.mark.parametrize("tail", ["a:b", "con", "dots.", "nul.txt\\x", "\\".join("d" * 200)])
def test_folders_at_run_time_are_folders_that_windows_can_have(tail: str, opened: Opener) -> None:
    folder = f"$(runtime.system32)\\{tail}"
    assert "Windows can have" in refusal(opened(package_files(with_payload("x.bin", folder))))
    made = package(replace(component(), folders=(folder,)))
    assert "Windows can have" in refusal(opened(package_files(made)))


@pytest.mark.parametrize(
    "name, folder",
    [
        ("SOFTWARE", "$(runtime.system32)\\config"),
        ("sam", "$(runtime.system32)\\config"),
        ("SYSTEM.LOG1", "$(runtime.system32)\\config"),
        ("NTUSER.DAT", "$(runtime.userProfile)"),
        ("a.manifest", "$(runtime.windows)\\winsxs\\Manifests"),
        ("a.mum", "$(runtime.windows)\\servicing\\packages"),
    ],
)
def test_payload_does_not_take_the_place_of_what_windows_keeps(
    name: str, folder: str, opened: Opener
) -> None:
    assert "belongs to" in refusal(opened(package_files(with_payload(name, folder))))


@pytest.mark.parametrize(
    "made, what",
    [
        (with_payload("x.bin", r"$(runtime.bootdrive)\Documents and Settings"), "reparse point"),
        (with_payload("x.bin", r"$(runtime.bootdrive)\Users\All Users\Lab"), "reparse point"),
        (with_payload("wof.dll", r"$(runtime.programData)\Lab\marks"), "reparse point"),
        (with_payload("mounted", r"$(runtime.programData)\Lab"), "reparse point"),
        (with_payload("System32", "$(runtime.windows)"), "is a folder"),
        (with_payload("x.bin", r"$(runtime.system32)\kernel32.dll"), "is a file"),
        (
            package(replace(component(), folders=(r"$(runtime.bootdrive)\Users\All Users",))),
            "reparse point",
        ),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_what_stands_in_the_way_is_found_by_the_plan(
    made: LabPackage,
    what: str,
    dry_run: bool,  # noqa: FBT001
    lab: Lab,
    tmp_path: Path,
) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = write_cabinet(tmp_path / "lab.cab", package_files(made))
    before = image.read_bytes()
    with pytest.raises(UnsupportedPackage) as caught:
        put_in(image, [cabinet], ServiceOptions(indexes=(1,), dry_run=dry_run))
    assert what in caught.value.reasons[0]
    assert image.read_bytes() == before


def test_two_different_files_for_one_place_are_refused(opened: Opener) -> None:
    def other(content: bytes) -> LabComponent:
        payload = replace(component().payloads[0], content=content)
        return LabComponent(LabIdentity("Lab-Other"), (payload,))

    assert "both are to stand there" in refusal(
        opened(package_files(package(component(), other(b"other"))))
    )
    same = other(component().payloads[0].content)
    assert planned(opened(package_files(package(component(), same)))).components


def test_pending_operations_are_refused(opened: Opener, lab: Lab, tmp_path: Path) -> None:
    image = FakeImage()
    image.paths.add(ImagePath(r"Windows\WinSxS\pending.xml"))
    with pytest.raises(UnsupportedImage, match="pending") as caught:
        planned(opened(CASES["plain"].files()), image)
    assert caught.value.hresult == 0x800F0806
    real = lab.copy("xpress", tmp_path)
    edit_image(real, PutFile(ImagePath(r"Windows\WinSxS\pending.xml"), b"<PendingTransaction/>"))
    cabinet = write_cabinet(tmp_path / "lab.cab", CASES["plain"].files())
    with pytest.raises(UnsupportedImage, match="pending"):
        put_in(real, [cabinet])


def test_a_parent_that_names_no_package(opened: Opener) -> None:
    made = replace(PLAIN, parents=(), extra='<parent disposition="detect" />')
    update = opened(package_files(made))
    assert any("names no package" in reason for reason in unsupported(update))
    assert judge(update, (), "amd64").state is ApplicabilityState.NOT_APPLICABLE


def test_a_parent_in_any_language_is_refused(opened: Opener) -> None:
    made = replace(PLAIN, parents=(LabIdentity("Lab-Parent", language="*"),))
    assert any("@language (*)" in why for why in unsupported(opened(package_files(made))))


def test_comparisons_without_effect_are_named(opened: Opener) -> None:
    made = replace(PLAIN, parent_attributes='buildCompare="EQ" serviceCompare="GE"')
    update = opened(package_files(made))
    assert unsupported(update) == ()
    assert any("serviceCompare" in line for line in left_alone(update))
    assert not any("serviceCompare" in line for line in left_alone(opened(package_files(PLAIN))))


def test_packages_under_a_condition_are_refused(opened: Opener) -> None:
    condition = (
        '<applicable disposition="staged"><updateComponent elevate="install">'
        '<assemblyIdentity name="Lab" version="1.0.0.0" processorArchitecture="amd64" '
        'language="neutral" publicKeyToken="31bf3856ad364e35" versionScope="nonSxS" />'
        "</updateComponent></applicable>"
    )
    files = changed(".mum", "<package contained", condition + "<package contained")
    assert any("certain components" in why for why in unsupported(opened(files)))


def test_a_standalone_update_with_a_second_cabinet_is_refused(opened: Opener) -> None:
    inner = opened(package_files(PLAIN)).path.read_bytes()
    named = b"<a><source location='%configsetroot%\\lab.cab' /></a>"
    scan = {"WSUSSCAN.cab": b"no cabinet"}
    assert opened({"lab.cab": inner, "lab.xml": named} | scan).packages
    with pytest.raises(UnsupportedPackage, match=r"several packages: SSU\.cab, lab\.cab"):
        opened({"lab.cab": inner, "lab.xml": named, "SSU.cab": inner})


def test_an_empty_cabinet_says_so(tmp_path: Path) -> None:
    cabinet = write_cabinet(tmp_path / "empty.cab", {})
    with pytest.raises(MalformedPackage, match="empty"):
        open_update(cabinet, tmp_path / "workspace")


def test_payload_that_no_catalog_vouches_for_is_unsigned(opened: Opener) -> None:
    files = bare_files(PLAIN)
    name = next(name for name in files if "lab-program" in name and name.endswith(".manifest"))
    start, _, rest = files[name].partition(b"<asmv2:hash")
    files[name] = start + rest.partition(b"</asmv2:hash>")[2]
    add_catalogs(files, PLAIN)
    files["$filehashes$.dat"] = file_hashes_of(files)
    update = opened(files)
    assert unsupported(update) == ()
    assert not update.catalogued


@pytest.mark.parametrize(
    "old, new",
    [
        ("<dsig:DigestMethod", '<dsig:Transform Algorithm="x" /><dsig:DigestMethod'),
        ("<asmv2:hash", '<asmv2:hash xmlns:asmv2="urn:schemas-microsoft-com:asm.v2" /><asmv2:hash'),
    ],
)
def test_a_hash_is_one_hash(old: str, new: str, opened: Opener) -> None:
    assert any(
        "several hashes" in why for why in unsupported(opened(changed(".manifest", old, new)))
    )


@pytest.mark.parametrize(
    "old, new, what",
    [
        (' dependencyType="install"', "", "dependencyType (none is given)"),
        (' dependencyType="install"', ' dependencyType="stage"', "dependencyType (stage)"),
        ("<deployment ", '<deployment mode="lab" ', "assembly/deployment@mode (lab)"),
    ],
)
def test_deployments_are_understood_or_refused(
    old: str, new: str, what: str, opened: Opener
) -> None:
    reasons = unsupported(opened(changed(".manifest", old, new)))
    assert any(what in reason for reason in reasons)


def test_a_second_list_of_descriptors_is_refused(opened: Opener) -> None:
    files = changed(".manifest", "</trustInfo>", "<security><other /></security></trustInfo>")
    assert any("trustInfo/security" in why for why in unsupported(opened(files)))


@pytest.mark.parametrize(
    "made",
    [
        LabService("Lab", (("type", "win32OwnProcess"), ("imagePath", "$(runtime.system32)\\a"))),
        LabService("Lab", (("type", "win32OwnProcess"), ("displayName", "$(resourceString.a)"))),
    ],
)
def test_variables_in_services_are_refused(made: LabService, opened: Opener) -> None:
    update = opened(package_files(package(replace(component(), services=(made,)))))
    assert "the variable $(r" in refusal(update)


@pytest.mark.parametrize(
    "value", [("b", "REG_BINARY", "1,2"), ("$(runtime.windows)", "REG_SZ", "x")]
)
def test_values_that_would_be_misread_are_refused(
    value: tuple[str, str, str], opened: Opener
) -> None:
    key = LabRegistryKey(_KEY, (value,))
    assert refusal(opened(package_files(package(replace(component(), registry=(key,))))))


def test_what_only_an_older_version_had_is_said_to_stay(opened: Opener) -> None:
    image = FakeImage()
    older = planned(opened(package_files(PLAIN)), image)
    assert not any("stay" in line for line in older.left_alone)
    image.apply(older.change_set)
    newer = package(component(version="10.0.19041.7"), version="10.0.19041.7")
    lines = planned(opened(package_files(newer)), image).left_alone
    assert [line for line in lines if "10.0.19041.1 had stay" in line]


def test_names_beyond_ascii_are_refused(opened: Opener) -> None:
    with pytest.raises(MalformedPackage, match="names no package or component"):
        opened(package_files(package(replace(component(), identity=LabIdentity("Läb")))))


@pytest.fixture
def staged(lab: Lab) -> StagedImage:
    archive = Archive.open(lab.image("xpress"))
    return StagedImage(WindowsImage(archive, 1), CLOCK)


def test_the_registry_knows_the_architecture_better_than_the_xml(staged: StagedImage) -> None:
    windows = staged.windows
    assert windows.architecture == "amd64"
    system = windows.hive(HiveName.SYSTEM)
    assert system is not None
    key = system.open_key(f"{windows.control_set}\\Control\\Session Manager\\Environment")
    assert key is not None
    key.set_value("PROCESSOR_ARCHITECTURE", ValueType.REG_SZ, encode_string("ARM64"))
    assert staged.architecture == "arm64"


def test_a_control_set_that_is_not_there_is_refused(staged: StagedImage) -> None:
    system = staged.windows.hive(HiveName.SYSTEM)
    key = system.open_key("Select") if system else None
    assert key is not None
    key.set_value("Current", ValueType.REG_DWORD, encode_dword(7))
    with pytest.raises(RegistryError, match="ControlSet007"):
        assert staged.architecture


def test_a_failing_edit_leaves_nothing_staged(staged: StagedImage) -> None:
    edit = SetValue(HiveName.SOFTWARE, "k" * 300, "", ValueType.REG_SZ, b"")
    with pytest.raises(RegistryError):
        staged.stage(ChangeSet(registry=(edit,)))
    assert not staged.changed


def test_a_component_that_another_works_with_and_nobody_has_is_named(opened: Opener) -> None:
    extra = (
        '<dependency discoverable="no" optional="yes"><dependentAssembly dependencyType="install">'
        '<assemblyIdentity name="Lab-Absent" version="10.0.19041.1" processorArchitecture="amd64"'
        ' language="neutral" publicKeyToken="31bf3856ad364e35" versionScope="nonSxS" />'
        "</dependentAssembly></dependency>"
    )
    made = package(replace(component(), extra=extra))
    (note,) = planned(opened(package_files(made))).notes
    assert "amd64_lab-absent_31bf3856ad364e35_10.0.19041.1" in note
    assert "neither in the update nor, in any version, in the image" in note
