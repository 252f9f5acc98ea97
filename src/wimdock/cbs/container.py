"""What kind of file an update is, told by its first bytes, and what to do with the wrong kinds."""

from __future__ import annotations

import os
from pathlib import Path

from wimdock.cbs.cabinet_directory import SIGNATURE
from wimdock.errors import MalformedPackage, UnsupportedPackage
from wimdock.files import open_file, read_at

_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (
        b"MSWIM\0\0\0",
        "a WIM file (an image, or a WIM-type .msu)",
        "Give a .cab or .msu cabinet; a WIM-type .msu needs DISM on a Windows host.",
    ),
    (
        b"PSTREAM",
        "a .psf payload file",
        "It belongs to an express or WIM-type update, which wimdock does not take.",
    ),
    (
        b"MZ",
        "a program (.exe)",
        "If it is a self-extracting update, extract the .cab or .msu from it and give that.",
    ),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a Windows Installer file (.msi or .msp)",
        "Offline servicing takes CBS packages (.cab, .msu) only: deploy it as an application.",
    ),
    (
        b"PK\x03\x04",
        "a ZIP archive (.zip, .appx, .msix)",
        "Extract the .cab or .msu from it and give that.",
    ),
    (b"PA30", "a bare delta file", "Give the .cab or .msu that it came in."),
    (b"PA31", "a bare delta file", "Give the .cab or .msu that it came in."),
    (b"DCM\x01", "a component manifest", "Give the .cab or .msu that it came in."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Extract the .cab or .msu from it and give that."),
)
_LONGEST = max(len(magic) for magic, _what, _hint in _KINDS)


def check_container(path: Path) -> None:
    """Make sure that a file is a cabinet.

    Raises UnsupportedPackage naming any other kind that is known, MalformedPackage for the rest,
    StorageError where the file cannot be read.
    """
    descriptor = open_file(path)
    try:
        start = read_at(descriptor, _LONGEST, 0)
    finally:
        os.close(descriptor)
    if start.startswith(SIGNATURE):
        return
    for magic, what, hint in _KINDS:
        if start.startswith(magic):
            message = f"{path.name} is {what}, which is not supported"
            raise UnsupportedPackage(message, reasons=(message,), hint=hint)
    message = f"{path.name} is no update package: it is no cabinet"
    raise MalformedPackage(message, hint="Give a .cab or .msu file.")
