"""/Export-Image and /Split-Image: a new file, or a set of parts, written by wimlib-imagex."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wimdock.cli.dism.syntax import refuse_service

if TYPE_CHECKING:
    from wimdock.cli.dism.session import Session

_COMPRESSIONS = {"fast": "xpress", "max": "lzx", "none": "none", "recovery": ""}
_MEGABYTE = 1 << 20


def export_image(session: Session) -> None:
    """Write one image to a new file; a file that is there is not added to, but refused."""
    from wimdock.cli.dism.catalog import read_catalog
    from wimdock.servicing.wimlib import export

    line = session.line
    compression = None
    if line.has("Compress"):
        chosen = line.choice("Compress", tuple(_COMPRESSIONS), "max")
        compression = _COMPRESSIONS[chosen]
        if not compression:
            why = "solid files (.esd) are written by `wimlib-imagex export --solid`"
            refuse_service("/Compress:recovery", why)
    source, target = session.path("SourceImageFile"), session.path("DestinationImageFile")
    catalog = read_catalog(source)
    index = session.image_index(catalog, "SourceIndex", "SourceName")
    world = session.surroundings()
    session.screen.line("Exporting image")
    session.log.note("DISM WIM Provider", f"Exporting image {index} of {source} to {target}")
    export(
        source,
        target,
        world,
        index=index,
        compression=compression,
        check=True if line.has("CheckIntegrity") else None,
        name=line.text("DestinationName") or None,
    )
    session.screen.step_done()


def split_image(session: Session) -> None:
    """Write a file in parts of at most so many megabytes."""
    from wimdock.servicing.wimlib import split

    source, target = session.path("ImageFile"), session.path("SWMFile")
    size = (session.line.number("FileSize") or 0) * _MEGABYTE
    world = session.surroundings()
    session.screen.line("Splitting image")
    session.log.note("DISM WIM Provider", f"Splitting {source} to {target}")
    split(source, target, size, world)
    session.screen.step_done()
