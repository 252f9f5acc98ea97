"""Lists that many components share."""

from __future__ import annotations

import pytest

from tests.cbs.component_text import component, membership
from tests.cbs.planning import FakeImage
from wimdock.cbs.memberships import SVCHOST, SharedLists
from wimdock.cbs.refusal import Refusals
from wimdock.image.change_set import HiveName, SetValue
from wimdock.registry import encode_string, encode_strings

_ENVIRONMENT = "ControlSet001\\Control\\Session Manager\\Environment"
# The list of a real Windows before and after its OpenSSH was installed.
_BEFORE = (
    "%SystemRoot%\\system32;%SystemRoot%;%SystemRoot%\\System32\\Wbem;"
    "%SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\"
)
_FOLDER = "%SYSTEMROOT%\\System32\\OpenSSH\\"
SSH = membership("Environment", f'<path name="{_FOLDER}" position="last" />', "path")


def group(service: str, position: str = "last") -> str:
    inside = f'<serviceGroup position="{position}" serviceName="{service}" />'
    return membership("SvcHost", inside, "LabGroup")


def edits_of(lists: SharedLists, inside: str) -> tuple[list[SetValue], tuple[str, ...]]:
    refusals = Refusals()
    return list(lists.edits(component(inside), refusals)), refusals.reasons


def test_a_folder_is_added_to_the_search_path() -> None:
    image = FakeImage()
    image.hives[HiveName.SYSTEM].make(_ENVIRONMENT).set("Path", 2, encode_string(_BEFORE))
    edits, reasons = edits_of(SharedLists(image), SSH)
    expected = encode_string(f"{_BEFORE};{_FOLDER}")
    assert edits == [SetValue(HiveName.SYSTEM, _ENVIRONMENT, "Path", 2, expected)]
    assert reasons == ()


def test_a_folder_that_is_in_the_search_path_stays_where_it_is() -> None:
    image = FakeImage()
    path = encode_string(f"{_FOLDER.lower().rstrip(chr(92))};{_BEFORE}")
    image.hives[HiveName.SYSTEM].make(_ENVIRONMENT).set("Path", 2, path)
    assert edits_of(SharedLists(image), SSH)[0] == []


def test_a_search_path_is_made_where_there_is_none() -> None:
    assert edits_of(SharedLists(FakeImage()), SSH)[0][0].data == encode_string(_FOLDER)


def test_two_components_add_to_the_same_group() -> None:
    image = FakeImage()
    image.hives[HiveName.SOFTWARE].make(SVCHOST).set("labgroup", 7, encode_strings(["one"]))
    lists = SharedLists(image)
    assert edits_of(lists, group("two"))[0][0].data == encode_strings(["one", "two"])
    assert edits_of(lists, group("TWO"))[0] == []
    last = edits_of(lists, group("zero", "first"))[0]
    assert last == [
        SetValue(HiveName.SOFTWARE, SVCHOST, "LabGroup", 7, encode_strings(["zero", "one", "two"]))
    ]


@pytest.mark.parametrize(
    "inside, why",
    [
        (membership("Environment", '<variable name="a" />', "variable"), "variable"),
        (membership("SvcHost", "<odd />", "g"), "odd"),
        (group("s", "middle"), "middle"),
    ],
)
def test_what_is_not_known_is_refused(inside: str, why: str) -> None:
    edits, reasons = edits_of(SharedLists(FakeImage()), inside)
    assert edits == []
    assert why in reasons[0]


def test_marks_ask_for_nothing() -> None:
    assert edits_of(SharedLists(FakeImage()), membership("BootCritical", "")) == ([], ())
