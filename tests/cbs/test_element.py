"""XML from hostile hands."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cbs.hostile import spoiled
from wimdock.cbs.element import MAX_DEPTH, Element, parse_xml
from wimdock.errors import MalformedPackage

GOOD = (
    b'<?xml version="1.0" encoding="utf-8"?>\r\n<!-- a comment --><a xmlns="urn:a" one="1"'
    b' xmlns:b="urn:b" b:two="2"><b:child flag="Yes"> text <!-- inside --> more </b:child>'
    b"<child/><?pi data?></a>"
)


def test_a_document_becomes_values() -> None:
    root = parse_xml(GOOD, "it")
    assert (root.name, root.namespace) == ("a", "urn:a")
    assert root.attributes == (("one", "1"), ("{urn:b}two", "2"))
    first, second = root.all("child")
    assert (first.namespace, first.flag("flag")) == ("urn:b", True)
    assert first.text.split() == ["text", "more"]
    assert second == Element("child", "urn:a")
    assert [element.name for element in root.walk()] == ["a", "child", "child"]


def test_encodings_are_those_of_the_document() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        text = '<a name="Ж日本"/>'
        assert parse_xml(text.encode(encoding), "it").get("name") == "Ж日本"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no xml",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b'<a x="1" x="2"/>',
        b"<a>&nothing;</a>",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://localhost/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY e "text">]><a b="&e;"/>',
        b"\xff\xfe<\x00a\x00",
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
        b"<a>" * 100_000,
    ],
)
def test_what_is_broken_or_declares_a_document_type_is_refused(document: bytes) -> None:
    with pytest.raises(MalformedPackage):
        parse_xml(document, "it")


def test_an_entity_bomb_is_refused_at_once() -> None:
    levels = b"".join(
        b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 12)
    )
    bomb = b'<!DOCTYPE a [<!ENTITY l0 "lol">' + levels + b"]><a b='&l11;'>&l11;</a>"
    began = time.monotonic()
    with pytest.raises(MalformedPackage):
        parse_xml(bomb, "it")
    assert time.monotonic() - began < 1


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wimdock.cbs.element.MAX_ELEMENTS", 100)
    parse_xml(b"<a>" + b"<b/>" * 99 + b"</a>", "it")
    with pytest.raises(MalformedPackage, match="more elements"):
        parse_xml(b"<a>" + b"<b/>" * 100 + b"</a>", "it")


def test_too_long_a_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wimdock.cbs.element.MAX_XML", 10)
    with pytest.raises(MalformedPackage, match="larger"):
        parse_xml(b"<a>" + b" " * 10 + b"</a>", "it")


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), spoiled(GOOD)))
def test_spoiled_documents_raise_only_our_errors(data: bytes) -> None:
    try:
        root = parse_xml(data, "it")
    except MalformedPackage:
        return
    assert isinstance(root, Element)
