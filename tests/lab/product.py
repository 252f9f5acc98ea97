"""What Windows' registry says about the Windows on the lab's volume."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.lab.hive import (
    REG_EXPAND_SZ,
    LabKey,
    LabValue,
    binary,
    dword,
    text,
    texts,
)
from tests.lab.identity import LabIdentity, file_value
from tests.lab.manifest import LabComponent

CBS = r"Microsoft\Windows\CurrentVersion\Component Based Servicing"
WINNERS = r"Microsoft\Windows\CurrentVersion\SideBySide\Winners"
INSTALLED = 0x70
STAGED = 0x40
SUPERSEDED = 0x50
_INSTALLED_HIGH, _INSTALLED_LOW = 0x01D5C05C, 0x4DE28000

FEATURES = LabIdentity("Microsoft-Windows-Client-Features-Package")
PACKAGES = (
    (FEATURES, INSTALLED),
    (LabIdentity("Microsoft-Windows-Foundation-Package"), INSTALLED),
    (LabIdentity("Microsoft-Windows-Client-LanguagePack-Package", language="en-US"), INSTALLED),
    (LabIdentity("Microsoft-Windows-Client-Desktop-Required-Package"), INSTALLED),
    (LabIdentity("Package_for_RollupFix", version="19041.264.1.6"), SUPERSEDED),
    (LabIdentity("Package_for_RollupFix", version="19041.388.1.7"), INSTALLED),
    (LabIdentity("Lab-Staged-Package"), STAGED),
)


@dataclass(frozen=True, slots=True)
class LabProduct:
    """A Windows: version and edition, installed packages and components."""

    name: str = "Windows 10 Enterprise"
    edition: str = "Enterprise"
    installation_type: str = "Client"
    build: int = 19041
    revision: int = 388
    architecture: str = "amd64"
    packages: tuple[tuple[LabIdentity, int], ...] = PACKAGES
    components: tuple[LabComponent, ...] = ()

    def software(self) -> Iterator[LabKey]:
        """Give the keys of the SOFTWARE hive."""
        yield LabKey(
            r"Microsoft\Windows NT\CurrentVersion",
            (
                text("ProductName", self.name),
                text("EditionID", self.edition),
                text("InstallationType", self.installation_type),
                text("CurrentVersion", "6.3"),
                text("CurrentBuild", str(self.build)),
                text("CurrentBuildNumber", str(self.build)),
                dword("CurrentMajorVersionNumber", 10),
                dword("CurrentMinorVersionNumber", 0),
                dword("UBR", self.revision),
                text("ReleaseId", "2004"),
                text("SystemRoot", r"C:\WINDOWS"),
                text("PathName", r"C:\Windows"),
                text("BuildLabEx", f"{self.build}.1.{self.architecture}fre.vb_release.191206-1406"),
            ),
        )
        yield LabKey(
            r"Microsoft\Windows\CurrentVersion",
            (
                text("ProgramFilesDir", r"C:\Program Files"),
                text("ProgramFilesDir (x86)", r"C:\Program Files (x86)"),
                text("CommonFilesDir", r"C:\Program Files\Common Files"),
                text("ProgramFilesPath", "%ProgramFiles%", REG_EXPAND_SZ),
            ),
        )
        yield LabKey(r"Classes\.txt", (text("", "txtfile"), text("PerceivedType", "text")))
        yield LabKey(r"WOW6432Node\Microsoft\Windows\CurrentVersion")
        yield LabKey(CBS, (dword("DoqCount", 0), dword("Enabled", 1)))
        yield LabKey(f"{CBS}\\Version", (text(f"10.0.{self.build}.1", r"%SystemRoot%\WinSxS"),))
        for identity, state in self.packages:
            yield from _package_keys(identity, state)
        for component in self.components:
            yield from _winner_keys(component.identity)

    def system(self) -> Iterator[LabKey]:
        """Give the keys of the SYSTEM hive."""
        yield LabKey(
            "Select",
            (
                dword("Current", 1),
                dword("Default", 1),
                dword("Failed", 0),
                dword("LastKnownGood", 1),
            ),
        )
        control = r"ControlSet001\Control"
        yield LabKey(
            f"{control}\\Session Manager\\Environment",
            (
                text("Path", r"%SystemRoot%\system32;%SystemRoot%", REG_EXPAND_SZ),
                text("PROCESSOR_ARCHITECTURE", self.architecture.upper()),
                text("windir", "%SystemRoot%", REG_EXPAND_SZ),
            ),
        )
        yield LabKey(f"{control}\\Nls\\Language", (text("InstallLanguage", "0409"),))
        yield LabKey(f"{control}\\MUI\\UILanguages\\en-US", (dword("LCID", 0x409),))
        yield LabKey(
            f"{control}\\ProductOptions",
            (text("ProductType", "WinNT"), texts("ProductSuite", "Terminal Server")),
        )
        yield LabKey(
            r"ControlSet001\Services\Tcpip",
            (
                dword("Type", 1),
                dword("Start", 0),
                dword("ErrorControl", 3),
                text("ImagePath", r"System32\drivers\tcpip.sys", REG_EXPAND_SZ),
                text("DisplayName", "@%SystemRoot%\\System32\\drivers\\tcpip.sys,-10001"),
            ),
        )

    def components_hive(self) -> Iterator[LabKey]:
        """Give the keys of the COMPONENTS hive."""
        yield LabKey(r"CanonicalData\Catalogs")
        yield LabKey(r"CanonicalData\Deployments")
        yield LabKey(
            rf"DerivedData\VersionedIndex\10.0.{self.build}.1 (WinBuild.160101.0800)"
            r"\ComponentFamilies"
        )
        yield LabKey(r"DerivedData\Components")
        for component in self.components:
            yield LabKey(
                f"DerivedData\\Components\\{component.identity.key_form}",
                (
                    binary("identity", component.identity.text.encode("ascii")),
                    binary("S256H", component.manifest_hash()),
                    *(dword(file_value(one.name), 1) for one in component.payloads),
                ),
            )

    def default(self) -> Iterator[LabKey]:
        """Give the keys of the DEFAULT hive."""
        yield LabKey(r"Software\Microsoft\Windows\CurrentVersion\Explorer")
        yield LabKey("Environment", (text("TEMP", r"%USERPROFILE%\Temp", REG_EXPAND_SZ),))


def _package_keys(identity: LabIdentity, state: int) -> Iterator[LabKey]:
    values: tuple[LabValue, ...] = (
        text("InstallName", f"{identity.package_id}.mum"),
        text("InstallLocation", r"\\?\C:\Windows\servicing\Packages" + "\\"),
        text("InstallClient", "DISM Package Manager Provider"),
        dword("InstallTimeHigh", _INSTALLED_HIGH),
        dword("InstallTimeLow", _INSTALLED_LOW),
        dword("CurrentState", state),
        dword("SelfUpdate", 0),
        dword("Visibility", 1),
    )
    yield LabKey(f"{CBS}\\Packages\\{identity.package_id}", values)
    yield LabKey(
        f"{CBS}\\Packages\\{identity.package_id}\\Owners",
        (dword(identity.package_id, 0x20007),),
    )
    yield LabKey(
        f"{CBS}\\PackageIndex\\{identity.package_family}", (dword(identity.package_id, 0),)
    )


def _winner_keys(identity: LabIdentity) -> Iterator[LabKey]:
    release = ".".join(identity.version.split(".")[:2])
    yield LabKey(f"{WINNERS}\\{identity.family}", (text("", release),))
    yield LabKey(
        f"{WINNERS}\\{identity.family}\\{release}",
        (text("", identity.version), binary(identity.version, b"\x01")),
    )
