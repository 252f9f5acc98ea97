"""Servicing: updates put into the images of one file, in one transaction.

Everything is read, verified, judged and planned first, against the images as the updates before
leave them; then one transaction writes. What can be known to fail fails before the file is touched.
Idempotent by package ID: an update that is installed already is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from wimdock.errors import UsageError
from wimdock.files import real_path, refuse_special
from wimdock.servicing.options import (
    ServiceOptions,
    Surroundings,
    read_dictionary,
    surroundings,
)
from wimdock.servicing.outcome import ServiceReport
from wimdock.servicing.replacement import remove_leftovers, serviced_copy
from wimdock.servicing.run import Run
from wimdock.servicing.workspace import open_workspace
from wimdock.wim import Archive
from wimdock.wim.transaction import Transaction

__all__ = ["ServiceOptions", "Surroundings", "read_dictionary", "service", "surroundings"]


def service(
    image: Path,
    updates: Sequence[Path],
    options: ServiceOptions,
    world: Surroundings | None = None,
) -> ServiceReport:
    """Put updates into an image file, in the order given; one named twice counts once.

    All chosen images are changed or none, unless `continue_on_error`: then an update that fails or
    is not applicable is left out of the image, and the others go on. Raises what stops the run;
    the file is then as it was.
    """
    world = world or surroundings()
    if not updates:
        message = "no update was named"
        raise UsageError(message, hint="Name one or more: --update FILE.")
    image = real_path(image)
    for path in (image, *updates):
        refuse_special(path)
    with ExitStack() as stack:
        workspace = stack.enter_context(open_workspace(world.workspace))
        if options.dry_run:
            archive = stack.enter_context(Archive.open(image))
            return Run(archive, updates, options, world, workspace).plan().report(None)
        if options.on_copy:
            Archive.open(image).close()  # what is no image is not copied first
            copy = stack.enter_context(serviced_copy(image, world.disk, world.reporter))
            report = _write(copy.path, updates, options, world, workspace)
            if report.commit is not None:
                copy.keep()
            return replace(report, image=image, backup=copy.backup)
        return _write(image, updates, options, world, workspace)


def _write(
    image: Path,
    updates: Sequence[Path],
    options: ServiceOptions,
    world: Surroundings,
    workspace: Path,
) -> ServiceReport:
    with Transaction.begin(
        image, disk=world.disk, clock=world.clock, reporter=world.reporter
    ) as transaction:
        remove_leftovers(image)
        run = Run(transaction.archive, updates, options, world, workspace).plan()
        return run.report(run.write(transaction))
