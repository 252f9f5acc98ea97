"""The tables of a site's database."""

from wimdock.site.models.distribution import (
    ContentState,
    DistributedContent,
    DistributionPoint,
    PointKind,
)
from wimdock.site.models.packages import (
    FileState,
    GenerationRow,
    History,
    Image,
    ImagePackage,
    PackageType,
)
from wimdock.site.models.records import (
    MessageSeverity,
    Notification,
    NotificationState,
    StatusMessageRow,
)
from wimdock.site.models.runs import (
    Lease,
    Run,
    RunEvent,
    RunState,
    Step,
    StepName,
    StepState,
    UpdateResultRow,
    WorkerRow,
    WorkerState,
)
from wimdock.site.models.schedules import (
    Occurrence,
    OccurrenceOutcome,
    Schedule,
    ScheduleTarget,
    ScheduleUpdate,
)
from wimdock.site.models.site import Audit, Provider, Role, SiteRow, Token, User
from wimdock.site.models.types import Base
from wimdock.site.models.updates import UpdateRow, WatchedFile, WatchState

__all__ = [
    "Audit",
    "Base",
    "ContentState",
    "DistributedContent",
    "DistributionPoint",
    "FileState",
    "GenerationRow",
    "History",
    "Image",
    "ImagePackage",
    "Lease",
    "MessageSeverity",
    "Notification",
    "NotificationState",
    "Occurrence",
    "OccurrenceOutcome",
    "PackageType",
    "PointKind",
    "Provider",
    "Role",
    "Run",
    "RunEvent",
    "RunState",
    "Schedule",
    "ScheduleTarget",
    "ScheduleUpdate",
    "SiteRow",
    "StatusMessageRow",
    "Step",
    "StepName",
    "StepState",
    "Token",
    "UpdateResultRow",
    "UpdateRow",
    "User",
    "WatchState",
    "WatchedFile",
    "WorkerRow",
    "WorkerState",
]
