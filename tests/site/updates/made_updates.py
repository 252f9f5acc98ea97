"""Updates of the library and images that are made of a few words, for judging and choosing."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from tests.lab.identity import TOKEN
from wimdock.cbs.identity import Identity
from wimdock.site.models import Image, UpdateRow
from wimdock.site.updates.stored import targets_of

MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
WINDOWS = f"Microsoft-Windows-Foundation-Package~{TOKEN}~amd64~~10.0.19041.1"


def package_id(name: str, version: str, *, arch: str = "amd64", language: str = "") -> str:
    """Give a package ID."""
    return f"{name}~{TOKEN}~{arch}~{language}~{version}"


def document(
    identity: str,
    *,
    parents: tuple[str, ...] = (WINDOWS,),
    children: tuple[str, ...] = (),
    root: bool = True,
    deep: bool = False,
    components: int = 1,
) -> dict[str, Any]:
    """Give the document of a package; its parents are asked for in this build."""
    parsed = Identity.parse_id(identity)
    return {
        "identity": identity,
        "name": parsed.name,
        "architecture": parsed.arch,
        "version": str(parsed.version),
        "language": "" if parsed.is_neutral else parsed.language,
        "release_type": "Update",
        "root": root,
        "deep": deep,
        "catalogued": True,
        "parents": [
            {
                "any_of": [parent],
                "version": "EQ",
                "build": "EQ",
                "revision": "GE",
                "disposition": "detect",
            }
            for parent in parents
        ],
        "updates": [{"packages": list(children), "components": components}],
    }


def update_row(number: int, *packages: dict[str, Any], **values: Any) -> UpdateRow:
    """Give a row of the library with these packages, the root first."""
    root = Identity.parse_id(packages[0]["identity"])
    roots = [each for each in packages if each["root"]]
    columns = {
        "id": number,
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "file_name": f"update-{number}.cab",
        "size": 1000 + number,
        "title": root.name,
        "identity": root.package_id,
        "family": root.package_family.lower(),
        "kb": "",
        "architecture": root.arch,
        "version": str(root.version),
        "language": "" if root.is_neutral else root.language,
        "classification": "Update",
        "stack": False,
        "targets": targets_of(roots),
        "roots": roots,
        "packages": list(packages),
        "catalogued": True,
        "verified": 1,
        "signer": "",
        "unsupported": [],
        "released_at": None,
        "imported_at": MADE_AT,
        "imported_by": "somebody",
        "source": f"/somewhere/update-{number}.cab",
        "retired_at": None,
    }
    return UpdateRow(**columns | values)


def image(*installed: str, architecture: str = "amd64", index: int = 1) -> Image:
    """Give an image that has these packages installed, and Windows."""
    return Image(
        package_id="CAS00001",
        index=index,
        name=f"Image {index}",
        description="",
        edition="Enterprise",
        version="10.0.19041.1",
        architecture=architecture,
        languages=["en-US"],
        size=1,
        packages=[{"id": each, "state": "installed"} for each in (WINDOWS, *installed)],
        reparse=[],
    )
