"""Wine as a second opinion: its wusa installs packages, its service manager makes services.

It needs no display. A prefix is a Windows of its own in a folder: drive_c and system.reg.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import time
from collections.abc import Mapping
from pathlib import Path

from tests.lab.hive import REG_DWORD, REG_SZ
from tests.lab.tool import LabError, run

WINE_TOOLS = ("wine", "wineboot", "wineserver")

Registry = dict[str, dict[str, tuple[int, bytes]]]

_SECTION = re.compile(r"\[(?P<key>.*)\] \d+")
_LINE = re.compile(r'(?:@|"(?P<name>(?:[^"\\]|\\.)*)")=(?P<data>.*)')
_STRING = re.compile(r'(?:str(?:\((?P<type>[0-9a-f]+)\))?:)?"(?P<text>(?:[^"\\]|\\.)*)"')
_BYTES = re.compile(r"hex(?:\((?P<type>[0-9a-f]+)\))?:(?P<bytes>[0-9a-f,]*)")
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{1,4})|(.))")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_REG_BINARY = 3
_PATIENCE = 60.0
_QUIET = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "winemenubuilder.exe,mscoree,mshtml="}


class Prefix:
    """One Windows of Wine's, made when it is asked for."""

    def __init__(self, folder: Path) -> None:
        """Make it; that takes ten seconds or more."""
        self.folder = folder
        self._environment = os.environ | _QUIET | {"WINEPREFIX": str(folder)}
        self._environment.pop("DISPLAY", None)
        run("wineboot", "--init", environment=self._environment)
        self.rest()

    @property
    def windows(self) -> Path:
        """The folder C:\\Windows."""  # noqa: D301
        return self.folder / "drive_c" / "windows"

    def run(self, *command: str, folder: Path | None = None) -> bytes:
        """Run a Windows program to its end."""
        return run("wine", *command, environment=self._environment, folder=folder or self.folder)

    def rest(self) -> None:
        """Wait until nothing runs and the registry is on the disk."""
        run("wineserver", "--wait", environment=self._environment)

    def install(self, standalone: Path) -> None:
        """Install an .msu with wusa."""
        # A bare name: wusa takes a path that begins with a slash for an option.
        self.run("wusa.exe", standalone.name, "/quiet", folder=standalone.parent)
        self.rest()

    def make_service(self, name: str, attributes: Mapping[str, str]) -> None:
        """Make a service with sc, from the attributes of a manifest's serviceData."""
        options = {
            "binPath=": attributes["imagePath"],
            "DisplayName=": attributes["displayName"],
            "start=": attributes["start"],
            "error=": attributes["errorControl"],
            "type=": {"win32OwnProcess": "own", "win32ShareProcess": "share"}[attributes["type"]],
            "obj=": attributes["objectName"],
        }
        self._await_service_manager()
        self.run("sc.exe", "create", name, *(word for pair in options.items() for word in pair))
        self.run("sc.exe", "description", name, attributes["description"])
        self.rest()

    def _await_service_manager(self) -> None:
        """Wait until the service manager answers: on a busy machine it is late after a rest."""
        last = time.monotonic() + _PATIENCE
        while True:
            try:
                self.run("sc.exe", "query", "RpcSs")
            except LabError:
                if time.monotonic() > last:
                    raise
                time.sleep(1)
            else:
                return

    def files(self) -> dict[str, str]:
        """Give every file below C:\\Windows: lower-case path with slashes, SHA-256."""  # noqa: D301
        found: dict[str, str] = {}
        for path in self.windows.rglob("*"):
            if path.is_file() and not path.is_symlink():
                name = path.relative_to(self.windows).as_posix().lower()
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def registry(self) -> Registry:
        """Give HKEY_LOCAL_MACHINE: keys in lower case, values with type and raw data."""
        text = (self.folder / "system.reg").read_text("utf-8")
        found: Registry = {}
        key: dict[str, tuple[int, bytes]] = {}
        for line in text.replace("\\\n", "").splitlines():
            if section := _SECTION.fullmatch(line):
                key = found.setdefault(_unescaped(section["key"]).lower(), {})
            elif value := _LINE.fullmatch(line):
                key[_unescaped(value["name"] or "")] = _data(value["data"])
        return found


def _unescaped(text: str) -> str:
    def letter(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return _LETTERS.get(match[2], match[2])

    return _ESCAPE.sub(letter, text)


def _data(text: str) -> tuple[int, bytes]:
    if text.startswith("dword:"):
        return REG_DWORD, struct.pack("<I", int(text.removeprefix("dword:"), 16))
    if match := _STRING.fullmatch(text):
        kind = int(match["type"], 16) if match["type"] else REG_SZ
        return kind, f"{_unescaped(match['text'])}\0".encode("utf-16-le", "surrogatepass")
    match = _BYTES.fullmatch(text.replace(" ", ""))
    assert match is not None, text
    kind = int(match["type"], 16) if match["type"] else _REG_BINARY
    return kind, bytes.fromhex(match["bytes"].replace(",", ""))
