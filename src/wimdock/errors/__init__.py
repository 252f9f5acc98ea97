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
    │   ├── SettingsError      86   the settings are not as they must be
    │   └── BackupError        79   a backup is damaged, or none at all
    ├── ScheduleError          87   a schedule that cannot be
    │   └── NotOffered         88   a schedule asks for what wimdock does not do
    ├── RunError               90   a run did not succeed
    │   ├── RunRefused         89   its preflight found what would stop it
    │   ├── RunCancelled       91   it was cancelled
    │   ├── RunTimedOut        92   it took longer than it may
    │   ├── RunMissed          99   no worker could begin it in its window
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

from wimdock.errors.base import WimdockError
from wimdock.errors.diagnosis import (
    AccessDenied,
    AdminServiceError,
    LogError,
    RuleError,
    ServiceUnreachable,
    UnexpectedAnswer,
    UntrustedCertificate,
)
from wimdock.errors.general import ImageBusy, MissingLibrary, StorageError, UsageError
from wimdock.errors.image import (
    CorruptImage,
    DirtyHive,
    GenerationError,
    ImageError,
    MalformedHive,
    MalformedImage,
    NoSuchImage,
    NotAnImage,
    RegistryError,
    UnsupportedImage,
)
from wimdock.errors.mount import (
    AlreadyMounted,
    CommitFailed,
    LeftoversInTheWay,
    MountError,
    MountInUse,
    NotMounted,
    StagingError,
    UnrecognisedContent,
)
from wimdock.errors.package import (
    CorruptPackage,
    DeltaError,
    MalformedPackage,
    MissingDictionary,
    NotApplicable,
    PackageError,
    UnsignedPackage,
    UnsupportedDelta,
    UnsupportedPackage,
)
from wimdock.errors.site import (
    AlreadyRecorded,
    BackupError,
    ContentMismatch,
    DatabaseUnavailable,
    DistributionError,
    EngineError,
    LeaseLost,
    NoSite,
    NoSuchRecord,
    NotificationError,
    NotOffered,
    PointDown,
    RunCancelled,
    RunError,
    RunMissed,
    RunRefused,
    RunTimedOut,
    ScheduleError,
    SchemaMismatch,
    SettingsError,
    SiteError,
)

__all__ = [
    "AccessDenied",
    "AdminServiceError",
    "AlreadyMounted",
    "AlreadyRecorded",
    "BackupError",
    "CommitFailed",
    "ContentMismatch",
    "CorruptImage",
    "CorruptPackage",
    "DatabaseUnavailable",
    "DeltaError",
    "DirtyHive",
    "DistributionError",
    "EngineError",
    "GenerationError",
    "ImageBusy",
    "ImageError",
    "LeaseLost",
    "LeftoversInTheWay",
    "LogError",
    "MalformedHive",
    "MalformedImage",
    "MalformedPackage",
    "MissingDictionary",
    "MissingLibrary",
    "MountError",
    "MountInUse",
    "NoSite",
    "NoSuchImage",
    "NoSuchRecord",
    "NotAnImage",
    "NotApplicable",
    "NotMounted",
    "NotOffered",
    "NotificationError",
    "PackageError",
    "PointDown",
    "RegistryError",
    "RuleError",
    "RunCancelled",
    "RunError",
    "RunMissed",
    "RunRefused",
    "RunTimedOut",
    "ScheduleError",
    "SchemaMismatch",
    "ServiceUnreachable",
    "SettingsError",
    "SiteError",
    "StagingError",
    "StorageError",
    "UnexpectedAnswer",
    "UnrecognisedContent",
    "UnsignedPackage",
    "UnsupportedDelta",
    "UnsupportedImage",
    "UnsupportedPackage",
    "UntrustedCertificate",
    "UsageError",
    "WimdockError",
]
