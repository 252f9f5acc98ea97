"""/Get-Packages and /Add-Package: what is installed in an image, and updates put into one.

/Image names a mounted folder, as in DISM, or an image file, which DISM does not take. A package is
added to a file only: our servicing writes the file itself, and what a mount has changed and not
committed would be lost or would undo it. So a mounted image is refused, and nothing is touched.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.cli.dism.layout import UNDEFINED, install_time
from wimdock.cli.dism.syntax import refuse_service, refuse_value
from wimdock.errors import NoSuchImage, StorageError, UnsignedPackage

if TYPE_CHECKING:
    from wimdock.cli.dism.session import Session
    from wimdock.image.packages import InstalledPackage

_PROVIDER = "DISM Package Manager"
_PATH_NOT_FOUND = 0x80070003
_COLUMNS = ("Package Identity", "State", "Release Type", "Install Time")
_STATES = {"permanent": "Installed"}


def get_packages(session: Session) -> None:
    """List the packages of an image, as a list or as a table."""
    form = session.line.choice("Format", ("list", "table"), "list")
    version, packages, release_types = _read(session)
    session.screen.line(f"Image Version: {version}")
    session.screen.line()
    session.screen.line("Packages listing:")
    session.screen.line()
    rows = [_row(package, release_types) for package in packages]
    if form == "table":
        session.screen.line()
        session.screen.table(_COLUMNS, rows)
        session.screen.line()
        return
    for row in rows:
        session.screen.fields(zip(_COLUMNS, row, strict=True))
        session.screen.line()


def _row(package: InstalledPackage, release_types: dict[str, str]) -> tuple[str, str, str, str]:
    state = _STATES.get(package.state_name, package.state_name.title())
    kind = release_types.get(package.id.lower(), "")
    return package.id, state, kind, install_time(package.installed_at)


def _read(session: Session) -> tuple[str, tuple[InstalledPackage, ...], dict[str, str]]:
    """Give version, packages and their release types, from a file or from a folder."""
    place = session.path("Image")
    if place.is_dir():
        if session.line.has("Index"):
            why = "a folder holds one image"
            refuse_value("Index", session.line.text("Index"), why)
        from wimdock.cli.dism.mounted_windows import MountedWindows

        mounted = MountedWindows(place)
        version = mounted.version or UNDEFINED
        return version, mounted.packages, mounted.release_types()
    from wimdock.files import naming
    from wimdock.image.windows import WindowsImage
    from wimdock.wim import Archive

    with naming(place), Archive.open(place) as archive:
        windows = WindowsImage(archive, _index(session, place, archive.image_count))
        packages = windows.installed_packages()
        return windows.version or UNDEFINED, packages, windows.release_types()


def _index(session: Session, image: Path, count: int) -> int:
    """Give the image that /Index chooses, which may be left out where there is one only."""
    number = session.line.number("Index")
    if number is None and count > 1:
        message = f"{image} holds {count} images: which one is meant?"
        raise NoSuchImage(message, hint="Give /Index:N, which wimdock takes for a file.")
    return number or 1


def add_package(session: Session) -> None:
    """Put packages into an image of a file, all of them or none."""
    image = session.path("Image")
    if image.is_dir():
        why = (
            "wimdock puts updates into the file itself, and a mounted image would be written over "
            "them. Unmount it, then give the file: /Image:FILE.wim, or `wimdock service FILE.wim`"
        )
        refuse_service("/Add-Package for a folder", why)
    packages = [_package(session, typed) for typed in session.line.texts("PackagePath")]
    from wimdock.files import naming
    from wimdock.image.windows import WindowsImage
    from wimdock.servicing.service import ServiceOptions, read_dictionary, service
    from wimdock.wim import Archive

    with naming(image), Archive.open(image) as archive:
        index = _index(session, image, archive.image_count)
        version = WindowsImage(archive, index).version or UNDEFINED
    session.screen.line(f"Image Version: {version}")
    session.screen.line()
    session.log.note(_PROVIDER, f"Adding {len(packages)} package(s) to image {index} of {image}")
    options = ServiceOptions(indexes=(index,), dictionary=read_dictionary(None))
    try:
        report = service(image, packages, options, session.surroundings())
    except UnsignedPackage as error:
        error.hint = (
            "DISM's syntax has no word for it: `wimdock service --allow-unsigned` takes it."
        )
        raise
    for number, result in enumerate(report.results, 1):
        text = f"Processing {number} of {len(report.results)} - Adding package {result.package}"
        session.log.note(_PROVIDER, f"{text}: {result.outcome.value}")
        session.screen.line(text)
        session.screen.step_done()
        if result.reason:
            session.screen.line(result.reason)


def _package(session: Session, typed: str) -> Path:
    path = session.drives.path(typed)
    if path.is_dir():
        why = "it is a folder: name each package, in the order in which they are to go in"
        refuse_value("PackagePath", typed, why)
    if not path.exists():
        message = f"{typed}: there is no such package"
        raise StorageError(message, hint="Check the path.", hresult=_PATH_NOT_FOUND)
    return path
