"""An engine in a process of its own, which tests steer by lines and end as they like.

`python -m tests.engine.toy SITE EXECUTOR JOURNAL` reads commands from stdin and answers each with
one line. Its course has three steps; each writes a line to the journal when it begins and one when
it ends. The second step supervises a child that ends when the file `go` appears beside the journal.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from wimdock.engine.child import Children
from wimdock.engine.dbos import DbosEngine
from wimdock.engine.port import Relinquished, RunKey
from wimdock.site.opening import Place, open_site

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def write(journal: Path, *words: object) -> None:
    with journal.open("a") as stream:
        stream.write(" ".join(map(str, words)) + "\n")


def wait_for(journal: Path, executor: str) -> None:
    """Be the child: say one's process ID and wait for the file."""
    write(journal, executor, "child", os.getpid())
    while not (journal.parent / "go").exists():
        time.sleep(0.02)


class ToyCourse:
    """Three steps; the token is the number of executors that began so far."""

    steps = ("one", "two", "three")

    def __init__(self, executor: str, journal: Path) -> None:
        """Write into a journal in the name of an executor."""
        self._executor = executor
        self._journal = journal
        self._children = Children()

    def _begun(self, key: RunKey) -> int:
        return sum(f"begin {key}" in line for line in self._journal.read_text().splitlines())

    async def begin(self, key: RunKey) -> int | None:
        write(self._journal, self._executor, "begin", key)
        return self._begun(key)

    async def step(self, key: RunKey, token: int, name: str) -> bool:
        write(self._journal, self._executor, "enter", key, name)
        if name == "two":
            ending = await self._children.call(wait_for, self._journal, self._executor)
            assert ending.succeeded
        if token != self._begun(key):
            write(self._journal, self._executor, "fenced", key, name)
            raise Relinquished
        write(self._journal, self._executor, "leave", key, name)
        return True

    async def halted(self, key: RunKey, token: int) -> None:
        write(self._journal, self._executor, "halted", key, token)

    def ended(self, key: RunKey) -> None:
        pass


class Toy:
    """The process, seen from the test."""

    def __init__(self, site: Path, executor: str, journal: Path) -> None:
        """Start it and wait until its engine is open."""
        self.executor = executor
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.toy", str(site), executor, str(journal)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.heard() == "open"

    def heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, *words: object) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.heard()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def main() -> None:
    folder, executor, journal = sys.argv[1:]
    site = open_site(Place(Path(folder)))
    engine = DbosEngine(site)
    engine.open(executor, ToyCourse(executor, Path(journal)))
    print("open", flush=True)  # noqa: T201
    for line in sys.stdin:
        verb, *words = line.split()
        key = RunKey.parse(words[0]) if words else None
        answer: object = ""
        if verb == "start" and key:
            answer = engine.start(key)
        elif verb == "cancel" and key:
            engine.cancel(key)
        elif verb == "take_over":
            answer = " ".join(map(str, engine.take_over(words[0])))
        elif verb == "running":
            answer = " ".join(map(str, sorted(engine.running())))
        elif verb == "drain":
            answer = engine.drain(float(words[0]))
        elif verb == "close":
            engine.close()
        print(answer, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
