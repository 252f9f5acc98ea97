"""Logs made for tests: what Configuration Manager, DISM and component servicing write, in short."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

START = datetime(2021, 3, 9, 22, 0, 0)  # noqa: DTZ001 - logs tell local time
COMPONENT = "SMS_OFFLINE_SERVICING_MANAGER"
MOUNT = r"D:\ConfigMgr_OfflineImageServicing\{package}\ImageMountDir"


class Offline:
    """An OfflineServicingMgr.log in the server form, a line each second."""

    def __init__(self, at: datetime = START) -> None:
        """Begin an empty log."""
        self.at = at
        self.lines: list[str] = []

    def line(self, message: str) -> Offline:
        self.at += timedelta(seconds=1)
        stamp = f"{self.at:%m-%d-%Y %H:%M:%S}.000-060"
        self.lines.append(f"{message}  $$<{COMPONENT}><{stamp}><thread=3336 (0xD08)>")
        return self

    def pause(self, minutes: float) -> Offline:
        self.at += timedelta(minutes=minutes)
        return self

    def begin(self, schedule: int = 16777217) -> Offline:
        return self.line(f"Processing started for Schedule with ID {schedule} (Schedule Name = )")

    def image(self, package: str, index: int = 1) -> Offline:
        mount = MOUNT.format(package=package)
        self.line(f"Processing image package: {package}")
        return self.line(
            f"Mounting image at index {index}. Image file='D:\\images\\{package}.wim', "
            f"MountDirectory='{mount}', ImageFileType='WIM', Mode='ReadWrite'"
        )

    def unmount_fails(self, package: str, index: int = 1, *, system: str = "CM01") -> Offline:
        mount = MOUNT.format(package=package)
        self.line("UnMounting Image (Commit Changes = 1)...")
        self.line("WIM::UnMountWIMImage returned code 0x800700a1~")
        self.line("UnMountImage returned code 0x800700a1~")
        self.line("Image UnMount failed with error 161")
        return self.line(
            f'STATMSG: ID=7913 SEV=E LEV=M SOURCE="SMS Server" COMP="{COMPONENT}" SYS={system} '
            f"SITE=CAS PID=2148 TID=3336 GMTDATE=Tue Mar 09 21:00:00.000 2021 "
            f'ISTR0="{package}" ISTR1="{index}" ISTR2="{mount}" ISTR3="161" ISTR4="" ISTR5="" '
            f'ISTR6="" ISTR7="" ISTR8="" ISTR9="" NUMATTRS=0'
        )

    def completed(self, package: str, status: str) -> Offline:
        return self.line(f"Completed processing image package {package}. Status = {status}")

    def end(self, word: str = "failed") -> Offline:
        return self.line(f"Schedule processing {word}")

    def write(self, folder: Path, name: str = "OfflineServicingMgr.log") -> Path:
        path = folder / name
        path.write_text("\r\n".join(self.lines) + "\r\n", encoding="utf-8")
        return path


class Dism:
    """A DISM.log, a line each second."""

    def __init__(self, at: datetime = START, *, pid: int = 4120) -> None:
        """Begin an empty log of one process."""
        self.at = at
        self.pid = pid
        self.lines: list[str] = []

    def line(self, message: str, level: str = "Info", component: str = "DISM") -> Dism:
        self.at += timedelta(seconds=1)
        self.lines.append(f"{self.at:%Y-%m-%d %H:%M:%S}, {level:<22}{component:<7}{message}")
        return self

    def begin(self, command: str, host: str = "6.3.9600") -> Dism:
        self.line("DISM.EXE: <----- Starting Dism.exe session ----->")
        machine = f"OS Version={host}, Running architecture=amd64, Number of processors=2"
        self.line(f"DISM.EXE: Host machine information: {machine}")
        return self.line(f"DISM.EXE: Executing command line: {command}")

    def stack(self, code: str, function: str, line: int = 141) -> Dism:
        self.lines.append(f"[{self.pid}] [{code}] {function}:({line}): Le chemin est invalide.")
        return self

    def error(self, code: str, function: str) -> Dism:
        where = f"onecore\\base\\x.cpp:194 - {function}(hr:{code})"
        return self.line(f"DISM WIM Provider: PID={self.pid} TID=7 {where}", "Error")

    def commit_fails(self) -> Dism:
        self.stack("0x800700a1", "ImageRecaptureDirectory")
        self.stack("0x800700a1", "WIMCommitImageHandle", 1417)
        self.error("0x800700a1", "CWimImage::Save")
        return self.error("0x800700a1", "CWimImage::Unmount")

    def end(self) -> Dism:
        return self.line("DISM.EXE: <----- Ending Dism.exe session ----->")

    def write(self, folder: Path, name: str = "dism.log") -> Path:
        path = folder / name
        path.write_text("\r\n".join(self.lines) + "\r\n", encoding="utf-8")
        return path


def unmount(package: str, way: str) -> str:
    """Give a command line that ends a mount."""
    return f'"Dism.exe" /Unmount-Image /MountDir:{MOUNT.format(package=package)} /{way}'
