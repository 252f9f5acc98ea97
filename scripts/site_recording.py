"""The recordings of a site: real packages on the lab's image, on SQLite and on PostgreSQL.

They need the shared test data, the lab and a PostgreSQL server, as the tests do. With PostgreSQL
two workers execute the runs, processes of their own beside the terminal.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scripts.recording import Commands, record, write
from tests.conftest import shared_data_folder
from tests.lab.lab import Lab
from tests.site.postgres import PostgresServer, programs

_IMAGE, _SECOND = "golden.wim", "kiosk.wim"
_CLIENT, _SERVER = "OpenSSH-Client-19041.cab", "OpenSSH-Server-19041.cab"
_FIRST = 0x01000001

ONE_MACHINE: Commands = (
    (("site", "init", "site", "--code", "CAS"), 0),
    (("image", "add", _IMAGE), 0),
    (("update", "import", "updates"), 0),
    (("update", "applicability", "CAS00001"), 0),
    (("schedule", "add", "--image", "CAS00001", "--update", "all", "--run-now", "--wait"), 0),
    (("run", "watch", "1"), 0),
    (("run", "show", "1"), 0),
    (("image", "history", "CAS00001"), 0),
    (("status", "list"), 0),
    (("verify", _IMAGE, "--json"), 0),
    (("doctor", "site/logs"), 0),
    (("image", "rollback", "CAS00001"), 0),
    (("site", "status"), 0),
)


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
        (("image", "history", "CAS00002"), 0),
        (("status", "list"), 0),
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


def record_one_machine() -> None:
    """Record a site on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        events, shown = record(folder, ONE_MACHINE, {"WIMDOCK_SITE": f"{folder}/site"})
    write("site", "wimdock: a site on one machine", events, shown)


def record_many_machines() -> None:
    """Record a site on PostgreSQL, with two workers."""
    with tempfile.TemporaryDirectory() as folder, server() as url, ExitStack() as stack:
        prepare(Path(folder))
        before, after = many_machines(url)
        environment = {"WIMDOCK_SITE": f"{folder}/site"}
        events, shown = record(folder, before, environment)
        for _ in range(2):
            words = (sys.executable, "-m", "wimdock", "worker", "--site", f"{folder}/site")
            worker = subprocess.Popen(
                words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            stack.callback(worker.wait)
            stack.callback(worker.terminate)
            stack.enter_context(worker)
            if worker.stderr is not None:
                worker.stderr.readline()  # it says when it is ready
        at = events[-1][0]
        more, shown_after = record(folder, after, environment)
        events += [(at + each, text) for each, text in more]
    write("site-postgresql", "wimdock: a site with two workers", events, shown + shown_after)


def main() -> None:
    """Make both."""
    record_one_machine()
    record_many_machines()


if __name__ == "__main__":
    main()
