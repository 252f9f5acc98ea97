"""A PostgreSQL server of the tests' own, on loopback, with a database for each who asks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import uuid
from pathlib import Path

_ACCOUNT = "postgres"


def programs() -> Path | None:
    """Give the folder of the server's programs, None where there is no server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else None


class PostgresServer:
    """A server in a folder. PostgreSQL refuses to run as root: it gets its own account then."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        """Make the cluster; `folder` must be reachable by everybody."""
        self._folder = folder
        self._binaries = binaries
        self.port = _free_port()
        folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(folder, _ACCOUNT, _ACCOUNT)
        options = ("--auth=trust", "--username=wimdock", "--encoding=UTF8", "--no-sync")
        self._run("initdb", "-D", str(folder / "data"), *options)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        words = f"-h 127.0.0.1 -p {self.port} -k '' -c max_connections=200"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", log, "-o", words, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: "immediate" is as if it had crashed."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", mode, "stop")

    def new_database(self) -> str:
        """Make a database and give its URL."""
        name = f"w{uuid.uuid4().hex[:12]}"
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "wimdock")
        self._run("createdb", *where, name)
        return f"postgresql://wimdock@127.0.0.1:{self.port}/{name}"

    def require_passwords(self, user: str) -> None:
        """Let a user in with the right password only, from now on."""
        rules = self._folder / "data" / "pg_hba.conf"
        line = f"host all {user} 127.0.0.1/32 scram-sha-256\n"
        rules.write_text(line + rules.read_text(encoding="utf-8"), encoding="utf-8")
        self._run("pg_ctl", "-D", str(self._folder / "data"), "reload")

    def _run(self, program: str, *words: str) -> None:
        account = ("setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--clear-groups")
        prefix = account if os.geteuid() == 0 else ()
        done = subprocess.run(
            (*prefix, str(self._binaries / program), *words),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            said = (done.stdout or b"").decode(errors="replace")
            message = f"{program} ended with {done.returncode}: {said}"
            raise RuntimeError(message)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
