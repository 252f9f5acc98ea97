r"""What an image is: from the file's XML, completed from the image's own hives.

SOFTWARE tells product and version (`Microsoft\Windows NT\CurrentVersion`), SYSTEM architecture and
languages (below the current control set). Hives are asked for only where the XML leaves a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wimdock.image.change_set import HiveName

if TYPE_CHECKING:
    from wimdock.registry import Hive, Key
    from wimdock.wim import ImageRecord

CURRENT_VERSION = r"Microsoft\Windows NT\CurrentVersion"
FIRST_CONTROL_SET = "ControlSet001"

_ENVIRONMENT = r"Control\Session Manager\Environment"
_UI_LANGUAGES = r"Control\MUI\UILanguages"
_HIGHEST_CONTROL_SET = 999
_VERSION_PARTS = 4


@dataclass(frozen=True, slots=True)
class Description:
    """What an image is; an empty text where nobody says it.

    `architecture` is in the words of component servicing ("amd64"), `version` up to four numbers
    with dots.
    """

    name: str
    product: str
    edition: str
    installation_type: str
    architecture: str
    version: str
    languages: tuple[str, ...]
    default_language: str


def description_in(record: ImageRecord) -> Description:
    """Give what the XML alone says."""
    return Description(
        name=record.name or record.display_name,
        product=record.product_name,
        edition=record.edition_id or record.flags,
        installation_type=record.installation_type,
        architecture=record.architecture,
        version=".".join(str(number) for number in record.version),
        languages=record.languages,
        default_language=record.default_language,
    )


def is_complete(known: Description) -> bool:
    """Tell whether the XML says all that the hives could add."""
    return bool(
        known.edition
        and known.architecture
        and known.languages
        and known.version.count(".") == _VERSION_PARTS - 1
    )


def describe(record: ImageRecord, hive: Callable[[HiveName], Hive | None]) -> Description:
    """Give what XML and hives say; where both say something, the XML counts."""
    known = description_in(record)
    if not is_complete(known):
        software = hive(HiveName.SOFTWARE)
        if software is not None:
            known = _with_software(known, software)
    if not known.architecture or not known.languages:
        system = hive(HiveName.SYSTEM)
        if system is not None:
            known = _with_system(known, system)
    return known


def _with_software(known: Description, software: Hive) -> Description:
    key = software.open_key(CURRENT_VERSION)
    if key is None:
        return known
    version = _version(key)
    return replace(
        known,
        product=known.product or text_of(key, "ProductName"),
        edition=known.edition or text_of(key, "EditionID"),
        installation_type=known.installation_type or text_of(key, "InstallationType"),
        version=version if version.startswith(known.version) else known.version,
    )


def _version(key: Key) -> str:
    """Give major.minor.build.revision as far as the key tells."""
    major, minor = number_of(key, "CurrentMajorVersionNumber"), None
    if major is not None:
        minor = number_of(key, "CurrentMinorVersionNumber") or 0
        parts = [str(major), str(minor)]
    else:
        # Windows 8.1 and older, which newer ones repeat here for old programs.
        parts = text_of(key, "CurrentVersion").split(".")
    parts.append(text_of(key, "CurrentBuildNumber") or text_of(key, "CurrentBuild"))
    parts.append(str(number_of(key, "UBR") or 0))
    if all(part.isascii() and part.isdigit() for part in parts):
        return ".".join(parts)
    return ""


def _with_system(known: Description, system: Hive) -> Description:
    control_set = control_set_of(system)
    architecture, languages = known.architecture or architecture_of(system), known.languages
    installed = system.open_key(f"{control_set}\\{_UI_LANGUAGES}")
    if not languages and installed is not None:
        languages = tuple(language.name for language in installed.subkeys())
    default = known.default_language or (languages[0] if len(languages) == 1 else "")
    return replace(known, architecture=architecture, languages=languages, default_language=default)


def control_set_of(system: Hive | None) -> str:
    """Give the name of a SYSTEM hive's current control set; the first where it does not tell."""
    key = None if system is None else system.open_key("Select")
    number = None if key is None else number_of(key, "Current")
    if number is None or not 0 < number <= _HIGHEST_CONTROL_SET:
        return FIRST_CONTROL_SET
    return f"ControlSet{number:03}"


def architecture_of(system: Hive) -> str:
    """Give the architecture that a SYSTEM hive states ("amd64"), or nothing."""
    environment = system.open_key(f"{control_set_of(system)}\\{_ENVIRONMENT}")
    return "" if environment is None else text_of(environment, "PROCESSOR_ARCHITECTURE").lower()


def text_of(key: Key, name: str) -> str:
    """Give a value's text, or nothing where there is no such value."""
    value = key.value(name)
    return "" if value is None else value.text().strip()


def number_of(key: Key, name: str) -> int | None:
    """Give a value's number, or None where there is no such value."""
    value = key.value(name)
    return None if value is None else value.number()
