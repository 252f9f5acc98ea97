"""One transaction that puts the files of a folder into an image: bench.transaction IMAGE FOLDER.

It does what `wimlib-imagex update` does with "add FOLDER /Windows/Bench", and is timed as a whole.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wimdock.paths import ImagePath
from wimdock.wim.editor import FileFacts
from wimdock.wim.transaction import Transaction

_ARCHIVE = 0x20
_EPOCH = 116_444_736_000_000_000  # 1970 in FILETIME


def put_files(image: Path, folder: Path) -> int:
    """Put every file of a folder into the first image; give how many bytes were appended."""
    files = sorted(folder.iterdir())
    with Transaction.begin(image) as transaction:
        with transaction.edit(1) as editor:
            for file, content in zip(files, transaction.add(files), strict=True):
                written = _EPOCH + file.stat().st_mtime_ns // 100
                facts = FileFacts(_ARCHIVE, written, written, written)
                editor.put_file(ImagePath(("Windows", "Bench", file.name)), facts, content.sha1)
        return transaction.commit("bench").added


if __name__ == "__main__":
    put_files(Path(sys.argv[1]), Path(sys.argv[2]))
