"""The recordings of a site: real packages on the lab's image, on SQLite and on PostgreSQL.

They need the shared test data, the lab and a PostgreSQL server, as the tests do. With PostgreSQL
two workers execute the runs, processes of their own beside the terminal.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scripts.recording import Commands, record, write
from tests.conftest import shared_data_folder
from tests.lab.lab import Lab
from tests.site.postgres import PostgresServer, programs

_IMAGE, _SECOND = "golden.wim", "kiosk.wim"
_CLIENT, _SERVER = "OpenSSH-Client-19041.cab", "OpenSSH-Server-19041.cab"

_Environment = dict[str, str]


def one_machine() -> tuple[Commands, Commands]:
    """Give what is done before the service starts, and after it."""
    before = ((("site", "init", "site", "--code", "CAS"), 0),)
    after = (
        (("image", "add", _IMAGE), 0),
        (("update", "import", "updates"), 0),
        (("update", "applicability", "CAS00001"), 0),
        (("schedule", "add", "--image", "CAS00001", "--update", "all", "--run-now"), 0),
        (("run", "watch", "1"), 0),
        (("run", "show", "1"), 0),
        (("run", "log", "1"), 0),
        (("image", "history", "CAS00001"), 0),
        (("status", "list"), 0),
        (("doctor", "site/logs"), 0),
        (("image", "rollback", "CAS00001"), 0),
        (("site", "status"), 0),
    )
    return before, after


def many_machines(url: str) -> tuple[Commands, Commands]:
    """Give what is done before the workers start, and after it."""
    images = ("--image", "CAS00001", "--image", "CAS00002")
    before = ((("site", "init", "site", "--code", "CAS", "--database", url), 0),)
    after = (
        (("worker", "list"), 0),
        (("image", "add", _IMAGE, _SECOND), 0),
        (("update", "import", "updates"), 0),
        (("schedule", "add", *images, "--update", "all", "--run-now"), 0),
        (("run", "watch", "1", "2"), 0),
        (("run", "list"), 0),
        (("run", "log", "2"), 0),
        (("image", "history", "CAS00002"), 0),
        (("status", "list"), 0),
        (("doctor", "site/logs"), 0),
        (("site", "status"), 0),
    )
    return before, after


def prepare(folder: Path) -> None:
    """Put two images of the lab and two real packages into a folder."""
    data = shared_data_folder()
    if data is None:
        message = "the recording needs the shared test data: set WIMDOCK_TEST_DATA"
        raise RuntimeError(message)
    packages = data / "packages"
    lab = Lab(folder / "shelf", (packages / "manifest-dictionary.bin").read_bytes())
    for name in (_IMAGE, _SECOND):
        lab.copy("lzx", folder).rename(folder / name)
    shutil.rmtree(folder / "shelf")
    (folder / "updates").mkdir()
    for name in (_CLIENT, _SERVER):
        shutil.copy(packages / name, folder / "updates")


@contextmanager
def server() -> Iterator[str]:
    """Start a PostgreSQL server on loopback and give the URL of a database."""
    binaries = programs()
    if binaries is None:
        message = "the recording needs a PostgreSQL server"
        raise RuntimeError(message)
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        made = PostgresServer(Path(name, "server"), binaries)
        made.start()
        try:
            yield made.new_database()
        finally:
            made.stop()


@contextmanager
def at_work(environment: _Environment, *words: str) -> Iterator[None]:
    """Run a command beside the terminal until the block ends; its first words say it is ready."""
    command = (sys.executable, "-m", "wimdock", *words)
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=said, env=os.environ | environment
        )
        try:
            while not os.fstat(said.fileno()).st_size and process.poll() is None:
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait()


def record_site(
    name: str, title: str, commands: tuple[Commands, Commands], *others: tuple[str, ...]
) -> None:
    """Record the commands before and after `others` begin to work beside the terminal."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        prepare(Path(folder))
        environment = {"WIMDOCK_SITE": f"{folder}/site"}
        before, after = commands
        events, shown = record(folder, before, environment)
        for words in others:
            stack.enter_context(at_work(environment, *words))
        more, shown_after = record(folder, after, environment)
        start = events[-1][0]
        events += [(start + at, text) for at, text in more]
    write(name, title, events, shown + shown_after)


def main() -> None:
    """Make both."""
    record_site("site", "wimdock: a site on one machine", one_machine(), ("serve",))
    with server() as url:
        commands = many_machines(url)
        title = "wimdock: a site with two workers"
        record_site("site-postgresql", title, commands, ("worker",), ("worker",))


if __name__ == "__main__":
    main()
