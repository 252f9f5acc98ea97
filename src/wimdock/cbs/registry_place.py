r"""Where a key named in a manifest lies in an image: the hive, and the path from its root.

`HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet` is the control set that the image would boot with,
`HKEY_CLASSES_ROOT` is `SOFTWARE\Classes`, `HKEY_USERS\.DEFAULT` the hive DEFAULT. Keys of x86 and
wow64 components on a 64-bit image go to WOW6432Node, but for those that Windows shares between both
worlds (Microsoft: "Registry keys affected by WOW64").
"""

from __future__ import annotations

from dataclasses import dataclass

from wimdock.cbs.refusal import refuse
from wimdock.image.change_set import HiveName

_ROOTS = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKU": "HKEY_USERS",
}
_DEFAULT_USERS = frozenset({".DEFAULT", "S-1-5-18"})
_WOW64 = "WOW6432Node"
# Below Classes only these are kept apart.
_CLASSES_APART = frozenset({"CLSID", "DIRECTSHOW", "INTERFACE", "MEDIA TYPE", "MEDIAFOUNDATION"})
# Below SOFTWARE these are shared; all else is kept apart.
_SHARED = tuple(
    tuple(path.upper().split("\\"))
    for path in (
        "Clients",
        "Microsoft\\COM3",
        "Microsoft\\Cryptography\\Calais\\Current",
        "Microsoft\\Cryptography\\Calais\\Readers",
        "Microsoft\\Cryptography\\Services",
        "Microsoft\\CTF\\SystemShared",
        "Microsoft\\CTF\\TIP",
        "Microsoft\\DFS",
        "Microsoft\\Driver Signing",
        "Microsoft\\EnterpriseCertificates",
        "Microsoft\\EventSystem",
        "Microsoft\\MSMQ",
        "Microsoft\\Non-Driver Signing",
        "Microsoft\\Notepad\\DefaultFonts",
        "Microsoft\\OLE",
        "Microsoft\\RAS",
        "Microsoft\\RPC",
        "Microsoft\\Shared Tools\\MSInfo",
        "Microsoft\\SystemCertificates",
        "Microsoft\\TermServLicensing",
        "Microsoft\\Transaction Server",
        "Microsoft\\Windows\\CurrentVersion\\Control Panel\\Cursors\\Schemes",
        "Microsoft\\Windows\\CurrentVersion\\Explorer\\AutoplayHandlers",
        "Microsoft\\Windows\\CurrentVersion\\Explorer\\DriveIcons",
        "Microsoft\\Windows\\CurrentVersion\\Explorer\\KindMap",
        "Microsoft\\Windows\\CurrentVersion\\Group Policy",
        "Microsoft\\Windows\\CurrentVersion\\Policies",
        "Microsoft\\Windows\\CurrentVersion\\PreviewHandlers",
        "Microsoft\\Windows\\CurrentVersion\\Setup",
        "Microsoft\\Windows\\CurrentVersion\\Telephony\\Locations",
        "Microsoft\\Windows NT\\CurrentVersion\\Console",
        "Microsoft\\Windows NT\\CurrentVersion\\FontDPI",
        "Microsoft\\Windows NT\\CurrentVersion\\FontLink",
        "Microsoft\\Windows NT\\CurrentVersion\\FontMapper",
        "Microsoft\\Windows NT\\CurrentVersion\\Fonts",
        "Microsoft\\Windows NT\\CurrentVersion\\FontSubstitutes",
        "Microsoft\\Windows NT\\CurrentVersion\\Gre_Initialize",
        "Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options",
        "Microsoft\\Windows NT\\CurrentVersion\\LanguagePack",
        "Microsoft\\Windows NT\\CurrentVersion\\NetworkCards",
        "Microsoft\\Windows NT\\CurrentVersion\\Perflib",
        "Microsoft\\Windows NT\\CurrentVersion\\Ports",
        "Microsoft\\Windows NT\\CurrentVersion\\Print",
        "Microsoft\\Windows NT\\CurrentVersion\\ProfileList",
        "Microsoft\\Windows NT\\CurrentVersion\\Time Zones",
        "Policies",
        "RegisteredApplications",
    )
)


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """A hive and a key in it."""

    hive: HiveName
    key: str


@dataclass(frozen=True, slots=True)
class RegistryMap:
    """How keys of one component are placed: the image's control set, and whether WOW64 applies."""

    control_set: str
    redirected: bool = False

    def place(self, written: str) -> RegistryPlace:
        """Find the place of a key as a manifest writes it.

        Raises UnsupportedPackage for keys that lie in no hive that packages may edit.
        """
        parts = tuple(part for part in written.split("\\") if part)
        root = _ROOTS.get(parts[0].upper(), parts[0].upper()) if parts else ""
        below = parts[1:]
        top = below[0].upper() if below else ""
        if "$(" in written or "\0" in written:
            refuse(f"the key {written[:200]!r} is not understood")
        if root == "HKEY_LOCAL_MACHINE" and top == "SOFTWARE":
            return RegistryPlace(HiveName.SOFTWARE, self._software(below[1:]))
        if root == "HKEY_CLASSES_ROOT":
            return RegistryPlace(HiveName.SOFTWARE, self._software(("Classes", *below)))
        if root == "HKEY_LOCAL_MACHINE" and top == "SYSTEM":
            return RegistryPlace(HiveName.SYSTEM, self._system(below[1:]))
        if root != "HKEY_USERS" or top not in _DEFAULT_USERS:
            refuse(f"the key {written[:200]!r} is in a hive that packages cannot edit")
        return RegistryPlace(HiveName.DEFAULT, "\\".join(below[1:]))

    def _system(self, parts: tuple[str, ...]) -> str:
        if parts and parts[0].upper() == "CURRENTCONTROLSET":
            parts = (self.control_set, *parts[1:])
        return "\\".join(parts)

    def _software(self, parts: tuple[str, ...]) -> str:
        folded = tuple(part.upper() for part in parts)
        if folded[:2] == (_WOW64.upper(), "CLASSES"):
            # A symbolic link of Windows to the other name.
            return "\\".join(("Classes", _WOW64, *parts[2:]))
        if not self.redirected or _WOW64.upper() in folded[:2] or _is_shared(folded):
            return "\\".join(parts)
        if folded[:1] == ("CLASSES",):
            return "\\".join((parts[0], _WOW64, *parts[1:]))
        return "\\".join((_WOW64, *parts))


def _is_shared(folded: tuple[str, ...]) -> bool:
    if folded[:1] == ("CLASSES",):
        return not folded[1:] or folded[1] not in _CLASSES_APART
    return any(folded[: len(shared)] == shared for shared in _SHARED)
