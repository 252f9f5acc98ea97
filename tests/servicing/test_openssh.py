"""Microsoft's OpenSSH in images of several kinds: what came, what stayed, and back again.

The witnesses (tests/witnesses) look deeper into one image; here is every kind of image file.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.lab.image import listing, verify
from tests.lab.lab import Lab
from tests.lab.tool import run
from tests.servicing.surroundings import everything_in, packages_in, put_in
from tests.witnesses.update_contents import UpdateContents, read_update
from wimdock.errors import NotApplicable, RegistryError
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.service import ServiceOptions
from wimdock.wim.rollback import rollback

_CABINETS = ("OpenSSH-Client-19041.cab", "OpenSSH-Server-19041.cab")
_HIVES = tuple(
    f"/Windows/System32/config/{name}" for name in ("SOFTWARE", "SYSTEM", "COMPONENTS", "DEFAULT")
)


@pytest.fixture(scope="module")
def cabinets(shared_data: Path) -> list[Path]:
    """Give Microsoft's packages."""
    return [shared_data / "packages" / name for name in _CABINETS]


@pytest.fixture(scope="module")
def contents(
    cabinets: list[Path], shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[UpdateContents]:
    """Give what they hold, as 7-Zip and lxml see it."""
    dictionary = (shared_data / "packages" / "manifest-dictionary.bin").read_bytes()
    return [
        read_update(cabinet, tmp_path_factory.mktemp("contents"), dictionary)
        for cabinet in cabinets
    ]


def entries(image: Path, index: int) -> dict[str, str]:
    """Give what wimlib-imagex says of every entry, by path, but for reference counts."""
    found = {}
    for block in listing(image, index).split("-" * 76)[1:]:
        lines = block.strip().splitlines()
        path = lines[0].partition('"')[2].removesuffix('"')
        found[path] = "\n".join(line for line in lines if not line.startswith("Reference Count"))
    return found


def check_files(image: Path, index: int, contents: list[UpdateContents], folder: Path) -> None:
    """Compare every runtime and store file with the hash that its manifest promises."""
    promised = {
        path: file.sha256
        for content in contents
        for file in content.promised
        for path in (file.runtime, file.store)
        if path is not None
    }
    assert len(promised) == 24
    names = folder / "names"
    names.write_text("".join(f"/{path}\n" for path in promised))
    extracted = folder / f"extracted-{index}"
    run(
        "wimlib-imagex", "extract", image, str(index), f"@{names}",
        "--preserve-dir-structure", f"--dest-dir={extracted}",
    )  # fmt: skip
    found = {path: hashlib.sha256((extracted / path).read_bytes()).hexdigest() for path in promised}
    assert found == promised


@pytest.mark.parametrize("recipe", ["xpress", "lzx", "multi-check", "none"])
def test_both_are_installed_and_can_be_undone(
    recipe: str, cabinets: list[Path], contents: list[UpdateContents], lab: Lab, tmp_path: Path
) -> None:
    image = lab.copy(recipe, tmp_path)
    count = 2 if recipe == "multi-check" else 1
    original = image.read_bytes()
    old = [entries(image, index) for index in range(1, count + 1)]
    report = put_in(image, cabinets, ServiceOptions())
    assert [result.outcome for result in report.results] == [Outcome.INSTALLED] * 2 * count
    verify(image)
    assert image.read_bytes()[208 : len(original)] == original[208:]
    ids = {name.removesuffix(".mum") for c in contents for name in c.files if name.endswith(".mum")}
    ids.discard("update")
    for index, before in enumerate(old, start=1):
        check_files(image, index, contents, tmp_path)
        assert {package_id.lower() for package_id in ids} <= {
            package_id.lower() for package_id in packages_in(image, index)
        }
        after = entries(image, index)
        points = {path for path, facts in before.items() if "Reparse Tag" in facts}
        assert len(points) > 30
        assert points == {path for path, facts in after.items() if "Reparse Tag" in facts}
        changed = {path for path, facts in before.items() if after[path] != facts}
        assert not changed & points
        folders = {path for path in changed if "FILE_ATTRIBUTE_DIRECTORY" in before[path]}
        assert changed - folders <= set(_HIVES)
    serviced = everything_in(tmp_path)
    again = put_in(image, cabinets, ServiceOptions())
    assert {result.outcome for result in again.results} == {Outcome.ALREADY_INSTALLED}
    assert everything_in(tmp_path) == serviced
    rollback(image)
    assert image.read_bytes()[: len(original)] == original
    assert [entries(image, index) for index in range(1, count + 1)] == old
    verify(image)
    (redone,) = {result.outcome for result in put_in(image, cabinets, ServiceOptions()).results}
    assert redone is Outcome.INSTALLED
    verify(image)


def test_all_images_or_none(cabinets: list[Path], lab: Lab, tmp_path: Path) -> None:
    """The second image lacks the package that OpenSSH asks for, the third is no Windows."""
    image = lab.copy("multi", tmp_path)
    before = everything_in(tmp_path)
    with pytest.raises(RegistryError, match="image 3 is no Windows"):
        put_in(image, cabinets, ServiceOptions())
    with pytest.raises(NotApplicable, match="not for image 2"):
        put_in(image, cabinets, ServiceOptions(indexes=(1, 2)))
    assert everything_in(tmp_path) == before


def test_images_that_refuse_are_left_out_where_asked(
    cabinets: list[Path], contents: list[UpdateContents], lab: Lab, tmp_path: Path
) -> None:
    image = lab.copy("multi", tmp_path)
    old = [entries(image, index) for index in (2, 3)]
    report = put_in(image, cabinets, ServiceOptions(continue_on_error=True))
    outcomes = [(result.index, result.outcome) for result in report.results]
    assert outcomes == [
        *[(1, Outcome.INSTALLED)] * 2,
        *[(2, Outcome.NOT_APPLICABLE)] * 2,
        *[(3, Outcome.FAILED)] * 2,
    ]
    assert report.failure is not None
    assert report.failure.exit_code != 0
    verify(image)
    check_files(image, 1, contents, tmp_path)
    assert [entries(image, index) for index in (2, 3)] == old
    info = subprocess.run(
        ["wimlib-imagex", "info", image], capture_output=True, text=True, check=True
    )
    assert "Boot Index:     2" in info.stdout
