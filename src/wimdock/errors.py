"""Every error that wimdock raises on purpose, in one tree.

    WimdockError
    ├── UsageError              2   the command line asks for something that makes no sense
    ├── MissingLibrary          3   libwim or libarchive is not installed
    ├── StorageError            4   the disk is full, a read or write failed, a file is not there
    │   └── ImageBusy           5   somebody else holds the lock on the image file
    ├── ImageError             10   the image file cannot be used
    │   ├── NotAnImage         11   no WIM magic, or a version that is none
    │   ├── UnsupportedImage   12   solid (.esd), split (.swm), pipable, read-only
    │   ├── MalformedImage     13   a length, offset, count or structure that cannot be
    │   ├── CorruptImage       14   a hash does not match its data
    │   ├── NoSuchImage        15   the index, or the path in the image, does not exist
    │   └── GenerationError    16   no such generation, or the file changed since it was recorded
    ├── RegistryError          20   a hive cannot be read or edited
    │   ├── MalformedHive      21   bad signature, checksum, cell, list
    │   └── DirtyHive          22   the hive was not closed cleanly: its logs are not applied
    ├── DeltaError             30   a PA30 delta or DCM manifest cannot be applied
    │   ├── UnsupportedDelta   31   needs a PE transform
    │   └── MissingDictionary  32   needs the manifest dictionary and there is none
    ├── PackageError           40   an update package cannot be used
    │   ├── MalformedPackage   41   broken or hostile cabinet, XML, catalog
    │   ├── CorruptPackage     42   a hash in the package does not match
    │   ├── UnsupportedPackage 43   lists every element that is not supported
    │   ├── UnsignedPackage    44   no catalog covers it and --allow-unsigned was not given
    │   └── NotApplicable      45   not for this image, superseded, or installed already
    ├── MountError             50   an image cannot be mounted or unmounted
    │   ├── NotMounted         51   no image is mounted in this folder
    │   ├── AlreadyMounted     52   the image, or the folder, is in use by another mount
    │   ├── MountInUse         53   programs hold files in the mounted image open
    │   └── CommitFailed       54   the changes to a mounted image cannot be committed
    ├── StagingError           55   a staging folder of Configuration Manager cannot be used
    │   ├── LeftoversInTheWay  56   an earlier run left something behind: a new one would fail
    │   └── UnrecognisedContent 57  something that no run leaves: nothing is deleted beside it
    ├── LogError               60   a log cannot be read
    ├── RuleError              61   a file that describes a failure is not as it must be
    ├── AdminServiceError      64   a Configuration Manager site cannot be asked
    │   ├── ServiceUnreachable 65   no such host, connection refused, or no answer in time
    │   ├── UntrustedCertificate 66 the certificate is not to be trusted
    │   ├── AccessDenied       67   no credentials, wrong ones, or no right to read
    │   └── UnexpectedAnswer   68   not the answer of an AdminService
    ├── SiteError              80   the site cannot be used
    │   ├── NoSite             81   there is no site here
    │   ├── DatabaseUnavailable 82  the database cannot be reached, or was lost on the way
    │   ├── SchemaMismatch     83   the database is of another version of wimdock
    │   ├── NoSuchRecord       84   the site knows no package, update, schedule, run of this name
    │   ├── AlreadyRecorded    85   the site knows it already, or it is still in use
    │   └── SettingsError      86   the settings are not as they must be
    ├── ScheduleError          87   a schedule that cannot be
    │   └── NotOffered         88   a schedule asks for what wimdock does not do
    ├── RunError               90   a run did not succeed
    │   ├── RunCancelled       91   it was cancelled
    │   ├── RunTimedOut        92   it took longer than it may
    │   ├── LeaseLost          93   another worker has the image package now: nothing was written
    │   └── EngineError        94   the engine that executes runs cannot be used
    ├── DistributionError      95   a distribution point cannot be used
    │   ├── PointDown          96   it cannot be reached now
    │   └── ContentMismatch    97   what arrived there is not what was sent
    └── NotificationError      98   a notification cannot be sent

The number is the exit status of a command that ends with the error. It never changes once
released; `docs/reference/exit-codes.md` lists them. HRESULTs are those that Windows' own tools give
for the same condition, so that people and scripts can look them up.
"""

from __future__ import annotations


class WimdockError(Exception):
    """Something that wimdock refuses or fails to do, in words for the person who asked.

    `message` says what is wrong in one line, `hint` what to do about it in one line.
    """

    exit_code = 1
    hresult: int | None = None
    default_hint = ""

    def __init__(
        self, message: str, *, hint: str | None = None, hresult: int | None = None
    ) -> None:
        """Keep the message; `hint` and `hresult` override those of the class."""
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        if hresult is not None:
            self.hresult = hresult

    def __str__(self) -> str:
        """Give the message with its HRESULT, where Windows has one."""
        if self.hresult is None:
            return self.message
        return f"{self.message} (0x{self.hresult:08X})"


class UsageError(WimdockError):
    """The command line asks for something that makes no sense."""

    exit_code = 2
    hresult = 0x80070057
    default_hint = "Run the command with --help to see what it takes."


class MissingLibrary(WimdockError):
    """A system library that wimdock loads at run time is not installed."""

    exit_code = 3
    hresult = 0x8007007E


class StorageError(WimdockError):
    """The file system refused: disk full, read or write failed, no such file."""

    exit_code = 4
    hresult = 0x8007001D
    default_hint = "Check the disk, its free space and the permissions, then run the command again."


class ImageBusy(StorageError):
    """Somebody else holds the lock on the image file."""

    exit_code = 5
    hresult = 0x80070020
    default_hint = "Wait until the other program has finished, then run the command again."


class ImageError(WimdockError):
    """The image file cannot be used."""

    exit_code = 10
    hresult = 0x8007000D


class NotAnImage(ImageError):
    """The file is no WIM file, or of a version that does not exist."""

    exit_code = 11
    hresult = 0x8007000B
    default_hint = "Name a .wim file."


class UnsupportedImage(ImageError):
    """The file is a kind of WIM that this version of wimdock does not work on."""

    exit_code = 12
    hresult = 0x80070032


class MalformedImage(ImageError):
    """A length, offset, count or structure in the file that cannot be."""

    exit_code = 13
    hresult = 0x8007000D
    default_hint = "The file is damaged: take it from a backup, or capture it anew."


class CorruptImage(ImageError):
    """Data in the file that does not have the hash recorded for it."""

    exit_code = 14
    hresult = 0x80070017
    default_hint = (
        "The file is damaged: take it from a backup; `wimdock verify` lists all findings."
    )


class NoSuchImage(ImageError):
    """The index, or a path in the image, does not exist."""

    exit_code = 15
    hresult = 0x80070002
    default_hint = "`wimdock inspect` lists the images of a file."


class GenerationError(ImageError):
    """There is no such generation, or the file was changed by another program since."""

    exit_code = 16
    hresult = 0x80070490
    default_hint = "`wimdock generations` lists what can be gone back to."


class RegistryError(WimdockError):
    """A registry hive cannot be read or edited as asked."""

    exit_code = 20
    hresult = 0x800703F8


class MalformedHive(RegistryError):
    """A hive with a bad signature, checksum, cell or list."""

    exit_code = 21
    hresult = 0x800703F1
    default_hint = (
        "The hive is damaged: the image needs to be captured anew or repaired in Windows."
    )


class DirtyHive(RegistryError):
    """A hive that was not closed cleanly: its transaction logs were not applied."""

    exit_code = 22
    hresult = 0x800703F9
    default_hint = "Boot the image once or load and unload the hive in Windows, then capture anew."


class DeltaError(WimdockError):
    """A PA30 delta or a DCM manifest cannot be applied."""

    exit_code = 30
    hresult = 0x8007000D


class UnsupportedDelta(DeltaError):
    """A delta of a kind that is not supported, such as one with a PE transform."""

    exit_code = 31
    hresult = 0x80070032


class MissingDictionary(DeltaError):
    """A compressed manifest needs the base dictionary and none was found."""

    exit_code = 32
    hresult = 0x80070002
    default_hint = (
        "Give --manifest-dictionary FILE (or WIMDOCK_MANIFEST_DICTIONARY), or service an image "
        "that has a servicing stack with wcp.dll."
    )


class PackageError(WimdockError):
    """An update package cannot be used."""

    exit_code = 40
    hresult = 0x800F0805


class MalformedPackage(PackageError):
    """A broken or hostile cabinet, XML file or catalog."""

    exit_code = 41
    hresult = 0x800F0805
    default_hint = "Download the update again."


class CorruptPackage(PackageError):
    """A file of the package does not have the hash recorded for it."""

    exit_code = 42
    hresult = 0x80092003
    default_hint = "Download the update again."


class UnsupportedPackage(PackageError):
    """The package holds elements that wimdock does not carry out.

    `reasons` lists every one of them.
    """

    exit_code = 43
    hresult = 0x80070032
    default_hint = "Service this update with DISM on a Windows host; nothing was touched."

    def __init__(
        self,
        message: str,
        *,
        reasons: tuple[str, ...] = (),
        hint: str | None = None,
        hresult: int | None = None,
    ) -> None:
        """Keep the reasons besides what every error keeps."""
        super().__init__(message, hint=hint, hresult=hresult)
        self.reasons = reasons


class UnsignedPackage(PackageError):
    """No catalog covers the package and unsigned packages were not allowed."""

    exit_code = 44
    hresult = 0x800B0100
    default_hint = "If you made the package yourself, give --allow-unsigned."


class NotApplicable(PackageError):
    """The package is not for this image, is superseded, or is installed already."""

    exit_code = 45
    hresult = 0x800F081E


class MountError(WimdockError):
    """An image cannot be mounted or unmounted."""

    exit_code = 50
    hresult = 0x8007001F
    default_hint = "`wimdock mounts` lists what is mounted where."


class NotMounted(MountError):
    """No image is mounted in this folder."""

    exit_code = 51
    hresult = 0xC142010B


class AlreadyMounted(MountError):
    """The image is mounted read/write already, or the folder holds another mount."""

    exit_code = 52
    hresult = 0xC1420127
    default_hint = (
        "`wimdock mounts` lists what is mounted where; "
        "`wimdock unmount DIR --discard` ends a mount that is left over."
    )


class MountInUse(MountError):
    """Programs hold files in the mounted image open."""

    exit_code = 53
    hresult = 0xC1420117
    default_hint = "End the programs that work in the folder, then unmount again."


class CommitFailed(MountError):
    """The changes to a mounted image cannot be committed; it stays mounted."""

    exit_code = 54
    hresult = 0x800700A1
    default_hint = "`wimdock unmount DIR --discard` is the only way out; committing fails again."


class StagingError(WimdockError):
    """A staging folder of Configuration Manager cannot be used."""

    exit_code = 55
    hresult = 0x80070005


class LeftoversInTheWay(StagingError):
    """An earlier run left something behind with which a new one would fail."""

    exit_code = 56
    hresult = 0x800700B7
    default_hint = "`wimdock cleanup STAGING` shows what is left and clears it away."


class UnrecognisedContent(StagingError):
    """A staging folder holds something that no run leaves there; nothing was deleted."""

    exit_code = 57
    hresult = 0x80070091
    default_hint = "Look at what it is and move it away yourself, then run the command again."


class LogError(WimdockError):
    """A log cannot be read."""

    exit_code = 60
    hresult = 0x8007000D
    default_hint = "Name a log in text form, such as OfflineServicingMgr.log, dism.log or CBS.log."


class RuleError(WimdockError):
    """A file that describes a failure is not as it must be."""

    exit_code = 61
    hresult = 0x8007000D
    default_hint = "docs/internals/rules.md says what such a file holds."


class AdminServiceError(WimdockError):
    """A Configuration Manager site cannot be asked through its AdminService."""

    exit_code = 64
    hresult = 0x80072EFF
    default_hint = "Give the providers yourself: --provider NAME=BUILD or --providers FILE."


class ServiceUnreachable(AdminServiceError):
    """There is no such host, it refused the connection, or it did not answer in time."""

    exit_code = 65
    hresult = 0x80072EFD
    default_hint = "Check the host name, port 443 and the firewall between here and the provider."


class UntrustedCertificate(AdminServiceError):
    """The certificate of the AdminService is not to be trusted; nothing was sent to it."""

    exit_code = 66
    hresult = 0x80072F0D
    default_hint = "Give the certificate of the authority that issued it: --ca FILE."


class AccessDenied(AdminServiceError):
    """The AdminService wants credentials, got wrong ones, or the account may not read."""

    exit_code = 67
    hresult = 0x80070005
    default_hint = "The account needs the role Read-only Analyst, or more, at the site."


class UnexpectedAnswer(AdminServiceError):
    """What answered does not speak as an AdminService does."""

    exit_code = 68
    hresult = 0x8007000D
    default_hint = "Check the address: https://PROVIDER/AdminService."


class SiteError(WimdockError):
    """The site cannot be used."""

    exit_code = 80
    hresult = 0x8007001F


class NoSite(SiteError):
    """There is no site in this folder or database."""

    exit_code = 81
    hresult = 0x80070002
    default_hint = (
        "Name it with --site FOLDER or --database URL, or make one: "
        "wimdock site init FOLDER --code CODE."
    )


class DatabaseUnavailable(SiteError):
    """The database cannot be reached, or the connection was lost."""

    exit_code = 82
    hresult = 0x800704D4
    default_hint = "Check that the database runs and that its URL is right; nothing was lost."


class SchemaMismatch(SiteError):
    """The database was made by another version of wimdock."""

    exit_code = 83
    hresult = 0x8007051A
    default_hint = "Make a backup, then run: wimdock site upgrade."


class NoSuchRecord(SiteError):
    """The site knows nothing of this name."""

    exit_code = 84
    hresult = 0x80070490


class AlreadyRecorded(SiteError):
    """The site knows it already, or something still needs it."""

    exit_code = 85
    hresult = 0x800700B7


class SettingsError(SiteError):
    """A setting is not as it must be."""

    exit_code = 86
    hresult = 0x80070057
    default_hint = "docs/reference/settings.md lists every setting."


class ScheduleError(WimdockError):
    """A schedule that cannot be: a wrong expression, time zone, window or token."""

    exit_code = 87
    hresult = 0x80070057
    default_hint = "`wimdock schedule add --help` shows how schedules are written."


class NotOffered(ScheduleError):
    """A schedule asks for what this version of wimdock does not do."""

    exit_code = 88
    hresult = 0x80070032


class RunError(WimdockError):
    """A run did not succeed; the image is as it was."""

    exit_code = 90
    hresult = 0x80004005
    default_hint = "`wimdock run show RUN` says what happened."


class RunCancelled(RunError):
    """The run was cancelled; the image is as it was."""

    exit_code = 91
    hresult = 0x800704C7


class RunTimedOut(RunError):
    """The run took longer than its schedule allows; the image is as it was."""

    exit_code = 92
    hresult = 0x800705B4
    default_hint = "Give the schedule more time: --max-run-time."


class LeaseLost(RunError):
    """Another worker has the image package now; this one wrote nothing."""

    exit_code = 93
    hresult = 0x80070021
    default_hint = "The run goes on elsewhere: `wimdock run show RUN` says where."


class EngineError(RunError):
    """The engine that executes runs cannot be used."""

    exit_code = 94
    hresult = 0x8007001F


class DistributionError(WimdockError):
    """A distribution point cannot be used."""

    exit_code = 95
    hresult = 0x8007001F


class PointDown(DistributionError):
    """The distribution point cannot be reached now; it is tried again later."""

    exit_code = 96
    hresult = 0x80070035
    default_hint = "`wimdock distribution list` shows when it is tried again."


class ContentMismatch(DistributionError):
    """What arrived at the distribution point is not what was sent."""

    exit_code = 97
    hresult = 0x80070017
    default_hint = "The next transfer sends the whole file; check the disk of the point."


class NotificationError(WimdockError):
    """A notification cannot be sent."""

    exit_code = 98
    hresult = 0x80070043
