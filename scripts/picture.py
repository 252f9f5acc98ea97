"""Takes the picture of a real run that the README shows: docs/picture.svg, of `wimdock demo`.

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
_COLUMNS = 108
# The picture asks nobody for fonts.
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def take(*arguments: str) -> str:
    """Run wimdock and give its output as an SVG; raise CalledProcessError where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            (sys.executable, "-m", "wimdock", *arguments),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        output = ended.stdout.replace(folder, "~")
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    console.print(Text("$ " + " ".join(("wimdock", *arguments)), style="bold green"))
    for line in output.splitlines():
        console.print(Text(line, style="" if line.startswith(" ") else "bold"), soft_wrap=True)
    return _FONT.sub("", console.export_svg(title="wimdock", unique_id="wimdock"))


if __name__ == "__main__":
    PICTURE.write_text(take("demo"), encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")
