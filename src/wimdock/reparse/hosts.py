"""Windows builds: the hosts that service images and the systems inside them.

A build is three numbers. The names are those people use for it: the server and the client that
share a build are told apart by the name only.
"""

from __future__ import annotations

from typing import NamedTuple

from wimdock.errors import UsageError


class Build(NamedTuple):
    """A build of Windows such as 10.0.14393; newer ones are greater."""

    major: int
    minor: int
    number: int

    def __str__(self) -> str:
        """Give the three numbers with dots."""
        return f"{self.major}.{self.minor}.{self.number}"

    @property
    def name(self) -> str:
        """Its best known name, or that of the newest named build it follows, or the numbers."""
        for build, names in reversed(NAMES.items()):
            if build == self:
                return names[0]
            if build < self and (build.major, build.minor) == (self.major, self.minor):
                return f"{names[0]} or later ({self})"
        return str(self)

    @classmethod
    def parse(cls, text: str) -> Build:
        """Read "10.0.14393", "14393" or a name such as "Server 2016" or "2012 R2".

        Raises UsageError where it is none of them.
        """
        words = text.strip().lower().removeprefix("windows").strip()
        if words in _BY_NAME:
            return _BY_NAME[words]
        numbers = words.split(".")
        if all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers):  # noqa: PLR2004
            if len(numbers) == 1:
                return cls._of_number(int(words), text)
            if len(numbers) in (3, 4):
                return cls(int(numbers[0]), int(numbers[1]), int(numbers[2]))
        raise _no_build(text)

    @classmethod
    def _of_number(cls, number: int, text: str) -> Build:
        for build in NAMES:
            if build.number == number:
                return build
        if number > WINDOWS_10.number:
            return cls(10, 0, number)
        raise _no_build(text)


def _no_build(text: str) -> UsageError:
    message = f"{text!r} is no build of Windows"
    return UsageError(message, hint="Write it like 10.0.14393, 14393 or 'Server 2016'.")


WINDOWS_2000 = Build(5, 0, 2195)
SERVER_2003 = Build(5, 2, 3790)
VISTA = Build(6, 0, 6000)
SERVER_2008 = Build(6, 0, 6001)
SERVER_2008_R2 = Build(6, 1, 7600)
SERVER_2012 = Build(6, 2, 9200)
SERVER_2012_R2 = Build(6, 3, 9600)
WINDOWS_10 = Build(10, 0, 10240)
SERVER_2016 = Build(10, 0, 14393)
WINDOWS_10_1709 = Build(10, 0, 16299)
WINDOWS_10_1803 = Build(10, 0, 17134)
SERVER_2019 = Build(10, 0, 17763)
WINDOWS_10_2004 = Build(10, 0, 19041)
SERVER_2022 = Build(10, 0, 20348)
SERVER_2025 = Build(10, 0, 26100)

NAMES: dict[Build, tuple[str, ...]] = {
    WINDOWS_2000: ("Windows 2000", "Server 2000"),
    Build(5, 1, 2600): ("Windows XP",),
    SERVER_2003: ("Server 2003", "Server 2003 R2"),
    VISTA: ("Windows Vista",),
    SERVER_2008: ("Server 2008",),
    SERVER_2008_R2: ("Server 2008 R2", "Windows 7"),
    Build(6, 1, 7601): ("Server 2008 R2 SP1", "Windows 7 SP1"),
    SERVER_2012: ("Server 2012", "Windows 8"),
    SERVER_2012_R2: ("Server 2012 R2", "Windows 8.1"),
    WINDOWS_10: ("Windows 10 1507",),
    Build(10, 0, 10586): ("Windows 10 1511",),
    SERVER_2016: ("Server 2016", "Windows 10 1607"),
    Build(10, 0, 15063): ("Windows 10 1703",),
    WINDOWS_10_1709: ("Windows 10 1709",),
    WINDOWS_10_1803: ("Windows 10 1803",),
    SERVER_2019: ("Server 2019", "Windows 10 1809"),
    Build(10, 0, 18362): ("Windows 10 1903",),
    Build(10, 0, 18363): ("Windows 10 1909",),
    WINDOWS_10_2004: ("Windows 10 2004",),
    Build(10, 0, 19042): ("Windows 10 20H2",),
    Build(10, 0, 19043): ("Windows 10 21H1",),
    Build(10, 0, 19044): ("Windows 10 21H2",),
    Build(10, 0, 19045): ("Windows 10 22H2",),
    SERVER_2022: ("Server 2022",),
    Build(10, 0, 22000): ("Windows 11 21H2",),
    Build(10, 0, 22621): ("Windows 11 22H2",),
    Build(10, 0, 22631): ("Windows 11 23H2",),
    SERVER_2025: ("Server 2025", "Windows 11 24H2"),
}
"""Every build with a name of its own, oldest first; a server's name comes before a client's."""


def _spoken() -> dict[str, Build]:
    """Give every name with and without its first word, as far as that leaves one meaning."""
    spoken: dict[str, Build] = {}
    for build, names in NAMES.items():
        for name in names:
            words = name.lower().removeprefix("windows").strip()
            spoken[words] = build
            spoken.setdefault(words.removeprefix("server").strip(), build)
    return spoken


_BY_NAME = _spoken()
