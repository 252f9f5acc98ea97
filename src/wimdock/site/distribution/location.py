"""Where a distribution point is, and by what name a file lies there.

A folder point is a folder of this machine, most often a mount: `/srv/images`. An object store is
`s3://bucket/prefix`, with the address of its server where it is not Amazon's own. At either, an
image package is one file: `<package ID>/<file name>`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wimdock.errors import UsageError
from wimdock.site.models import PointKind

_S3 = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY = re.compile(r"[A-Za-z0-9!_.*'()/-]*")
_LONGEST_KEY = 700
_LONGEST_NAME = 120
_PACKAGE = re.compile(r"[A-Z0-9]{3}[0-9A-F]{5}")
_UNSAFE = re.compile(r"[^\w .()+-]")
# Names that Windows gives to devices, whatever follows their first dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Location:
    """The place of a point: `text` as it is kept; `bucket` and `prefix` of an object store."""

    kind: PointKind
    text: str
    endpoint: str = ""
    region: str = ""
    bucket: str = ""
    prefix: str = ""

    @property
    def folder(self) -> Path:
        """The folder of a folder point."""
        return Path(self.text)


def parse_location(text: str, endpoint: str = "", region: str = "") -> Location:
    """Give the location that somebody wrote; UsageError for what can be none."""
    if text.startswith(_S3):
        return _object_store(text, endpoint, region)
    if endpoint or region:
        message = f"{text!r} is a folder, which has no endpoint and no region"
        raise UsageError(message, hint="An object store is written as s3://BUCKET/PREFIX.")
    if "://" in text or text.startswith("\\\\"):
        message = f"{text!r} is neither a folder nor an object store"
        hint = "Mount the share and name the folder, or write s3://BUCKET/PREFIX."
        raise UsageError(message, hint=hint)
    if not text or not text.isprintable():
        message = f"{text!r} is no folder"
        raise UsageError(message)
    return Location(PointKind.FOLDER, os.path.normpath(Path(text).absolute()))


def _object_store(text: str, endpoint: str, region: str) -> Location:
    bucket, _, prefix = text.removeprefix(_S3).partition("/")
    prefix = prefix.strip("/")
    if not _BUCKET.fullmatch(bucket):
        message = f"{bucket!r} is no name of a bucket"
        raise UsageError(message, hint="Write the location as s3://BUCKET/PREFIX.")
    parts = prefix.split("/")
    if len(prefix) > _LONGEST_KEY or not _KEY.fullmatch(prefix) or {".", ".."} & set(parts):
        message = f"{prefix!r} is no prefix that every object store and program takes"
        raise UsageError(message, hint="Use letters, digits and - _ . / in it.")
    whole = f"{_S3}{bucket}/{prefix}".rstrip("/")
    return Location(PointKind.S3, whole, _server(endpoint), region, bucket, prefix)


def _server(endpoint: str) -> str:
    if not endpoint:
        return ""
    try:
        parts = urlsplit(endpoint)
        wrong = parts.scheme not in {"http", "https"} or not parts.hostname
        wrong = wrong or bool(parts.query or parts.fragment)
        secret = parts.username is not None or parts.password is not None
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        wrong, secret = True, False
    if secret:
        message = "the endpoint holds a name or a password"
        raise UsageError(message, hint="Credentials come from the environment; none is kept.")
    if wrong:
        message = f"{endpoint!r} is no endpoint"
        raise UsageError(message, hint="Write it as https://HOST or https://HOST:PORT.")
    return endpoint.rstrip("/")


def name_at_point(package_id: str, file: str) -> str:
    """Give the name of an image package's file at any point: `CAS00001/install.wim`.

    Whatever a share, an object store or Windows could take for more than a name becomes `_`; the
    folder is the package's own, so that no two names meet. ValueError for what is no package ID.
    """
    if not _PACKAGE.fullmatch(package_id):
        message = f"{package_id!r} is no package ID"
        raise ValueError(message)
    name = _UNSAFE.sub("_", Path(file).name).strip(" ")
    if name.startswith(".") or _DEVICE.fullmatch(name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if len(name.encode()) > _LONGEST_NAME:
        while len(stem.encode()) > _LONGEST_NAME // 2:
            stem = stem[:-1]
        name = f"{stem}{dot}{suffix[:10]}"
    return f"{package_id}/{name.rstrip('. ') or 'image'}"
