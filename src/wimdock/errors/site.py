"""Errors of a site: its database, schedules, runs, distribution points and notifications."""

from __future__ import annotations

from wimdock.errors.base import WimdockError


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
    """A setting is not as it must be.

    `reasons` lists every one that is not.
    """

    exit_code = 86
    hresult = 0x80070057
    default_hint = "docs/reference/settings.md lists every setting."


class BackupError(SiteError):
    """A backup cannot be used: it is damaged, or none at all; nothing was made of it."""

    exit_code = 79
    hresult = 0x8007000D
    default_hint = "Take another backup; this one cannot be restored."


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


class RunRefused(RunError):
    """The run's preflight found what would stop it; nothing was touched."""

    exit_code = 89
    hresult = 0x8007139F
    default_hint = "`wimdock preflight IMAGE --provider wimdock` shows every check."


class RunMissed(RunError):
    """No worker could begin the run before its window closed; nothing was touched."""

    exit_code = 99
    hresult = 0x800705B4
    default_hint = "`wimdock worker list` shows the workers; `wimdock run retry RUN` does it now."


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
