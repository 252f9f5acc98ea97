"""Every case of the lab through the whole of wimdock: it ends as it should, the file is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.cases import CASES
from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.lab.package import write_cabinet
from wimdock import errors
from wimdock.errors import WimdockError
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.service import ServiceOptions, service

_OUTCOMES = {
    "installed": Outcome.INSTALLED,
    "already installed": Outcome.ALREADY_INSTALLED,
    "superseded": Outcome.SUPERSEDED,
}


@pytest.mark.parametrize("name", CASES)
def test_case_ends_as_it_should(name: str, lab: Lab, tmp_path: Path) -> None:
    case = CASES[name]
    image = lab.copy("xpress", tmp_path)
    before = image.read_bytes()
    cabinet = write_cabinet(tmp_path / "update.cab", case.files())
    if case.result in _OUTCOMES:
        report = service(image, [cabinet], ServiceOptions())
        assert [result.outcome for result in report.results] == [_OUTCOMES[case.result]]
        verify(image)
        return
    refusal: type[WimdockError] = getattr(errors, case.result)
    with pytest.raises(refusal) as caught:
        service(image, [cabinet], ServiceOptions())
    assert type(caught.value) is refusal
    assert image.read_bytes() == before
    assert not any(path.name.startswith("hostile") for path in tmp_path.parent.iterdir())


def test_unsigned_package_is_taken_when_allowed(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("lzx", tmp_path)
    cabinet = write_cabinet(tmp_path / "update.cab", CASES["unsigned"].files())
    report = service(image, [cabinet], ServiceOptions(allow_unsigned=True))
    assert report.results[0].outcome is Outcome.INSTALLED
    verify(image)
