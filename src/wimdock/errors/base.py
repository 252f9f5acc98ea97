"""What every error that wimdock raises on purpose has."""

from __future__ import annotations


class WimdockError(Exception):
    """Something that wimdock refuses or fails to do, in words for the person who asked.

    `message` says what is wrong in one line, `hint` what to do about it in one line; `reasons`
    lists what is wrong where that is more than one thing.
    """

    exit_code = 1
    hresult: int | None = None
    default_hint = ""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        hresult: int | None = None,
        reasons: tuple[str, ...] = (),
    ) -> None:
        """Keep the message; `hint` and `hresult` override those of the class."""
        super().__init__(message)
        self.message = message
        self.reasons = reasons
        self.hint = self.default_hint if hint is None else hint
        if hresult is not None:
            self.hresult = hresult

    def __str__(self) -> str:
        """Give the message with its HRESULT, where Windows has one."""
        if self.hresult is None:
            return self.message
        return f"{self.message} (0x{self.hresult:08X})"
