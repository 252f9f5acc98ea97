"""The verbs of DISM and their options, as data: what is known, what is served, what is refused.

`docs/reference/dism.md` shows the same table; a test compares them. Names are lower case here and
compared without regard to case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a verb.

    `takes_value` tells whether a value must follow its name; `refused` says why wimdock cannot
    serve it, where it cannot; `idle` why it is taken and changes nothing, where that is so.
    """

    name: str
    takes_value: bool = True
    repeatable: bool = False
    refused: str = ""
    idle: str = ""


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: `one_of` lists groups of options of which exactly one must be given.

    `at_most` lists groups of which no two may be given. `refused` says why the verb cannot be
    served; such a verb lists no options, since none of them is looked at.
    """

    name: str
    aliases: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    at_most: tuple[tuple[str, ...], ...] = ()
    refused: str = ""
    usage: str = ""
    _by_name: Mapping[str, Option] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the options by name."""
        object.__setattr__(self, "_by_name", {each.name.lower(): each for each in self.options})

    @property
    def changes_a_mount(self) -> bool:
        """Tell whether it works on what is mounted in /MountDir already."""
        return "mountdir" in self._by_name and "imagefile" not in self._by_name

    def option(self, name: str) -> Option | None:
        """Give the option of this name, lower case, or None."""
        return self._by_name.get(name)


def _flag(name: str, *, refused: str = "", idle: str = "") -> Option:
    return Option(name, takes_value=False, refused=refused, idle=idle)


_APPEND = _flag("Append", refused="a commit goes back into the image it came from, never beside it")
_INDEX = Option("Index")
_NAME = Option("Name")
_MOUNT_DIR = Option("MountDir")
# The old spellings say WimFile where the new ones say ImageFile; both are taken with either verb.
_FILE = (Option("ImageFile"), Option("WimFile"))
_IMAGE = Option("Image")
_ONE_FILE = ("ImageFile", "WimFile")
_NO_CHECK = "updates are always checked for the image they go into"

GLOBAL_OPTIONS: tuple[Option, ...] = (
    _flag("English", idle="the output is always English"),
    Option("LogPath"),
    Option("LogLevel"),
    Option("ScratchDir"),
    _flag("Quiet"),
    _flag("NoRestart", idle="nothing here restarts a machine"),
)
"""Options that every verb takes."""

REFUSED_EVERYWHERE: tuple[Option, ...] = (
    _flag("Online", refused="there is no running Windows here to be serviced"),
    Option("WinDir", refused="the Windows folder of an image is always \\Windows"),
    Option("SysDriveDir", refused="an image has no boot manager of its own to be serviced"),
)
"""Options that DISM knows with every verb and wimdock never serves."""

SERVED: tuple[Verb, ...] = (
    Verb(
        "Mount-Image",
        ("Mount-Wim",),
        (
            *_FILE,
            _INDEX,
            _NAME,
            _MOUNT_DIR,
            _flag("ReadOnly"),
            _flag("Optimize", idle="a mount reads what is asked for and nothing else anyway"),
            _flag("CheckIntegrity"),
        ),
        one_of=(_ONE_FILE, ("Index", "Name"), ("MountDir",)),
        usage="/ImageFile:FILE {/Index:N | /Name:NAME} /MountDir:FOLDER [/ReadOnly]"
        " [/Optimize] [/CheckIntegrity]",
    ),
    Verb(
        "Unmount-Image",
        ("Unmount-Wim",),
        (_MOUNT_DIR, _flag("Commit"), _flag("Discard"), _flag("CheckIntegrity"), _APPEND),
        one_of=(("MountDir",), ("Commit", "Discard")),
        usage="/MountDir:FOLDER {/Commit [/CheckIntegrity] | /Discard}",
    ),
    Verb(
        "Remount-Image",
        ("Remount-Wim",),
        (_MOUNT_DIR,),
        one_of=(("MountDir",),),
        usage="/MountDir:FOLDER",
    ),
    Verb(
        "Commit-Image",
        ("Commit-Wim",),
        (_MOUNT_DIR, _flag("CheckIntegrity"), _APPEND),
        one_of=(("MountDir",),),
        usage="/MountDir:FOLDER [/CheckIntegrity]",
    ),
    Verb("Cleanup-Mountpoints", ("Cleanup-Wim",)),
    Verb("Get-MountedImageInfo", ("Get-MountedWimInfo",)),
    Verb(
        "Get-ImageInfo",
        ("Get-WimInfo",),
        (*_FILE, _INDEX, _NAME),
        one_of=(_ONE_FILE,),
        at_most=(("Index", "Name"),),
        usage="/ImageFile:FILE [/Index:N | /Name:NAME]",
    ),
    Verb(
        "Get-Packages",
        (),
        (_IMAGE, _INDEX, Option("Format")),
        one_of=(("Image",),),
        usage="/Image:FOLDER_OR_FILE [/Index:N] [/Format:{Table | List}]",
    ),
    Verb(
        "Add-Package",
        (),
        (
            _IMAGE,
            _INDEX,
            Option("PackagePath", repeatable=True),
            _flag("IgnoreCheck", refused=_NO_CHECK),
            _flag("PreventPending", refused="wimdock leaves no action pending, and sees none"),
        ),
        one_of=(("Image",), ("PackagePath",)),
        usage="/Image:FILE [/Index:N] /PackagePath:FILE ...",
    ),
    Verb(
        "Export-Image",
        (),
        (
            Option("SourceImageFile"),
            Option("SourceIndex"),
            Option("SourceName"),
            Option("DestinationImageFile"),
            Option("DestinationName"),
            Option("Compress"),
            _flag("Bootable", refused="`wimlib-imagex export --boot` marks an image as bootable"),
            _flag("CheckIntegrity"),
            Option("SWMFile", refused="split files are joined with `wimlib-imagex join`"),
            _flag("WIMBoot", refused="images that boot in place are made by Windows only"),
        ),
        one_of=(
            ("SourceImageFile",),
            ("SourceIndex", "SourceName"),
            ("DestinationImageFile",),
        ),
        usage="/SourceImageFile:FILE {/SourceIndex:N | /SourceName:NAME}"
        " /DestinationImageFile:FILE [/DestinationName:NAME]"
        " [/Compress:{fast | max | none}] [/CheckIntegrity]",
    ),
    Verb(
        "Split-Image",
        (),
        (
            Option("ImageFile"),
            Option("SWMFile"),
            Option("FileSize"),
            _flag("CheckIntegrity", refused="`wimlib-imagex split --check` writes such tables"),
        ),
        one_of=(("ImageFile",), ("SWMFile",), ("FileSize",)),
        usage="/ImageFile:FILE /SWMFile:FILE /FileSize:MEGABYTES",
    ),
)
"""The verbs that are served, in the order of the help."""

_CAPTURE = "`wimlib-imagex capture` captures, and `wimlib-imagex apply` applies"
_EDIT = "what is inside an image is changed by updates only"
_INFO = "`wimdock inspect` shows what is inside an image"
_NEEDS_WINDOWS = "this needs Windows and the servicing programs in its image"

_REFUSED: Mapping[str, str] = {
    "Remove-Package": "a package is taken out by going back to the state before it came: "
    "`wimdock generations` and `wimdock rollback`",
    "Apply-Image": _CAPTURE,
    "Capture-Image": _CAPTURE,
    "Append-Image": _CAPTURE,
    "Capture-CustomImage": _CAPTURE,
    "Apply-CustomDataImage": _CAPTURE,
    "Delete-Image": "`wimlib-imagex delete` removes an image from a file",
    "List-Image": "`wimdock inspect IMAGE --tree` lists what is in an image",
    "Optimize-Image": _EDIT,
    "Update-WIMBootEntry": _NEEDS_WINDOWS,
    "Get-WIMBootEntry": _NEEDS_WINDOWS,
    "Apply-Ffu": "flash images (.ffu) are not WIM files",
    "Capture-Ffu": "flash images (.ffu) are not WIM files",
    "Split-Ffu": "flash images (.ffu) are not WIM files",
    "Optimize-Ffu": "flash images (.ffu) are not WIM files",
    "Apply-SiloedPackage": _NEEDS_WINDOWS,
    "Cleanup-Image": _NEEDS_WINDOWS,
    "Get-PackageInfo": "`wimdock service --dry-run` says what an update would do in an image",
    "Get-Features": _INFO,
    "Get-FeatureInfo": _INFO,
    "Enable-Feature": _NEEDS_WINDOWS,
    "Disable-Feature": _NEEDS_WINDOWS,
    "Get-Capabilities": _INFO,
    "Get-CapabilityInfo": _INFO,
    "Add-Capability": _NEEDS_WINDOWS,
    "Remove-Capability": _NEEDS_WINDOWS,
    "Export-Source": _NEEDS_WINDOWS,
    "Get-Drivers": _INFO,
    "Get-DriverInfo": _INFO,
    "Add-Driver": _EDIT,
    "Remove-Driver": _EDIT,
    "Export-Driver": _NEEDS_WINDOWS,
    "Get-CurrentEdition": _INFO,
    "Get-TargetEditions": _NEEDS_WINDOWS,
    "Set-Edition": _NEEDS_WINDOWS,
    "Set-ProductKey": _NEEDS_WINDOWS,
    "Get-Intl": _INFO,
    "Set-UILang": _NEEDS_WINDOWS,
    "Set-UILangFallback": _NEEDS_WINDOWS,
    "Set-SysLocale": _NEEDS_WINDOWS,
    "Set-UserLocale": _NEEDS_WINDOWS,
    "Set-InputLocale": _NEEDS_WINDOWS,
    "Set-AllIntl": _NEEDS_WINDOWS,
    "Set-TimeZone": _NEEDS_WINDOWS,
    "Set-SKUIntlDefaults": _NEEDS_WINDOWS,
    "Set-LayeredDriver": _NEEDS_WINDOWS,
    "Gen-LangINI": _NEEDS_WINDOWS,
    "Set-SetupUILang": _NEEDS_WINDOWS,
    "Apply-Unattend": _NEEDS_WINDOWS,
    "Get-ProvisionedAppxPackages": _INFO,
    "Add-ProvisionedAppxPackage": _NEEDS_WINDOWS,
    "Remove-ProvisionedAppxPackage": _NEEDS_WINDOWS,
    "Optimize-ProvisionedAppxPackages": _NEEDS_WINDOWS,
    "Set-ProvisionedAppxDataFile": _NEEDS_WINDOWS,
    "Get-ProvisioningPackageInfo": _NEEDS_WINDOWS,
    "Add-ProvisioningPackage": _NEEDS_WINDOWS,
    "Get-DefaultAppAssociations": _NEEDS_WINDOWS,
    "Import-DefaultAppAssociations": _NEEDS_WINDOWS,
    "Export-DefaultAppAssociations": _NEEDS_WINDOWS,
    "Remove-DefaultAppAssociations": _NEEDS_WINDOWS,
    "Get-Apps": _INFO,
    "Get-AppInfo": _INFO,
    "Get-AppPatches": _INFO,
    "Get-AppPatchInfo": _INFO,
    "Check-AppPatch": _NEEDS_WINDOWS,
    "Get-PESettings": _INFO,
    "Get-ScratchSpace": _INFO,
    "Get-TargetPath": _INFO,
    "Set-ScratchSpace": _EDIT,
    "Set-TargetPath": _EDIT,
    "Get-OSUninstallWindow": _NEEDS_WINDOWS,
    "Initiate-OSUninstall": _NEEDS_WINDOWS,
    "Remove-OSUninstall": _NEEDS_WINDOWS,
    "Set-OSUninstallWindow": _NEEDS_WINDOWS,
    "Get-ReservedStorageState": _NEEDS_WINDOWS,
    "Set-ReservedStorageState": _NEEDS_WINDOWS,
}

REFUSED: tuple[Verb, ...] = tuple(Verb(name, refused=why) for name, why in _REFUSED.items())
"""The verbs that are known and not served."""

VERBS: Mapping[str, Verb] = {
    name.lower(): verb for verb in (*SERVED, *REFUSED) for name in (verb.name, *verb.aliases)
}
"""Every known verb by each of its names, lower case."""

EVERY_OPTION: Mapping[str, Option] = {
    option.name.lower(): option
    for option in (
        *GLOBAL_OPTIONS,
        *REFUSED_EVERYWHERE,
        *(option for verb in SERVED for option in verb.options),
    )
}
"""Every known option by its name, lower case: to tell a misplaced one from an unknown one."""
