"""Records commands on a terminal: an asciicast (version 2, as asciinema plays it) and a picture.

`scripts/docs --recording` makes them anew in docs/recordings, from real runs in folders of their
own: `scripts.failed_commit` and `scripts.site_recording` say what is run.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

RECORDINGS = Path(__file__).parent.parent / "docs" / "recordings"
_WIDTH, _HEIGHT = 100, 40
_PROMPT = "\x1b[1;32m$\x1b[0m "
_PAUSE = 1.0
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]|\r(?!\n)")

Commands = Sequence[tuple[tuple[str, ...], int]]
"""What is run, and the exit status that each must end with."""


def on_terminal(
    folder: str, arguments: tuple[str, ...], others: Mapping[str, str]
) -> tuple[list[tuple[float, str]], int]:
    """Run wimdock on a terminal of its own; give its output, piece by piece, and its status.

    `others` are added to the environment.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _HEIGHT, _WIDTH, 0, 0))
    environment = os.environ | {
        "TERM": "xterm-256color",
        "WIMDOCK_STATE": f"{folder}/state",
        "COLUMNS": str(_WIDTH),
        **others,
    }
    began = time.monotonic()
    process = subprocess.Popen(
        (sys.executable, "-m", "wimdock", *arguments),
        cwd=folder,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
    )
    os.close(slave)
    pieces: list[tuple[float, str]] = []
    decoder = io.IncrementalNewlineDecoder(None, translate=False)
    while True:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                data = os.read(master, 1 << 16)
            except OSError:  # the other end is closed
                break
            text = data.decode("utf-8", "replace").replace(folder, "/srv/demo")
            pieces.append((time.monotonic() - began, str(decoder.decode(text))))
        elif process.poll() is not None:
            break
    os.close(master)
    return pieces, process.wait()


def record(
    folder: str, commands: Commands, environment: Mapping[str, str] | None = None
) -> tuple[list[tuple[float, str]], str]:
    """Run all commands; give the events of the cast, and all that was shown as text.

    The folder is shown as /srv/demo.
    """
    events: list[tuple[float, str]] = []
    shown: list[str] = []
    now = _PAUSE
    for arguments, expected in commands:
        typed = f"{_PROMPT}{shlex.join(('wimdock', *arguments))}\r\n".replace(folder, "/srv/demo")
        events.append((now, typed))
        shown.append(typed)
        pieces, status = on_terminal(folder, arguments, environment or {})
        if status != expected:
            message = f"{arguments[0]} ended with {status}, not {expected}: {pieces}"
            raise RuntimeError(message)
        events += [(now + at, text) for at, text in pieces]
        shown += [text for _, text in pieces]
        now += (pieces[-1][0] if pieces else 0) + _PAUSE
        events.append((now, "\r\n"))
        shown.append("\r\n")
    return events, "".join(shown)


def picture(shown: str) -> str:
    """Draw what was shown as an SVG, without what a terminal overwrote."""
    lines = [line.rsplit("\r", 1)[-1] for line in shown.replace("\r\n", "\n").split("\n")]
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(_CONTROL.sub("", "\n".join(lines))))
    drawn = _FONT.sub("", console.export_svg(title="wimdock", unique_id="wimdock"))
    return drawn.replace("<text ", '<text xml:space="preserve" ')


def write(name: str, title: str, events: Sequence[tuple[float, str]], shown: str) -> None:
    """Write the cast and the picture."""
    head = {"version": 2, "width": _WIDTH, "height": _HEIGHT, "title": title}
    lines = [json.dumps(head), *(json.dumps([round(at, 3), "o", text]) for at, text in events)]
    RECORDINGS.mkdir(exist_ok=True)
    (RECORDINGS / f"{name}.cast").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (RECORDINGS / f"{name}.svg").write_text(picture(shown), encoding="utf-8")
    print(f"wrote {RECORDINGS.name}/{name}.cast and .svg")
