"""WIM files that wimlib-imagex made of a small tree, in every form that it writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.lab.tool import run

# What holds the tree's files; the long one fills several chunks and compresses badly in parts.
LONG = b"".join(number.to_bytes(3, "little") * (number % 7) for number in range(40_000))
FILES: Mapping[str, bytes] = {
    "hello.txt": b"hello, world\n",
    "empty.txt": b"",
    "long.bin": LONG,
    "Windows/System32/drivers/etc/hosts": b"127.0.0.1 localhost\n" * 50,
    "Windows/notepad.exe": bytes(range(256)) * 300,
    "Windows/ünïcode → naïve.txt": "ünïcode".encode(),
}
LINKS: Mapping[str, str] = {"Windows/link to hello.txt": "hello.txt", "third.txt": "hello.txt"}
SYMLINKS: Mapping[str, str] = {"symlink": "hello.txt", "Windows/folder link": "System32"}

FORMS: Mapping[str, tuple[str, ...]] = {
    "none": ("--compress=none",),
    "xpress": ("--compress=XPRESS",),
    "xpress-4k": ("--compress=XPRESS", "--chunk-size=4K"),
    "xpress-64k": ("--compress=XPRESS", "--chunk-size=64K"),
    "lzx": ("--compress=LZX",),
    "lzx-2m": ("--compress=LZX", "--chunk-size=2M"),
    "lzms": ("--compress=LZMS",),
    "lzms-1m": ("--compress=LZMS", "--chunk-size=1M"),
    "check": ("--compress=XPRESS", "--check"),
}


def make_tree(root: Path) -> Path:
    """Make the tree in a folder of the host; give the folder."""
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, target in LINKS.items():
        (root / name).hardlink_to(root / target)
    for name, target in SYMLINKS.items():
        (root / name).symlink_to(target)
    (root / "empty folder").mkdir()
    return root


def capture(tree: Path, image: Path, *options: str, images: int = 1) -> Path:
    """Capture the tree `images` times; give the image file."""
    run("wimlib-imagex", "capture", tree, image, "first", *options, "--threads=1")
    for number in range(2, images + 1):
        run("wimlib-imagex", "append", tree, image, f"image {number}", "--threads=1")
    return image
