"""Servicing: updates put into the images of one file, in one transaction.

Everything is read, verified, judged and planned first, against the images as the updates before
leave them; then one transaction writes. What can be known to fail fails before the file is touched.
Idempotent by package ID: an update that is installed already is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path

from wimdock.errors import ImageBusy, UsageError
from wimdock.files import naming, real_path, refuse_special
from wimdock.servicing.busy import naming_mount
from wimdock.servicing.options import (
    ServiceOptions,
    Surroundings,
    read_dictionary,
    surroundings,
)
from wimdock.servicing.outcome import ServiceReport
from wimdock.servicing.replacement import remove_leftovers, serviced_copy
from wimdock.servicing.run import Run
from wimdock.servicing.space import need_folder
from wimdock.servicing.workspace import open_workspace
from wimdock.wim import Archive
from wimdock.wim.transaction import Transaction
from wimdock.wim.write_access import refuse_unwritable

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
    with naming(image), naming_mount(image), ExitStack() as stack:
        workspace = stack.enter_context(open_workspace(world.workspace))
        if options.dry_run:
            archive = stack.enter_context(Archive.open(image))
            return Run(archive, updates, options, world, workspace).plan().report(None)
        need_folder(image)
        if options.on_copy:
            copy = stack.enter_context(serviced_copy(image, world.disk))
            archive = stack.enter_context(Archive.open(image))
            refuse_unwritable(archive)
            run = Run(archive, updates, options, world, workspace).plan()
            if not run.brings_something:
                return run.report(None)
            with world.reporter.step("Copy the image file"):
                copy.make()
            with _transaction(copy.path, world) as transaction:
                if transaction.archive.raw_header != archive.raw_header:
                    message = f"{image} was changed by another program just now"
                    raise ImageBusy(message, hint="Run the command again.")
                commit = run.write(transaction)
            world.permit()
            copy.keep()
            return replace(run.report(commit), backup=copy.backup)
        with _transaction(image, world) as transaction:
            remove_leftovers(image)
            run = Run(transaction.archive, updates, options, world, workspace).plan()
            return run.report(run.write(transaction))


def _transaction(path: Path, world: Surroundings) -> AbstractContextManager[Transaction]:
    return Transaction.begin(path, disk=world.disk, clock=world.clock, reporter=world.reporter)
