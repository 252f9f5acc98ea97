"""The commands of wimdock, loaded when they are asked for: `wimdock --help` imports none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command lies, and what it does in a few words."""

    module: str
    attribute: str
    summary: str


COMMANDS: Mapping[str, Lazy] = {
    "inspect": Lazy(
        "wimdock.cli.inspect", "inspect", "Show what is inside an image file, without mounting it."
    ),
    "service": Lazy(
        "wimdock.cli.service", "service", "Put updates into the images of a file, in place."
    ),
    "verify": Lazy(
        "wimdock.cli.verify", "verify", "Check every hash and structure of an image file."
    ),
    "generations": Lazy(
        "wimdock.cli.generations",
        "generations",
        "List the committed states of an image file, oldest first.",
    ),
    "rollback": Lazy(
        "wimdock.cli.rollback",
        "rollback",
        "Write an older header back: the file is again what it was then.",
    ),
    "code": Lazy(
        "wimdock.cli.code", "code", "Say what error codes mean, however they are written."
    ),
    "doctor": Lazy(
        "wimdock.cli.doctor",
        "doctor",
        "Say what failed in the logs of servicing, why, and what to do about it.",
    ),
    "preflight": Lazy(
        "wimdock.cli.preflight",
        "preflight",
        "Say before a run what would stop it: host by host, check by check.",
    ),
    "rehearse": Lazy(
        "wimdock.cli.rehearse",
        "rehearse",
        "Play on a copy what Configuration Manager would do with an image on a given provider.",
    ),
    "mount": Lazy(
        "wimdock.cli.mount", "mount", "Mount an image in an empty folder, through wimlib and FUSE."
    ),
    "mounts": Lazy(
        "wimdock.cli.mounts",
        "mounts",
        "List the mounted images and what is left of mounts that are over.",
    ),
    "unmount": Lazy(
        "wimdock.cli.unmount",
        "unmount",
        "End a mount, with its changes put into the image file or given up.",
    ),
    "cleanup": Lazy(
        "wimdock.cli.cleanup",
        "cleanup",
        "Clear away what failed runs left in ConfigMgr_OfflineImageServicing.",
    ),
    "dism": Lazy(
        "wimdock.cli.dism.command",
        "dism",
        "Carry out a command line of DISM, with DISM's layout of output and its codes.",
    ),
    "site": Lazy(
        "wimdock.cli.site.group",
        "site",
        "Make a site, look at it, back it up and restore it.",
    ),
    "image": Lazy(
        "wimdock.cli.image.group",
        "image",
        "Register image files with a site, look at them, go back, export them.",
    ),
    "update": Lazy(
        "wimdock.cli.update.group",
        "update",
        "Import updates into the library of a site, list, judge and retire them.",
    ),
    "provider": Lazy(
        "wimdock.cli.provider",
        "provider",
        "Keep the hosts that service images, and judge each image package by them.",
    ),
    "schedule": Lazy(
        "wimdock.cli.schedule.group",
        "schedule",
        "Put updates into image packages at given times; say when, and what is done then.",
    ),
    "run": Lazy(
        "wimdock.cli.run.group", "run", "Look at the runs of a site, watch, cancel and retry them."
    ),
    "status": Lazy(
        "wimdock.cli.status.group",
        "status",
        "Look at the status messages of a site, and export them.",
    ),
    "worker": Lazy(
        "wimdock.cli.worker", "worker", "Execute runs, until told to end (SIGTERM, SIGINT)."
    ),
    "serve": Lazy(
        "wimdock.cli.serve",
        "serve",
        "Do all that a site needs done: schedules, runs, imports, distribution, notifications.",
    ),
    "distribution": Lazy(
        "wimdock.cli.distribution.group",
        "distribution",
        "Bring image packages to the places that serve them, and check what is there.",
    ),
    "notification": Lazy(
        "wimdock.cli.notification.group",
        "notification",
        "See who was told how runs ended, try it out, and try again.",
    ),
    "user": Lazy(
        "wimdock.cli.user.group",
        "user",
        "Add users and the tokens by which programs speak for them.",
    ),
    "demo": Lazy(
        "wimdock.cli.demo",
        "demo",
        "Make a small image and an update, service it, show before and after, and roll back.",
    ),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they run, not when they are listed."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy] | None = None, **kwargs: Any) -> None:
        """Take the commands besides what every group takes."""
        super().__init__(*args, **kwargs)
        self.lazy = COMMANDS if lazy is None else lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which they are meant to be met."""
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        lazy = self.lazy.get(cmd_name)
        if lazy is None:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(lazy.module), lazy.attribute)
        if not isinstance(command, click.Command):
            message = f"{lazy.module}:{lazy.attribute} is no command"
            raise TypeError(message)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        rows = [(name, lazy.summary) for name, lazy in self.lazy.items()]
        rows += [
            (name, command.get_short_help_str())
            for name in super().list_commands(ctx)
            if (command := super().get_command(ctx, name)) is not None
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Complete the name of a command without importing any."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=lazy.summary)
            for name, lazy in self.lazy.items()
            if name.startswith(incomplete)
        ]
        return found or super().shell_complete(ctx, incomplete)
