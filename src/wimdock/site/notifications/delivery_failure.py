"""Why a notification could not be sent, in our words.

Messages name the host only: the address of a webhook often is a secret, and what a server says may
repeat one.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta

from wimdock.errors import NotificationError

_EXPIRED = 10
_NOT_YET_VALID = 9
_WRONG_NAMES = (62, 64)  # host name, address


class NotSent(NotificationError):
    """A notification that could not be sent; `asked` is how long the receiver asks to wait."""

    def __init__(
        self, message: str, *, hint: str | None = None, asked: timedelta | None = None
    ) -> None:
        """Keep the words, and for how long to wait."""
        super().__init__(message, hint=hint)
        self.asked = asked


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an exception and those it came from, each once."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def timed_out(host: str, seconds: float) -> NotSent:
    """Give the error for an answer that did not come in time."""
    hint = "Check the network and the firewall between here and there."
    return NotSent(f"{host} did not answer within {seconds:g} s", hint=hint)


def of_transport(  # noqa: PLR0911 - a table of cases
    error: BaseException, host: str, port: int, seconds: float
) -> NotSent:
    """Give our error for one that came before any answer, `seconds` being the limit of the time."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return _refused(cause, host)
            case ssl.SSLError():
                message = f"{host}, port {port}, does not speak TLS that is to be trusted"
                return NotSent(message, hint="Check the port, and that it speaks TLS 1.2 or later.")
            case socket.gaierror():
                hint = "Check the name, and that this machine's DNS knows it."
                return NotSent(f"there is no host {host}", hint=hint)
            case ConnectionRefusedError():
                hint = "Check the port, and that the service runs there."
                return NotSent(f"{host} refuses connections on port {port}", hint=hint)
            case TimeoutError():
                return timed_out(host, seconds)
            case ConnectionError():
                return NotSent(f"{host} closed the connection before it had answered")
    if "timeout" in type(error).__name__.lower():
        return timed_out(host, seconds)
    return NotSent(f"{host}, port {port}, cannot be reached or does not answer as it should")


def _refused(error: ssl.SSLCertVerificationError, host: str) -> NotSent:
    if error.verify_code == _EXPIRED:
        return NotSent(f"the certificate of {host} has expired", hint="Renew it there.")
    if error.verify_code == _NOT_YET_VALID:
        message = f"the certificate of {host} is not valid yet"
        return NotSent(message, hint="Check the clocks of both machines.")
    if error.verify_code in _WRONG_NAMES:
        message = f"the certificate that was shown is for another name than {host}"
        return NotSent(message, hint="Name the host in the settings as its certificate does.")
    message = f"the certificate of {host} is not signed by an authority that is trusted here"
    hint = "Add the authority to those that this machine trusts: docs/guide/notifications.md."
    return NotSent(message, hint=hint)
