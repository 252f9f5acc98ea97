"""XML as frozen values, read from input that nobody trusts.

No entities, no DTD, no network; size, depth and number of elements are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wimdock.errors import MalformedPackage

ASM_V2 = "urn:schemas-microsoft-com:asm.v2"
ASM_V3 = "urn:schemas-microsoft-com:asm.v3"

MAX_XML = 64 << 20
MAX_DEPTH = 128
MAX_ELEMENTS = 1_000_000

_TRUE = frozenset(("true", "yes", "1"))


@dataclass(frozen=True, slots=True)
class Element:
    """One XML element: its name without namespace, the namespace, attributes, children, text.

    Attribute names without a namespace are plain, others `{namespace}name`. `text` is what stands
    directly inside, stripped.
    """

    name: str
    namespace: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple[Element, ...] = ()
    text: str = ""

    def get(self, attribute: str, default: str = "") -> str:
        """Give an attribute's value."""
        for name, value in self.attributes:
            if name == attribute:
                return value
        return default

    def flag(self, attribute: str, *, default: bool = False) -> bool:
        """Tell whether an attribute says true or yes."""
        value = self.get(attribute).strip().lower()
        return value in _TRUE if value else default

    def all(self, name: str) -> Iterator[Element]:
        """Give the children with this name."""
        return (child for child in self.children if child.name == name)

    def first(self, name: str) -> Element | None:
        """Give the first child with this name."""
        return next(self.all(name), None)

    def walk(self) -> Iterator[Element]:
        """Give itself and all that is below it, in the order of the document."""
        pending = [self]
        while pending:
            element = pending.pop()
            yield element
            pending.extend(reversed(element.children))


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something in a manifest that its reader does not know.

    `path` names it from the root (`assembly/package/frobnicate` or `…/file@attribute`), `detail`
    what it says, shortened.
    """

    path: str
    detail: str = ""


class _Frame:
    """An element whose end has not been seen."""

    __slots__ = ("attributes", "children", "name", "namespace", "text")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition("}")
        self.name = name
        self.namespace = namespace[1:]
        self.attributes = tuple((str(key), str(value)) for key, value in attributes.items())
        self.children: list[Element] = []
        self.text: list[str] = []

    def close(self) -> Element:
        return Element(
            self.name,
            self.namespace,
            self.attributes,
            tuple(self.children),
            "".join(self.text).strip(),
        )


class _Builder:
    """Takes the parser's events and makes Elements of them."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.open: list[_Frame] = []
        self.count = 0
        self.root: Element | None = None

    def start(self, tag: Any, attributes: Any) -> None:
        self.count += 1
        if self.count > MAX_ELEMENTS or len(self.open) >= MAX_DEPTH:
            message = f"{self.what} holds more elements than any real one"
            raise MalformedPackage(message)
        self.open.append(_Frame(tag, attributes))

    def end(self, tag: Any) -> None:  # noqa: ARG002 - the parser passes it
        element = self.open.pop().close()
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element

    def data(self, data: Any) -> None:
        if self.open:
            self.open[-1].text.append(data)

    def comment(self, text: Any) -> None:
        """Leave comments out."""

    def pi(self, target: Any, data: Any = None) -> None:
        """Leave processing instructions out."""

    def doctype(self, *_declared: Any) -> None:
        message = f"{self.what} declares a document type"
        raise MalformedPackage(message)

    def close(self) -> Element | None:
        return self.root


def parse_xml(data: bytes, what: str) -> Element:
    """Read a document and give its root; `what` names it in MalformedPackage."""
    from lxml import etree

    if len(data) > MAX_XML:
        message = f"{what} is larger than any real one ({len(data)} bytes)"
        raise MalformedPackage(message)
    parser = etree.XMLParser(
        target=_Builder(what),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError, AssertionError, TypeError, LookupError) as error:
        message = f"{what} is no well-formed XML: {str(error)[:200]}"
        raise MalformedPackage(message) from error
    if not isinstance(root, Element):
        message = f"{what} is no well-formed XML"
        raise MalformedPackage(message)
    return root
