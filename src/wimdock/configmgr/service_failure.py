"""Why an AdminService did not answer as it should: what went wrong below, in our errors' words.

Messages name the host and the class that was asked for, never a header, a token or a whole body.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from wimdock.configmgr.certificate import refused
from wimdock.errors import (
    AccessDenied,
    AdminServiceError,
    ServiceUnreachable,
    UnexpectedAnswer,
)

_REDIRECTS = range(300, 400)
_SERVER_FAULTS = range(500, 600)
_BAD_REQUEST = 400
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_BUSY = (429, 503)
_GATEWAYS = (502, 504)

_NAME_NOT_RESOLVED = 0x80072EE7
_TIMED_OUT = 0x80072EE2


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an exception and those it came from, each once."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def of_transport(  # noqa: PLR0911 - a table of cases
    error: Exception, host: str, port: int, timeout: float
) -> AdminServiceError:
    """Give our error for one that came before any answer."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return refused(cause, host)
            case ssl.SSLError():
                message = f"{host}, port {port}, does not speak TLS that is to be trusted"
                hint = "The AdminService speaks https with TLS 1.2 or later: check host and port."
                return UnexpectedAnswer(message, hint=hint)
            case socket.gaierror():
                message = f"there is no host {host}"
                hint = "Check the name, and that this machine's DNS knows it."
                return ServiceUnreachable(message, hint=hint, hresult=_NAME_NOT_RESOLVED)
            case ConnectionRefusedError():
                message = f"{host} refuses connections on port {port}"
                hint = "Check that this server hosts an SMS Provider, and that its service runs."
                return ServiceUnreachable(message, hint=hint)
            case TimeoutError():
                return timed_out(host, timeout)
            case ConnectionError():
                message = f"{host} closed the connection before it had answered"
                return ServiceUnreachable(message)
    if "timeout" in type(error).__name__.lower():
        return timed_out(host, timeout)
    if "protocol" in type(error).__name__.lower():
        message = f"what answers at {host} does not speak HTTP as it should"
        return UnexpectedAnswer(message)
    return ServiceUnreachable(f"{host}, port {port}, cannot be reached")


def timed_out(host: str, timeout: float) -> ServiceUnreachable:
    """Give the error for an answer that did not come in time."""
    message = f"{host} did not answer within {timeout:g} s"
    hint = "Check the network and the firewall between here and the provider, then try again."
    return ServiceUnreachable(message, hint=hint, hresult=_TIMED_OUT)


def of_status(  # noqa: PLR0911 - a table of cases
    status: int, headers: Mapping[str, str], *, host: str, asked: str, detail: str
) -> AdminServiceError:
    """Give our error for a status that is no success.

    `asked` is the class that was asked for, `detail` what the service says about it, or "".
    """
    said = f": {detail}" if detail else ""
    if status in _REDIRECTS:
        message = f"{host} sends elsewhere when asked for {asked} (status {status})"
        hint = "wimdock does not follow: give the address of the AdminService itself."
        return UnexpectedAnswer(message, hint=hint)
    if status == _UNAUTHORIZED:
        return AccessDenied(f"{host} does not accept the credentials", hint=_CREDENTIALS)
    if status == _FORBIDDEN:
        return AccessDenied(f"the account may not read {asked} at {host}{said}")
    if status == _NOT_FOUND:
        message = f"there is no {asked} at {host}{said}"
        hint = (
            "Check the address; the AdminService needs Configuration Manager 1810 or later, and "
            "the account a role at the site."
        )
        return UnexpectedAnswer(message, hint=hint)
    if status in _BUSY:
        return AdminServiceError(
            f"{host} is too busy to answer (status {status})", hint=_later(headers)
        )
    if status in _GATEWAYS:
        message = f"a gateway before {host} got no answer from it (status {status})"
        return ServiceUnreachable(message)
    if status in _SERVER_FAULTS:
        message = f"{host} failed when asked for {asked} (status {status}){said}"
        return AdminServiceError(message, hint="See adminservice.log on the provider.")
    message = f"{host} answered with status {status} when asked for {asked}{said}"
    if status == _BAD_REQUEST:
        return UnexpectedAnswer(message, hint="The site may be too old for this question.")
    return UnexpectedAnswer(message)


_CREDENTIALS = (
    "Check user and password, or get a new token; the account must be an administrative user of "
    "the site."
)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Give the seconds that Retry-After asks for, None where it asks for none or makes no sense."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:  # noqa: PLR2004 - years are enough
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - (now or datetime.now(UTC))).total_seconds(), 0.0)


def _later(headers: Mapping[str, str]) -> str:
    seconds = retry_after(headers)
    if seconds is None:
        return "Try again later."
    return f"Try again in {seconds:.0f} s, as the server asks."
