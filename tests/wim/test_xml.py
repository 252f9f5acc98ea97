"""The XML: read into values, edited without losing what is not understood."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.errors import MalformedImage
from wimdock.wim.xml import ImageCatalog, ImageCounts

TEXT = """<WIM><TOTALBYTES>77</TOTALBYTES>
<IMAGE INDEX="1"><DIRCOUNT>3</DIRCOUNT><FILECOUNT>4</FILECOUNT><TOTALBYTES>500</TOTALBYTES>
<HARDLINKBYTES>6</HARDLINKBYTES>
<CREATIONTIME><HIGHPART>0x01D70000</HIGHPART><LOWPART>0x12345678</LOWPART></CREATIONTIME>
<WINDOWS><ARCH>9</ARCH><PRODUCTNAME>Microsoft Windows</PRODUCTNAME><EDITIONID>Pro</EDITIONID>
<INSTALLATIONTYPE>Client</INSTALLATIONTYPE><SERVICINGDATA><PKEYCONFIGVERSION>10</PKEYCONFIGVERSION>
</SERVICINGDATA><LANGUAGES><LANGUAGE>de-DE</LANGUAGE><LANGUAGE>en-US</LANGUAGE>
<DEFAULT>de-DE</DEFAULT></LANGUAGES><VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>19041</BUILD>
<SPBUILD>388</SPBUILD><SPLEVEL>0</SPLEVEL></VERSION><SYSTEMROOT>WINDOWS</SYSTEMROOT></WINDOWS>
<NAME>Windows 10 &amp; more</NAME><FLAGS>Professional</FLAGS><STRANGE kind="x">kept</STRANGE>
</IMAGE>
<IMAGE INDEX="2"><NAME>second</NAME></IMAGE></WIM>"""


def _stored(text: str) -> bytes:
    return b"\xff\xfe" + text.encode("utf-16-le")


def test_everything_that_is_said_is_read() -> None:
    record = ImageCatalog(_stored(TEXT)).record(1)
    assert record.name == "Windows 10 & more"
    assert record.flags == "Professional"
    assert (record.directory_count, record.file_count) == (3, 4)
    assert (record.total_bytes, record.hard_link_bytes) == (500, 6)
    assert record.architecture == "amd64"
    assert record.version == (10, 0, 19041, 388)
    assert record.service_pack_level == 0
    assert record.languages == ("de-DE", "en-US")
    assert record.default_language == "de-DE"
    assert record.edition_id == "Pro"
    assert record.system_root == "WINDOWS"
    assert record.created is not None
    assert record.created.year == 2021
    assert record.modified is None


def test_what_is_not_said_is_empty() -> None:
    catalog = ImageCatalog(_stored(TEXT))
    assert catalog.count == 2
    second, third = catalog.records(3)[1:]
    assert second.name == "second"
    assert second.version == ()
    assert second.directory_count is None
    assert third.name == ""


def test_images_without_a_number_are_counted() -> None:
    catalog = ImageCatalog(_stored("<WIM><IMAGE><NAME>a</NAME></IMAGE><IMAGE/></WIM>"))
    assert catalog.record(1).name == "a"


def test_an_edit_changes_its_figures_and_nothing_else() -> None:
    catalog = ImageCatalog(_stored(TEXT))
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    catalog.set_counts(1, ImageCounts(30, 40, 5000, 60), moment)
    catalog.set_total_bytes(88)
    packed = catalog.pack()
    assert packed.startswith(b"\xff\xfe")
    text = packed.decode("utf-16")
    after = ImageCatalog(packed)
    record = after.record(1)
    assert (record.directory_count, record.file_count) == (30, 40)
    assert record.modified == moment
    assert after.record(2) == ImageCatalog(_stored(TEXT)).record(2)
    expected = TEXT.replace("<TOTALBYTES>77", "<TOTALBYTES>88").replace(
        "<DIRCOUNT>3", "<DIRCOUNT>30"
    )
    expected = expected.replace("<FILECOUNT>4", "<FILECOUNT>40").replace(">500<", ">5000<")
    expected = expected.replace("<HARDLINKBYTES>6", "<HARDLINKBYTES>60")
    start = text.index("<LASTMODIFICATIONTIME>")
    end = text.index("</LASTMODIFICATIONTIME>") + len("</LASTMODIFICATIONTIME>")
    assert text[:start] + text[end:] == expected


def test_an_image_that_the_xml_lacks_is_added() -> None:
    catalog = ImageCatalog(_stored("<WIM><IMAGE INDEX='1'/></WIM>"))
    assert catalog.record(2).file_count is None
    catalog.set_counts(2, ImageCounts(1, 2, 3, 4), datetime(2026, 1, 1, tzinfo=UTC))
    assert catalog.record(2).file_count == 2
    assert catalog.count == 2


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="UTF-16"?>'])
@pytest.mark.parametrize("mark", [b"\xff\xfe", b""])
@pytest.mark.parametrize("end", ["", "\0", "\0\0\0"])
def test_marks_declarations_and_padding_do_not_matter(
    mark: bytes, declaration: str, end: str
) -> None:
    data = mark + (declaration + TEXT + end).encode("utf-16-le")
    assert ImageCatalog(data).record(1).name == "Windows 10 & more"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<WIM>",
        "<OTHER/>",
        "<WIM>\ud800</WIM>",
        "<!DOCTYPE WIM [<!ENTITY a 'b'>]><WIM>&a;</WIM>",
        "<!DOCTYPE WIM SYSTEM 'file:///etc/passwd'><WIM/>",
        "<a:WIM xmlns:a='x'/>",
    ],
)
def test_what_is_no_xml_of_a_wim_file_is_refused(text: str) -> None:
    with pytest.raises(MalformedImage):
        ImageCatalog(b"\xff\xfe" + text.encode("utf-16-le", "surrogatepass"))
    with pytest.raises(MalformedImage):
        ImageCatalog(b"<\0W")


def test_entities_that_grow_are_refused() -> None:
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE WIM [<!ENTITY e0 "ha">{laughs}]><WIM>&e11;</WIM>'
    with pytest.raises(MalformedImage):
        ImageCatalog(_stored(text))


@pytest.mark.parametrize("text", ["-1", "0x10", "1e9", "9" * 30, "٣", ""])
def test_what_is_no_number_counts_as_not_said(text: str) -> None:
    catalog = ImageCatalog(
        _stored(f"<WIM><IMAGE INDEX='1'><DIRCOUNT>{text}</DIRCOUNT></IMAGE></WIM>")
    )
    assert catalog.record(1).directory_count is None


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.integers(-5, 100_000))
def test_any_text_is_read_or_refused(text: str, index: int) -> None:
    with suppress(MalformedImage):
        ImageCatalog(_stored(text)).record(index)
    with suppress(MalformedImage):
        ImageCatalog(_stored(f"<WIM><IMAGE>{text}</IMAGE></WIM>")).record(index)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=5))
def test_changed_bytes_are_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(_stored(TEXT))
    for offset, value in changes:
        data[offset % len(data)] = value
    with suppress(MalformedImage):
        catalog = ImageCatalog(data)
        catalog.records(3)
        again = ImageCatalog(catalog.pack())
        assert again.records(3) == catalog.records(3)
