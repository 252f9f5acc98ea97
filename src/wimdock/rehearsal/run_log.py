r"""What a rehearsal writes: OfflineServicingMgr.log, dism.log and status messages.

Lines that are known from public logs are written as they are known; docs/guide/rehearsing.md names
those that are not and only play their part. Times are UTC.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from wimdock.clock import Clock
from wimdock.configmgr import StatusMessage, format_status_message
from wimdock.configmgr.status_message import COMPONENT, RUN_STARTED, UNMOUNT_FAILED
from wimdock.doctor.logs.commit_failure import write_commit_failure
from wimdock.doctor.logs.dism_form import DismLog
from wimdock.doctor.logs.server_form import ServerLog
from wimdock.rehearsal.options import RehearsalOptions
from wimdock.rehearsal.place import Place

OFFLINE_LOG = "OfflineServicingMgr.log"
DISM_LOG = "dism.log"

_SCHEDULE = 16777217
_SCHEDULE_NAME = "rehearsal"
_FIRST_UPDATE = 16787962
_LOW_WORD = 0xFFFF
_ALREADY_MOUNTED = 0xC1420127
_NOT_EMPTY = 0xC1420114


class RunLog:
    """Both logs of one run; a context manager that closes them."""

    def __init__(self, place: Place, options: RehearsalOptions, clock: Clock) -> None:
        """Take where they lie and who is played; nothing is opened yet."""
        self._place = place
        self._options = options
        self._clock = clock
        self._thread = threading.get_native_id()
        self._stack = ExitStack()
        self._dism: DismLog | None = None
        self.paths = tuple(
            place.logs / name
            for name in (OFFLINE_LOG, DISM_LOG)
            if name == OFFLINE_LOG or options.provider.build is not None
        )
        self.status_messages: list[StatusMessage] = []

    def __enter__(self) -> Self:
        """Open both logs for appending."""
        with ExitStack() as stack:
            self._offline = stack.enter_context(ServerLog(self.paths[0], COMPONENT, self._clock))
            if self._options.provider.build is not None:  # wimdock services without DISM
                self._dism = stack.enter_context(DismLog(self.paths[1], self._clock))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close both."""
        self._stack.close()

    # The run

    def started(self) -> None:
        """Say that the schedule is run."""
        schedule = f"Schedule with ID {_SCHEDULE}"
        named = f"(Schedule Name = {_SCHEDULE_NAME})"
        thread = self._thread
        for line in (
            f"SMS_EXECUTIVE started {COMPONENT} as thread ID {thread} (0x{thread:X}).",
            "Checking if there are schedule(s) which need to be run at this time.",
            f"{schedule} {named} is marked for RunNow by the administrator",
            f"{schedule} ({_SCHEDULE_NAME}) is active",
            f"Schedule processing thread started. ThreadID = 0x{thread:X} ({thread})",
            "1 Schedule(s) are marked for RunNow by the administrator",
            "1 Schedule(s) are scheduled to be run at this time",
            f"Processing started for {schedule} {named}",
        ):
            self._offline.write(line)
        self._status(RUN_STARTED, "I", str(_SCHEDULE))
        self._offline.write("Initialization of schedule processing succeeded")

    def processing(self) -> None:
        """Say that the image package is being processed."""
        self._offline.write(f"Processing image package: {self._options.package_id}")

    def ended(self, *, succeeded: bool) -> None:
        """Say how the run ended."""
        package = self._options.package_id
        status = "Success" if succeeded else "Failed"
        self._offline.write(f"Completed processing image package {package}. Status = {status}")
        self._offline.write(f"Updated history for image package {package} in the database")
        result = "succeeded" if succeeded else "failed"
        self._offline.write(f"Schedule processing {result}")

    # One image

    def mounting(self, index: int, copy: Path) -> None:
        """Say that an image is mounted."""
        with self._mount_session(index, copy):
            pass

    def leftovers(self, index: int, copy: Path, *, is_mounted: bool) -> None:
        """Say that an image cannot be mounted, for what an earlier run left."""
        self.processing()
        code = _ALREADY_MOUNTED if is_mounted else _NOT_EMPTY
        with self._mount_session(index, copy) as dism:
            if dism is not None:
                text = "An earlier run is in the way."
                dism.stack(code, "WIMMountImageHandle", 1, text)
        self.mount_failed(code)

    def mount_failed(self, code: int) -> None:
        """Say that an image could not be mounted."""
        self._offline.write(f"WIM::MountWIMImage returned code 0x{code:08x}~")
        self._offline.write(f"MountImage returned code 0x{code:08x}~")

    @contextmanager
    def _mount_session(self, index: int, copy: Path) -> Iterator[DismLog | None]:
        directory = self._place.windows(self._place.mount_directory)
        file = self._place.windows(copy)
        self._offline.write(
            f"Mounting image at index {index}. Image file='{file}', MountDirectory='{directory}', "
            "ImageFileType='WIM', Mode='ReadWrite'"
        )
        options = f'/Mount-Wim /WimFile:"{file}" /Index:{index} /MountDir:"{directory}"'
        with self._session(options) as dism:
            yield dism

    def unmounting(self, *, commit: bool) -> None:
        """Say that the image is unmounted, and whether its changes are to be kept."""
        self._offline.write(f"UnMounting Image (Commit Changes = {int(commit)})...")

    def commit_failed(self, index: int, code: int) -> None:
        """Say that the unmount failed, in both logs and by status message 7913."""
        directory = self._place.windows(self._place.mount_directory)
        with self._session(f'/Unmount-Wim /MountDir:"{directory}" /Commit') as dism:
            if dism is not None:
                write_commit_failure(dism, code)
        self._offline.write(f"WIM::UnMountWIMImage returned code 0x{code:08x}~")
        self._offline.write(f"UnMountImage returned code 0x{code:08x}~")
        error = code & _LOW_WORD
        self._offline.write(f"Image UnMount failed with error {error}")
        package = self._options.package_id
        self._status(UNMOUNT_FAILED, "E", package, str(index), directory, str(error))

    # One update

    def checking(self, number: int) -> None:
        """Say that an update is looked at; `number` counts from 0."""
        count = len(self._options.updates)
        self._offline.write(
            f"Checking if update ({number + 1} of {count}) with ID {_FIRST_UPDATE + number} needs "
            "to be applied on the image. 1 content binarie(s) are associated with the update."
        )

    def not_required(self, binary: Path) -> None:
        """Say that an update is not for this image, or in it already."""
        self._state("APPLICABILITY_STATE_NOT_REQUIRED", binary)

    def not_supported(self, binary: Path) -> None:
        """Say that a file is nothing that can be put into an image."""
        self._state("APPLICABILITY_STATE_UNKNOWN", binary)
        self._offline.write("Not applying this update binary, it is not supported.")

    def installed(self, number: int, index: int, binary: Path) -> None:
        """Say that an update was put into an image."""
        self._state("APPLICABILITY_STATE_APPLICABLE", binary)
        self._applying(number, index)

    def install_failed(self, number: int, index: int, code: int) -> None:
        """Say that an update could not be put into an image."""
        self._applying(number, index)
        self._offline.write(f"InstallUpdate returned code 0x{code:08x}~")
        self._offline.write(
            f"Failed to install update with ID {_FIRST_UPDATE + number} on the image. "
            f"ErrorCode = {code & _LOW_WORD}"
        )

    def _applying(self, number: int, index: int) -> None:
        self._offline.write(
            f"Applying update with ID {_FIRST_UPDATE + number} on image at index {index}."
        )

    def _state(self, state: str, binary: Path) -> None:
        self._offline.write(
            f"Applicability State = {state}, Update Binary = {self._place.windows(binary)}."
        )

    @contextmanager
    def _session(self, options: str) -> Iterator[DismLog | None]:
        """Begin and end a session of DISM in its log; None where no DISM is played."""
        host = self._options.provider.build
        if self._dism is None or host is None:
            yield None
            return
        self._dism.session_start(f"Dism.exe {options}", host)
        yield self._dism
        self._dism.session_end()

    def _status(self, number: int, severity: str, *insertions: str) -> None:
        now = self._clock.now()
        message = StatusMessage(
            id=number,
            severity=severity,
            source="SMS Server",
            component=COMPONENT,
            system=self._options.provider.name,
            site=self._options.site,
            pid=os.getpid(),
            tid=self._thread,
            time=now.replace(microsecond=now.microsecond // 1000 * 1000),  # as it is written
            insertions=insertions,
        )
        self.status_messages.append(message)
        self._offline.write(format_status_message(message))
