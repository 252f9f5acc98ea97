"""What the log says of each phase: of the scheduler, of a run, of an image, of an update.

Lines of `SiteLog.line` are those that public logs of Configuration Manager show, letter for letter.
What those do not show, or what wimdock does differently (it mounts nothing), is `SiteLog.own`.
`docs/guide/log-and-history.md` names both.
"""

from __future__ import annotations

from datetime import UTC, datetime

from wimdock.site.messages.log import SiteLog
from wimdock.site.models import StatusMessageRow

NOT_SUPPORTED = 4
"""Configuration Manager's UpdateStatus of an update whose applicability cannot be checked."""

_STATES = {
    0: "UNKNOWN",
    1: "NOT_REQUIRED",
    2: "INSTALLED",
    3: "APPLICABLE",
    5: "INSTALLED_CHECK_NOT_SUPPORTED",
}

# The scheduler


def checking_schedules(log: SiteLog) -> None:
    """Say that schedules are looked at; only where one is due, else the log says little else."""
    log.line("Checking if there are schedule(s) which need to be run at this time.")


def schedule_run_now(log: SiteLog, schedule_id: int, name: str) -> None:
    """Say that somebody wants a schedule run now."""
    log.line(f"{_schedule(schedule_id, name)} is marked for RunNow by the administrator")


def schedule_due(log: SiteLog, schedule_id: int, instant: datetime) -> None:
    """Say that a schedule is due, since when (UTC)."""
    utc = instant.astimezone(UTC)
    words = utc.ctime()  # English whatever the locale, but a day of one digit has a blank
    at = f"{words[:8]}{utc.day:02}{words[10:]}"
    log.line(
        f"The Schedule with ID {schedule_id} will be run now. It's run time is at {at} "
        "Coordinated Universal Time"
    )


def schedule_active(log: SiteLog, schedule_id: int, name: str) -> None:
    """Say that a schedule is one that may run."""
    log.line(f"Schedule with ID {schedule_id} ({name}) is active")


def schedules_marked(log: SiteLog, count: int) -> None:
    """Say how many schedules somebody wants run now."""
    log.line(f"{count} Schedule(s) are marked for RunNow by the administrator")


def schedule_checked(log: SiteLog, count: int) -> None:
    """Say how many schedules are run now."""
    log.line(f"{count} Schedule(s) are scheduled to be run at this time")


# A run


def processing_started(
    log: SiteLog, schedule_id: int | None, name: str = "", *, attempt: int = 1
) -> None:
    """Say that a run begins, of a schedule or of none; status message 7900 comes next."""
    again = "" if attempt == 1 else f", attempt {attempt}"
    log.own(f"Run {log.run_id} started{again}.")
    thread = log.thread
    log.line(f"Schedule processing thread started. ThreadID = 0x{thread:X} ({thread})")
    if schedule_id is not None:
        log.line(f"Processing started for {_schedule(schedule_id, name)}")


def initialized(log: SiteLog) -> None:
    """Say that all is there that the run needs."""
    log.line("Initialization of schedule processing succeeded")


def updates_missing(log: SiteLog) -> None:
    """Say that a file that the run needs is not in the library."""
    log.line("Not all selected software updates are currently available on current site")


def step_ended(log: SiteLog, step: str, state: str, seconds: float) -> None:
    """Say how a step of the run ended."""
    log.own(f"Step {step} {state} after {seconds:.1f} s.")


def run_ended(
    log: SiteLog,
    message: StatusMessageRow,
    package_id: str,
    *,
    succeeded: bool,
    schedule: bool = True,
    remedy: str = "",
) -> None:
    """Say how the run ended: its status message, what to do, and the lines that end a run.

    `schedule` tells whether the run is of one.
    """
    log.status(message)
    if remedy:
        log.own(f"What to do: {remedy}")
    completed(log, package_id, succeeded=succeeded)
    history_updated(log, package_id)
    if schedule:
        schedule_result(log, succeeded=succeeded)


def completed(log: SiteLog, package_id: str, *, succeeded: bool) -> None:
    """Say that the work on an image package is over."""
    text = f"Completed processing image package {package_id}. Status = "
    if succeeded:
        log.own(f"{text}Success")
    else:
        log.line(f"{text}Failed")


def history_updated(log: SiteLog, package_id: str) -> None:
    """Say that the history of an image package has a new entry."""
    log.line(f"Updated history for image package {package_id} in the database")


def schedule_result(log: SiteLog, *, succeeded: bool) -> None:
    """Say how the run of a schedule ended."""
    if succeeded:
        log.own("Schedule processing succeeded")
    else:
        log.line("Schedule processing failed")


# An image


def processing_image(log: SiteLog, package_id: str, file: str) -> None:
    """Say which image package is worked on; `file` is its image file."""
    log.own(f"Processing image package: {package_id}")
    log.own(f"Image file='{file}'; it is edited in place, nothing is mounted.")


def committed(log: SiteLog, generation: int, added: int) -> None:
    """Say that the file is a new generation now; `added` is in bytes."""
    log.own(f"Committed generation {generation}: {added} bytes were appended.")


def left_as_it_was(log: SiteLog) -> None:
    """Say that the file was not changed."""
    log.own("Nothing was committed: the image file is as it was.")


# An update


def checking_update(log: SiteLog, number: int, count: int, update_id: int) -> None:
    """Say that an update is looked at, `number` counted from 1 of `count`."""
    log.own(
        f"Checking if update ({number} of {count}) with ID {update_id} needs to be applied on the "
        "image."
    )


def applicability(log: SiteLog, status: int, file: str) -> None:
    """Say what an update is to the image, as Configuration Manager's UpdateStatus."""
    if status == NOT_SUPPORTED:
        log.line(
            f"Applicability State = APPLICABILITY_CHECK_NOT_SUPPORTED, Update Binary = {file}."
        )
        log.line("Not applying this update binary, it is not supported.")
    else:
        log.own(f"Applicability State = {_STATES[status]}, Update Binary = {file}.")


def applying_update(log: SiteLog, update_id: int, index: int) -> None:
    """Say that an update is put into an image."""
    log.own(f"Applying update with ID {update_id} on image at index {index}.")


def update_failed(log: SiteLog, update_id: int, win32: int) -> None:
    """Say that an update could not be put into an image, with the Win32 error."""
    log.line(f"Failed to install update with ID {update_id} on the image. ErrorCode = {win32}")


def _schedule(schedule_id: int, name: str) -> str:
    return f"Schedule with ID {schedule_id} (Schedule Name = {name})"
