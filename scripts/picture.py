"""Takes the picture of a real run that the README shows: docs/picture.svg.

`scripts/docs --picture` makes it anew; it is no reference and not tested, since times differ.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "picture.svg"
# The picture asks nobody for fonts.
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def run(folder: str, *arguments: str) -> str:
    """Run wimdock in a folder and give what it prints; raise CalledProcessError where it fails."""
    ended = subprocess.run(
        (sys.executable, "-m", "wimdock", *arguments),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return ended.stdout


def take(*commands: tuple[str, ...]) -> str:
    """Run commands in the folder of a demo and give them, with their output, as an SVG."""
    with tempfile.TemporaryDirectory() as folder:
        run(folder, "demo", ".")
        runs = [(" ".join(("$ wimdock", *each)), run(folder, *each)) for each in commands]
    width = max(len(line) for typed, output in runs for line in (typed, *output.splitlines()))
    console = Console(record=True, width=width, file=io.StringIO())
    for typed, output in runs:
        console.print(Text(typed, style="bold green"))
        console.print(Text(output))
    picture = _FONT.sub("", console.export_svg(title="wimdock", unique_id="wimdock"))
    # Some programs drop spaces at the beginning of a line, no-break ones too, unless told not to.
    return picture.replace("<text ", '<text xml:space="preserve" ')


if __name__ == "__main__":
    picture = take(
        ("service", "demo.wim", "--update", "demo-update.cab", "--allow-unsigned"),
        ("generations", "demo.wim"),
        ("rollback", "demo.wim"),
    )
    PICTURE.write_text(picture, encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")
