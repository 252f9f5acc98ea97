"""Image files of the standard Windows, captured by wimlib-imagex in every form that occurs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.tool import run

_ENTERPRISE = {
    "NAME": "Windows 10 Enterprise",
    "DESCRIPTION": "The lab's standard Windows",
    "FLAGS": "Enterprise",
    "WINDOWS/LANGUAGES/LANGUAGE": "en-US",
    "WINDOWS/LANGUAGES/DEFAULT": "en-US",
    "WINDOWS/VERSION/SPBUILD": "388",
    "WINDOWS/VERSION/SPLEVEL": "0",
    "WINDOWS/SERVICINGDATA/GDRDUREVISION": "20200701",
    "LAB/NOTE": "an element that no program knows",
}
_PRO = {
    "NAME": "Windows 10 Pro",
    "DESCRIPTION": "Another edition, without the package that features on demand ask for",
    "DISPLAYNAME": "Windows 10 Pro",
    "DISPLAYDESCRIPTION": "Windows 10 Pro",
}
_DATA = {"NAME": "Data", "DESCRIPTION": "Files and no Windows"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an image file is made: its compression, capture options, and what each index holds.

    `volumes` names a volume of the lab for each index; `properties` what its XML gets.
    """

    compression: str = "LZX"
    volumes: tuple[str, ...] = ("enterprise",)
    properties: tuple[Mapping[str, str], ...] = field(default=(_ENTERPRISE,))
    check: bool = False
    boot_index: int = 0


RECIPES: Mapping[str, Recipe] = {
    "lzx": Recipe("LZX"),
    "xpress": Recipe("XPRESS"),
    "lzms": Recipe("LZMS"),
    "none": Recipe("none"),
    "check": Recipe("XPRESS", check=True),
    "multi": Recipe("LZX", ("enterprise", "pro", "data"), (_ENTERPRISE, _PRO, _DATA), boot_index=2),
    "multi-check": Recipe("XPRESS", ("enterprise", "enterprise"), (_ENTERPRISE, _PRO), check=True),
    "special": Recipe("XPRESS", ("special",)),
}


def make_image(recipe: Recipe, image: Path, volume: Callable[[str], Path]) -> Path:
    """Capture an image file after a recipe; `volume` gives a volume of the lab by name."""
    for index, (name, properties) in enumerate(
        zip(recipe.volumes, recipe.properties, strict=True), start=1
    ):
        capture(
            volume(name),
            image,
            name=properties["NAME"],
            compression=recipe.compression if index == 1 else None,
            check=recipe.check,
        )
        set_properties(image, index, properties, check=recipe.check)
    if recipe.boot_index:
        run("wimlib-imagex", "info", image, str(recipe.boot_index), "--boot")
    return image


def capture(
    volume: Path, image: Path, *, name: str, compression: str | None = "LZX", check: bool = False
) -> None:
    """Capture a volume into a new image file, or with no compression named append it to one."""
    options = [f"--compress={compression}"] if compression else []
    options += ["--check"] if check else []
    verb = "capture" if compression else "append"
    run("wimlib-imagex", verb, volume, image, name, "--threads=2", *options)


def set_properties(
    image: Path, index: int, properties: Mapping[str, str], *, check: bool = False
) -> None:
    """Set elements of an image's XML."""
    options = [f"--image-property={path}={value}" for path, value in properties.items()]
    options += ["--check"] if check else []
    run("wimlib-imagex", "info", image, str(index), *options)


def apply(image: Path, volume: Path, index: int = 1) -> Path:
    """Apply an image to an empty NTFS volume with wimlib-imagex; give the volume."""
    run("wimlib-imagex", "apply", image, str(index), volume)
    return volume


def verify(image: Path) -> None:
    """Let wimlib-imagex and 7-Zip check a whole image file; raise LabError for any finding."""
    run("wimlib-imagex", "verify", image)
    run("7z", "t", image)


def listing(image: Path, index: int = 1) -> str:
    """Give what wimlib-imagex says in detail about every entry of an image."""
    return run("wimlib-imagex", "dir", image, str(index), "--detailed").decode()
