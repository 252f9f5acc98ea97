"""/Get-ImageInfo: the images of a file, or the details of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wimdock.cli.dism.layout import UNDEFINED, date_and_time

if TYPE_CHECKING:
    from wimdock.cli.dism.catalog import Catalog
    from wimdock.cli.dism.session import Session
    from wimdock.wim import ImageRecord

_ARCHITECTURES = {"amd64": "x64"}
_VERSION_PARTS = 3


def get_image_info(session: Session) -> None:
    """Show the images of a file, or with /Index or /Name all that its XML says of one."""
    from wimdock.cli.dism.catalog import read_catalog

    typed = session.line.text("ImageFile", "WimFile")
    catalog = read_catalog(session.drives.path(typed))
    session.log.note("DISM WIM Provider", f"Reading the images of {typed}")
    index = session.image_index(catalog)
    session.screen.line(f"Details for image : {typed}")
    session.screen.line()
    if index is not None:
        _show_details(session, catalog, catalog.records[index - 1])
        return
    for record in catalog.records:
        session.screen.fields(_head(record))
        session.screen.line()


def _head(record: ImageRecord) -> list[tuple[str, object]]:
    size = UNDEFINED if record.total_bytes is None else f"{record.total_bytes:,} bytes"
    return [
        ("Index", record.index),
        ("Name", record.name or UNDEFINED),
        ("Description", record.description or UNDEFINED),
        ("Size", size),
    ]


def _show_details(session: Session, catalog: Catalog, record: ImageRecord) -> None:
    def said(path: str) -> str:
        return catalog.xml.text(record.index, path) or UNDEFINED

    def number(value: int | None) -> object:
        return UNDEFINED if value is None else value

    version = ".".join(str(part) for part in record.version[:_VERSION_PARTS])
    build = record.version[_VERSION_PARTS] if len(record.version) > _VERSION_PARTS else None
    bootable = catalog.xml.text(record.index, "WIMBOOT") == "1"
    rows = [
        *_head(record),
        ("WIM Bootable", "Yes" if bootable else "No"),
        ("Architecture", _ARCHITECTURES.get(record.architecture, record.architecture or UNDEFINED)),
        ("Hal", said("WINDOWS/HAL")),
        ("Version", version or UNDEFINED),
        ("ServicePack Build", number(build)),
        ("ServicePack Level", number(record.service_pack_level)),
        ("Edition", record.edition_id or UNDEFINED),
        ("Installation", record.installation_type or UNDEFINED),
        ("ProductType", said("WINDOWS/PRODUCTTYPE")),
        ("ProductSuite", said("WINDOWS/PRODUCTSUITE")),
        ("System Root", record.system_root or UNDEFINED),
        ("Directories", number(record.directory_count)),
        ("Files", number(record.file_count)),
        ("Created", date_and_time(record.created)),
        ("Modified", date_and_time(record.modified)),
    ]
    session.screen.fields(rows)
    session.screen.line("Languages :" + ("" if record.languages else f" {UNDEFINED}"))
    for language in record.languages:
        default = " (Default)" if language == record.default_language else ""
        session.screen.line(f"        {language}{default}")
    session.screen.line()
