"""Delta packages."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cbs.hostile import spoiled
from tests.lab.pa30_writer import write_delta
from tests.lab.package import write_cabinet
from wimdock.cbs.cabinet import extract_cabinet
from wimdock.cbs.contents import Contents
from wimdock.cbs.delta_package import LIST_NAME, parse_delta_package, rebuild
from wimdock.cbs.spool import Spool, on_disk
from wimdock.errors import CorruptPackage, MalformedPackage, WimdockError

TEXT = b"<assembly>" + b"plain text " * 200 + b"</assembly>"
NEXT = TEXT.replace(b"plain", b"other") + b"more"


def file_element(number: str, name: str, content: bytes, delta: str, algorithm: str = "") -> str:
    algorithm = algorithm or "SHA256"
    digest = hashlib.new(algorithm.lower(), content).hexdigest()
    return (
        f'<File id="{number}" name="{name}" length="{len(content)}" time="1" attr="32">'
        f'<Hash alg="{algorithm}" value="{digest}"/><Delta>{delta}</Delta></File>'
    )


def source(kind: str, name: str, stored: bytes) -> str:
    digest = hashlib.sha256(stored).hexdigest()
    return f'<Source type="{kind}" name="{name}"><Hash alg="SHA256" value="{digest}"/></Source>'


def listed(*elements: str) -> bytes:
    return (
        '<?xml version="1.0"?><Container name="a.cab" type="CAB" xmlns="urn:ContainerIndex">'
        f"<Description/><Files>{''.join(elements)}</Files></Container>"
    ).encode()


DELTA = write_delta(TEXT, NEXT)
# What is made of another file stands first: the order is that of the bases.
LIST = listed(
    file_element("3", "copy.txt", NEXT, '<Basis file="2"/>'),
    file_element("2", "dir\\next.txt", NEXT, source("PA30", "0", DELTA) + '<Basis file="1"/>'),
    file_element("1", "text.txt", TEXT, source("RAW", "text.txt", TEXT), "SHA1"),
    file_element("4", "alone.txt", b"alone", source("PA30", "1", write_delta(b"", b"alone"))),
)
STORED = {"text.txt": TEXT, "0": DELTA, "1": write_delta(b"", b"alone")}


def stored(tmp_path: Path, files: dict[str, bytes]) -> Contents:
    return extract_cabinet(write_cabinet(tmp_path / "a.cab", files), Spool(tmp_path / "out"))


def test_files_are_made_in_the_order_of_their_bases(tmp_path: Path) -> None:
    made, refused = rebuild(
        stored(tmp_path, STORED), parse_delta_package(LIST), Spool(tmp_path / "made")
    )
    assert {file.name: file.read(1 << 30) for file in made} == {
        "copy.txt": NEXT,
        "dir\\next.txt": NEXT,
        "text.txt": TEXT,
        "alone.txt": b"alone",
    }
    assert refused == {}


@pytest.mark.parametrize("arch, made, refused", [("x86", 15, 0), ("x64", 16, 1)])
def test_the_real_kb4528069(
    shared_data: Path, tmp_path: Path, arch: str, made: int, refused: int
) -> None:
    msu = shared_data / "packages" / f"windows6.1-kb4528069-{arch}.msu"
    outer = extract_cabinet(msu, Spool(tmp_path / "msu"), lambda name: name.endswith(f"{arch}.cab"))
    contents = extract_cabinet(on_disk(next(iter(outer))), Spool(tmp_path / "cab"))
    found = contents.get(LIST_NAME)
    assert found is not None
    files = parse_delta_package(found.read(1 << 30))
    result, reasons = rebuild(contents, files, Spool(tmp_path / "made"))
    assert (len(result), len(reasons)) == (made, refused)
    assert all("PE transform" in why for why in reasons.values())


def test_a_pe_delta_and_what_is_made_of_it_are_refused_with_reasons(tmp_path: Path) -> None:
    data = listed(
        file_element("1", "a.exe", b"x", source("PA31", "0", b"PA31")),
        file_element("2", "b.exe", b"x", '<Basis file="1"/>'),
        file_element("3", "c.exe", b"x", '<Source type="PA30" name="0" offset="7"/>'),
        file_element("4", "d.exe", b"x", '<Basis file="1" from="image"/>'),
    )
    contents = stored(tmp_path, {"0": b"PA31"})
    made, refused = rebuild(contents, parse_delta_package(data), Spool(tmp_path / "made"))
    assert len(made) == 0
    assert set(refused) == {"a.exe", "b.exe", "c.exe", "d.exe"}


@pytest.mark.parametrize(
    "files",
    [
        STORED | {"text.txt": TEXT.replace(b"p", b"q", 1)},
        STORED | {"0": DELTA[:-1]},
        STORED | {"1": write_delta(b"", b"alonE")},
    ],
)
def test_stored_files_that_differ_are_corrupt(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(CorruptPackage):
        rebuild(stored(tmp_path, files), parse_delta_package(LIST), Spool(tmp_path / "made"))


RAW = source("RAW", "text.txt", TEXT)


@pytest.mark.parametrize(
    "data",
    [
        b"<Container/>",
        listed("<File/>"),
        listed(file_element("1", "a", TEXT, "").replace("<Delta></Delta>", "")),
        listed(file_element("1", "..\\a", TEXT, RAW)),
        listed(file_element("1", "a", TEXT, RAW).replace('length="', 'length="-')),
        listed(file_element("1", "a", TEXT, RAW).replace('value="', 'value="x')),
        listed(file_element("1", "a", TEXT, RAW), file_element("1", "b", TEXT, RAW)),
        listed(file_element("1", "a", TEXT, RAW), file_element("2", "A", TEXT, RAW)),
        listed(file_element("1", "a", TEXT, '<Basis file="1"/>')),
        listed(
            file_element("1", "a", TEXT, '<Basis file="2"/>'),
            file_element("2", "b", TEXT, '<Basis file="1"/>'),
        ),
        listed(file_element("1", "a", TEXT, '<Basis file="9"/>')),
        listed(file_element("1", "a", TEXT, source("RAW", "nowhere", TEXT))),
        listed(file_element("1", "a", TEXT, "")),
        listed(file_element("1", "a", TEXT, RAW).replace('length="', 'length="9999999999')),
    ],
)
def test_broken_lists_are_refused(tmp_path: Path, data: bytes) -> None:
    contents = stored(tmp_path, STORED)
    with pytest.raises(MalformedPackage):
        rebuild(contents, parse_delta_package(data), Spool(tmp_path / "made"))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_spoiled_lists_raise_only_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("spoiled")
    contents = stored(folder, STORED)
    try:
        files = parse_delta_package(data.draw(spoiled(LIST)))
        rebuild(contents, files, Spool(folder / "made"))
    except WimdockError:
        return
