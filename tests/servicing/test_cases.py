"""Every case of the lab comes to the end that it states, and a refusal leaves no trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.cases import CASES
from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.servicing.surroundings import cabinet_of, everything_in, put_in, quick
from wimdock import errors
from wimdock.errors import UnsupportedPackage, WimdockError
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.service import ServiceOptions

_NOTHING_WRITTEN = {
    "already installed": Outcome.ALREADY_INSTALLED,
    "superseded": Outcome.SUPERSEDED,
}
_REFUSED = [
    name for name, case in CASES.items() if isinstance(getattr(errors, case.result, 0), type)
]
_LEFT_OUT = [name for name, case in CASES.items() if case.result in _NOTHING_WRITTEN]
_INSTALLED = [name for name, case in CASES.items() if case.result == "installed"]


def test_every_case_is_tested() -> None:
    assert {*_REFUSED, *_LEFT_OUT, *_INSTALLED} == set(CASES)


@pytest.mark.parametrize("name", _INSTALLED)
def test_an_update_is_installed_once(name: str, lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of(name, tmp_path)
    report = put_in(image, [cabinet])
    assert [result.outcome for result in report.results] == [Outcome.INSTALLED]
    assert report.commit is not None
    verify(image)
    before = everything_in(tmp_path)
    again = put_in(image, [cabinet])
    assert [result.outcome for result in again.results] == [Outcome.ALREADY_INSTALLED]
    assert again.commit is None
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("name", _LEFT_OUT)
def test_an_update_that_brings_nothing_is_left_out(name: str, lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of(name, tmp_path)
    before = everything_in(tmp_path)
    report = put_in(image, [cabinet])
    (result,) = report.results
    assert result.outcome is _NOTHING_WRITTEN[CASES[name].result]
    assert result.reason
    assert result.hresult is not None
    assert report.commit is None
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("name", _REFUSED)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_refusal_leaves_no_trace(name: str, dry_run: bool, lab: Lab, tmp_path: Path) -> None:  # noqa: FBT001
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of(name, tmp_path)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    before = everything_in(tmp_path)
    refusal: type[WimdockError] = getattr(errors, CASES[name].result)
    with pytest.raises(WimdockError) as caught:
        put_in(image, [cabinet], ServiceOptions(dry_run=dry_run), quick(workspace))
    assert type(caught.value) is refusal
    assert caught.value.message
    assert caught.value.hint
    assert isinstance(caught.value, UnsupportedPackage) == bool(
        getattr(caught.value, "reasons", ())
    )
    after = everything_in(tmp_path)
    # The folder of the workspaces saw one come and go; it is empty again.
    assert after.pop("workspace")[0] == before.pop("workspace")[0]
    assert after == before
    assert not any(path.name.startswith("hostile") for path in tmp_path.parent.iterdir())


def test_an_update_without_catalogs_is_taken_where_allowed(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("lzx", tmp_path)
    cabinet = cabinet_of("unsigned", tmp_path)
    report = put_in(image, [cabinet], ServiceOptions(allow_unsigned=True))
    assert [result.outcome for result in report.results] == [Outcome.INSTALLED]
    assert report.catalogued == {cabinet: False}
    verify(image)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999])
def test_an_update_that_was_cut_off_is_refused(share: float, lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    whole = cabinet_of("plain", tmp_path).read_bytes()
    cabinet = tmp_path / "cut.cab"
    cabinet.write_bytes(whole[: int(len(whole) * share)])
    before = everything_in(tmp_path)
    with pytest.raises(errors.PackageError) as caught:
        put_in(image, [cabinet])
    assert type(caught.value) in {errors.MalformedPackage, errors.CorruptPackage}
    assert everything_in(tmp_path) == before
