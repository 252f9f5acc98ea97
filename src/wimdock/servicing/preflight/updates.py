"""Updates against an image: content, architecture, applicability, order of the servicing stack.

Each update is judged against the image as those before it would leave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.cbs.applicability import (
    Applicability,
    ApplicabilityState,
    InstalledPackageLike,
    PackageState,
    judge,
)
from wimdock.cbs.container import check_container
from wimdock.errors import (
    CorruptPackage,
    MalformedPackage,
    StorageError,
    UnsupportedPackage,
    WimdockError,
)
from wimdock.files import refuse_special
from wimdock.servicing.preflight.check import Check, Result
from wimdock.servicing.preflight.update_file import UpdateFile, is_stack, read_update_file

if TYPE_CHECKING:
    from wimdock.cbs.update import Update
    from wimdock.image.windows import WindowsImage

_CONTENT = ("update-content", "Update file")
_ARCHITECTURE = ("update-architecture", "Architecture")
_APPLICABILITY = ("update-applicability", "Applicability")
_ORDER = ("servicing-stack", "Servicing stack")
_ANY_ARCHITECTURE = ("", "neutral", "msil")
# Programs, Windows Installer files, archives: what Configuration Manager leaves out.
_OTHER_CONTENT = (b"MZ", b"\xd0\xcf\x11\xe0", b"PK\x03\x04", b"7z\xbc\xaf")


@dataclass(frozen=True, slots=True)
class _Installed:
    id: str
    state: int


def read_updates(paths: Sequence[Path], folder: Path) -> tuple[tuple[UpdateFile, ...], list[Check]]:
    """Open every update file below `folder`; give those that can be read, and a check for each."""
    files: list[UpdateFile] = []
    checks: list[Check] = []
    for number, path in enumerate(dict.fromkeys(paths)):
        try:
            refuse_special(path)
            found = _refused(path)
            if found is None:
                file = read_update_file(path, folder / f"update-{number}")
                files.append(file)
                found = _readable(file)
        except (WimdockError, OSError) as error:
            found = _unreadable(path, error)
        checks.append(found)
    return tuple(files), checks


def _refused(path: Path) -> Check | None:
    """Judge a file by its first bytes; None for a cabinet."""
    try:
        check_container(path)
    except UnsupportedPackage as error:
        if not _starts_with(path, _OTHER_CONTENT):
            return _unreadable(path, error)
        return Check(
            *_CONTENT,
            Result.FAILED,
            f"{error.message}: it is no content of component servicing, and Configuration Manager "
            "does not apply it.",
            f"Leave it out and deploy it in the task sequence. {error.hint}".strip(),
            failure=5,
            update=path.name,
        )
    return None


def _starts_with(path: Path, magics: tuple[bytes, ...]) -> bool:
    with path.open("rb") as file:
        return file.read(8).startswith(magics)


def _readable(file: UpdateFile) -> Check:
    ids = ", ".join(update.root.id for update in file.updates)
    reason = f"component servicing takes it: {ids}."
    return Check(*_CONTENT, Result.PASSED, reason, update=file.path.name)


def _unreadable(path: Path, error: WimdockError | OSError) -> Check:
    """Tell an update that nobody can use from one that only wimdock cannot open."""
    broken = isinstance(error, MalformedPackage | CorruptPackage | StorageError | OSError)
    why = str(error).rstrip(".")
    return Check(
        *_CONTENT,
        Result.FAILED if broken else Result.NOT_CHECKED,
        f"it cannot be used: {why}." if broken else f"{why}.",
        getattr(error, "hint", ""),
        update=path.name,
    )


def check_updates(image: WindowsImage, files: Sequence[UpdateFile]) -> Iterator[Check]:
    """Judge every update against one image, in order."""
    installed: list[InstalledPackageLike] = list(image.installed_packages())
    for file in files:
        for update in file.updates:
            yield from _check_update(image, file, update, installed)


def _check_update(
    image: WindowsImage, file: UpdateFile, update: Update, installed: list[InstalledPackageLike]
) -> Iterator[Check]:
    name = file.path.name
    mine, theirs = update.root.identity.arch, image.own_architecture
    if theirs and mine.lower() not in (*_ANY_ARCHITECTURE, theirs):
        yield Check(
            *_ARCHITECTURE,
            Result.FAILED,
            f"it is for {mine}, the image is {theirs}.",
            f"Choose the update for {theirs}.",
            failure=8,
            index=image.index,
            update=name,
        )
        return
    answer = judge(update, installed, theirs)
    result, reason, remedy, failure = _words(answer)
    yield Check(
        *_APPLICABILITY,
        result,
        reason,
        remedy,
        failure=failure,
        index=image.index,
        update=name,
        details=(update.root.id,) if len(file.updates) > 1 else (),
    )
    if answer.is_applicable:
        installed += (_Installed(package.id, PackageState.INSTALLED) for package in answer.packages)


def _words(answer: Applicability) -> tuple[Result, str, str, int | None]:
    match answer.state:
        case ApplicabilityState.APPLICABLE:
            return Result.PASSED, f"applicable: {answer.reason}.", "", None
        case ApplicabilityState.INSTALLED:
            return Result.PASSED, "it is installed already and would be passed over.", "", None
        case ApplicabilityState.SUPERSEDED:
            reason = f"it would be passed over: {answer.reason}."
            return Result.WARNING, reason, "Leave it out.", 8
        case ApplicabilityState.NOT_APPLICABLE:
            reason = f"not applicable: {answer.reason}."
            remedy = "Choose an update for this Windows, and put what it asks for before it."
            return Result.FAILED, reason, remedy, 8


def check_order(stack: str, files: Sequence[UpdateFile], index: int) -> Iterator[Check]:
    """Tell whether a servicing stack update comes after an update that may need it.

    `stack` is the version of the image's servicing stack.
    """
    late: list[str] = []
    before = ""
    for file in files:
        if file.is_stack and before:
            late.append(f"{file.path.name} after {before}")
        elif file.is_cumulative and not file.has_stack:
            before = before or file.path.name
    has = f"the image has the servicing stack {stack}" if stack else "the image has none"
    if late:
        yield Check(
            *_ORDER,
            Result.FAILED,
            f"a servicing stack update comes too late ({'; '.join(late)}): the cumulative update "
            "may end with 0x800F0823.",
            "Put the servicing stack update first.",
            failure=7,
            index=index,
        )
    elif not stack:
        yield Check(
            *_ORDER,
            Result.WARNING,
            r"no servicing stack is in the image's WinSxS folder.",
            "Make sure that it is a whole Windows image.",
            failure=17,
            index=index,
        )
    else:
        brought = [
            str(update.root.identity.version)
            for file in files
            for update in file.updates
            if is_stack(update)
        ]
        more = f"; the updates bring {', '.join(brought)} in time" if brought else ""
        yield Check(*_ORDER, Result.PASSED, f"{has}{more}.", index=index)
