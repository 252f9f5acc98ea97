"""What a verification can find: one code for each kind of fault, and the collector that keeps them.

Codes are stable: scripts may rely on them. `docs/reference/verify.md` lists them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]

# An error means that data is lost or that a reader may refuse the file, a warning that programs
# treat it differently, a note that it is worth knowing.
CODES: Mapping[str, tuple[Severity, str]] = {
    "write-in-progress": ("warning", "the header is marked as being written"),
    "blob-table-unreadable": ("error", "the blob table cannot be read"),
    "resource-outside-file": ("error", "a resource does not lie within the file"),
    "resource-overlap": ("error", "two resources lie over each other"),
    "resource-unreadable": ("error", "a resource cannot be read or decompressed"),
    "content-hash": ("error", "content does not have the SHA-1 recorded for it"),
    "metadata-hash": ("error", "the metadata of an image does not have its SHA-1"),
    "duplicate-content": ("warning", "the blob table lists the same SHA-1 twice"),
    "image-count": ("error", "header and blob table count images differently"),
    "boot-index": ("error", "the boot index or boot metadata in the header does not fit"),
    "xml-unreadable": ("error", "the XML cannot be read"),
    "xml-image-count": ("error", "header and XML count images differently"),
    "xml-names": ("warning", "the XML counts files or folders differently"),
    "xml-bytes": ("note", "the XML counts bytes differently"),
    "integrity-table-unreadable": ("error", "the integrity table cannot be read"),
    "integrity-chunk": ("error", "a part of the file does not match the integrity table"),
    "image-unreadable": ("error", "the metadata of an image cannot be read"),
    "hostile-name": ("error", "a name would lead out of its folder"),
    "duplicate-name": ("error", "two entries of a folder have exactly the same name"),
    "name-differs-by-case": ("warning", "two names in a folder differ by case only"),
    "security-id": ("error", "an entry refers to a security descriptor that is not there"),
    "missing-content": ("error", "an entry refers to content that the file does not have"),
    "damaged-content": ("error", "an entry refers to content that is damaged"),
    "folder-with-data": ("warning", "a folder has unnamed data"),
    "folder-with-empty-stream": ("warning", "a folder has an entry for an empty unnamed stream"),
    "reparse-in-stream-entry": ("warning", "a folder's reparse data is not in its main hash"),
    "reparse-data-too-long": ("error", "reparse data is longer than 16 KiB"),
    "reparse-without-tag": ("warning", "a reparse point has the tag 0"),
    "duplicate-stream": ("error", "two streams of an entry have the same name"),
    "file-with-children": ("warning", "an entry that is no folder has a list of children"),
    "hard-links-differ": ("warning", "names of one file differ in attributes or content"),
    "reference-count": ("warning", "content is referred to more or less often than recorded"),
    "unreferenced-content": ("note", "no image refers to this content"),
    "unused-space": ("note", "bytes between the resources belong to nothing"),
    "leftover-tail": ("note", "bytes lie behind the committed end of the file"),
}

# So many findings of one kind in one image, or in the file, are listed; more are only counted.
LISTED = 1000
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: how grave, its stable code, where, and in words."""

    severity: Severity
    code: str
    where: str
    text: str


class Collector:
    """Takes what is found, and lists at most `LISTED` findings of a kind for each scope.

    The scope, such as "image 2", goes before what a finding says of its place.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._found: list[Finding] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self.scope = ""

    def add(self, code: str, where: str | Callable[[], str] = "", text: str = "") -> None:
        """Keep a finding; `where` is worked out only when it is listed."""
        key = (self.scope, code)
        self._counts[key] += 1
        if self._counts[key] > LISTED:
            return
        severity, meaning = CODES[code]
        place = where if isinstance(where, str) else where()
        if len(place) > _LONGEST:
            place = "…" + place[-_LONGEST:]
        full = f"{self.scope}: {place}" if self.scope and place else self.scope or place
        self._found.append(Finding(severity, code, full, text or meaning))

    def findings(self) -> tuple[Finding, ...]:
        """Give all of them, the gravest first, each group in the order in which it was found."""
        found = list(self._found)
        for (scope, code), count in self._counts.items():
            if count > LISTED:
                severity, meaning = CODES[code]
                text = f"{meaning}: {count - LISTED:,} more of these"
                found.append(Finding(severity, code, scope, text))
        order = ("error", "warning", "note")
        return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))
