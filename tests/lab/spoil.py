"""What can be done to a package's files before they are wrapped into a cabinet."""

from __future__ import annotations

from collections.abc import Callable

from tests.lab.package import FILE_HASHES, Files, file_hashes_of

Spoil = Callable[[Files], None]


def _payload_name(files: Files) -> str:
    return next(name for name in files if name.endswith("\\program.exe"))


def change_payload(files: Files) -> None:
    files[_payload_name(files)] += b"changed"


def hash_again(files: Files) -> None:
    del files[FILE_HASHES]
    files[FILE_HASHES] = file_hashes_of(files)


def drop_payload(files: Files) -> None:
    del files[_payload_name(files)]


def change_manifest(files: Files) -> None:
    name = next(name for name in files if "lab-program" in name and name.endswith(".manifest"))
    files[name] = files[name].replace(b'"The lab"', b'"Not the lab"')


def drop_root(files: Files) -> None:
    del files["update.mum"]


def drop_manifest(files: Files) -> None:
    name = next(name for name in files if "lab-program" in name and name.endswith(".manifest"))
    del files[name]


def drop_child(files: Files) -> None:
    for name in [name for name in files if name.startswith("Lab-Update-Child-Package")]:
        del files[name]


def ruin_catalog(files: Files) -> None:
    for name in files:
        if name.endswith(".cat"):
            files[name] = files[name][: len(files[name]) // 2]


def add(name: str) -> Spoil:
    def spoil(files: Files) -> None:
        files[name] = b"hostile"

    return spoil
