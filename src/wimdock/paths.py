r"""Paths inside a Windows image: backslashes, case-insensitive, always from the image's root."""

from __future__ import annotations

from wimdock.errors import UsageError
from wimdock.upcase import fold


class ImagePath:
    r"""A path such as `\Windows\System32`, equal to `\WINDOWS\system32`.

    Made from text with backslashes or slashes; a leading separator and empty parts do not count.
    `.` and `..`, NUL and the empty name never occur in it (UsageError).
    """

    __slots__ = ("key", "parts")

    parts: tuple[str, ...]
    key: tuple[str, ...]

    def __init__(self, path: str | tuple[str, ...] = ()) -> None:
        """Take a text or ready parts."""
        if isinstance(path, str):
            parts = tuple(part for part in path.replace("/", "\\").split("\\") if part)
        else:
            parts = path
        for part in parts:
            if part in ("", ".", "..") or "\0" in part or "\\" in part or "/" in part:
                message = f"{path!r} is no path inside an image"
                raise UsageError(message, hint=r"Write it like \Windows\System32.")
        self.parts = parts
        self.key = tuple(fold(part) for part in parts)

    @property
    def name(self) -> str:
        """The last part, or nothing for the root."""
        return self.parts[-1] if self.parts else ""

    @property
    def parent(self) -> ImagePath:
        """The folder that holds it; the root is its own."""
        path = ImagePath.__new__(ImagePath)
        path.parts = self.parts[:-1]
        path.key = self.key[:-1]
        return path

    def is_below(self, other: ImagePath) -> bool:
        """Tell whether it lies in `other`, at any depth, or is it."""
        return self.key[: len(other.key)] == other.key

    def child(self, name: str) -> ImagePath:
        """Join one name that is known to be one: the quick way down for a walk."""
        path = ImagePath.__new__(ImagePath)
        path.parts = (*self.parts, name)
        path.key = (*self.key, fold(name))
        return path

    def __truediv__(self, name: str | ImagePath) -> ImagePath:
        """Join a name or a path."""
        tail = name if isinstance(name, ImagePath) else ImagePath(name)
        path = ImagePath.__new__(ImagePath)
        path.parts = self.parts + tail.parts
        path.key = self.key + tail.key
        return path

    def __eq__(self, other: object) -> bool:
        """Compare without regard to case."""
        return isinstance(other, ImagePath) and self.key == other.key

    def __lt__(self, other: ImagePath) -> bool:
        """Order by folded parts."""
        return self.key < other.key

    def __hash__(self) -> int:
        """Hash the folded parts."""
        return hash(self.key)

    def __str__(self) -> str:
        r"""Give `\a\b`, or `\` for the root."""
        return "\\" + "\\".join(self.parts)

    def __repr__(self) -> str:
        """Give the text that makes it."""
        return f"ImagePath({str(self)!r})"
