"""Who keeps an image file locked, where it is a mount: said by its folder and by how to end it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wimdock.errors import ImageBusy


@contextmanager
def naming_mount(image: Path) -> Iterator[None]:
    """Let an ImageBusy say in which folder the image is mounted, where that is why."""
    try:
        yield
    except ImageBusy as error:
        from wimdock.servicing.mounts.refusal import mounted_for_writing, typed

        mounted = mounted_for_writing(image)
        if mounted is not None:
            error.message += f", which has it mounted read/write in {mounted.directory}"
            command = f"wimdock unmount {typed(mounted.directory)}"
            error.hint = f"`{command} --commit` or --discard ends the mount."
        raise
