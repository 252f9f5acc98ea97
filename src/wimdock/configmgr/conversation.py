"""Questions to one server over HTTPS, and answers that are bounded in size and time.

Redirects are refused, no proxy and no `.netrc` of the environment is used, and whatever
authenticates is sent to this server only. A busy server is asked again, a few times. Answers are
taken as they are, never unpacked: nobody asked for packed ones, and a few bytes can hide gigabytes.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from wimdock import __version__
from wimdock.configmgr.authentication import Bearer, Credentials, Handshake, Negotiated, Secret
from wimdock.configmgr.certificate import trust
from wimdock.configmgr.service_failure import of_status, of_transport, retry_after, timed_out
from wimdock.errors import ServiceUnreachable, UnexpectedAnswer

if TYPE_CHECKING:
    import httpx

LARGEST_ANSWER = 32 << 20
"""So many bytes may one answer have."""

LONGEST_CONVERSATION = 900.0
"""So many seconds may all answers take together."""

_OK = 200
_UNAUTHORIZED = 401
_BUSY = (429, 503)
_ATTEMPTS = 3
_LONGEST_WAIT = 30.0
_USUAL_WAIT = 2.0
_MOST_LEGS = 5
_LONGEST_DETAIL = 200
_JSON = ("application/json", "text/json")


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer: its status, its headers, its body, and the certificate that vouched for it."""

    status: int
    headers: Mapping[str, str]
    challenges: list[str]
    body: bytes
    certificate: bytes | None


class Conversation:
    """A connection to one server; use it in a `with` block."""

    def __init__(
        self,
        host: str,
        port: int,
        credentials: Credentials,
        *,
        ca: Path | None,
        timeout: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is sent yet. `timeout` is the seconds that one answer may take."""
        import httpx

        self._host = host
        self._port = port
        self._credentials = credentials
        self._timeout = timeout
        self._sleep = sleep
        self._begun = time.monotonic()
        self._line: socket.socket | None = None
        self._client = httpx.Client(
            verify=trust(ca),
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            # NTLM authenticates a connection: there must be one only.
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            headers={
                "accept": "application/json",
                "accept-encoding": "identity",
                "user-agent": f"wimdock/{__version__}",
            },
        )

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._client.close()
        if self._line is not None:
            self._line.close()

    def ask(self, url: str, asked: str) -> object:
        """Give the JSON that the server answers with; `asked` names it in messages.

        Raises one of the classes below AdminServiceError for everything else.
        """
        if time.monotonic() - self._begun > LONGEST_CONVERSATION:
            minutes = LONGEST_CONVERSATION / 60
            message = f"{self._host} takes more than {minutes:g} min for all answers together"
            raise ServiceUnreachable(message)
        for attempt in range(1, _ATTEMPTS + 1):
            answer = self._authenticated(url)
            if answer.status not in _BUSY or attempt == _ATTEMPTS:
                break
            wanted = retry_after(answer.headers)
            wait = _USUAL_WAIT * attempt if wanted is None else wanted
            if wait > _LONGEST_WAIT:
                break
            self._sleep(wait)
        if answer.status != _OK:
            # Hidden before it is shortened: a part of a secret is one too.
            detail = " ".join(self._hidden(_detail(answer)).split())[:_LONGEST_DETAIL]
            raise of_status(
                answer.status, answer.headers, host=self._host, asked=asked, detail=detail
            )
        return self._content(answer, asked)

    def _authenticated(self, url: str) -> _Answer:
        """Send a question, and again with each answer to a challenge of the server."""
        if isinstance(self._credentials, Bearer):
            return self._send(url, f"Bearer {self._credentials.token.reveal()}")
        answer = self._send(url, None)
        if answer.status != _UNAUTHORIZED:
            return answer
        handshake = Handshake(self._credentials, self._host, answer.certificate)
        for _ in range(_MOST_LEGS):
            header = handshake.answer(answer.challenges)
            if header is None:
                return answer
            answer = self._send(url, header)
            if answer.status != _UNAUTHORIZED:
                return answer
        return answer

    def _send(self, url: str, authorization: str | None) -> _Answer:
        import httpx

        headers = {"authorization": authorization} if authorization else {}
        request = self._client.build_request(
            "GET", url, headers=headers, extensions={"trace": self._watch}
        )
        end = time.monotonic() + self._timeout
        try:
            with self._cut_off_late():
                response = self._client.send(request, stream=True)
                try:
                    return _Answer(
                        response.status_code,
                        {name.lower(): value for name, value in response.headers.items()},
                        response.headers.get_list("www-authenticate"),
                        self._body(response, end),
                        _certificate(response),
                    )
                finally:
                    response.close()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # The library's exception holds the request with its headers: it goes no further.
            if time.monotonic() > end:
                raise timed_out(self._host, self._timeout) from None
            raise of_transport(error, self._host, self._port, self._timeout) from None

    def _watch(self, event: str, facts: Mapping[str, Any]) -> None:
        """Keep hold of the connection below TLS; the library tells of each that it makes."""
        if event != "connection.start_tls.complete":
            return
        below = facts["return_value"].get_extra_info("socket")
        if self._line is not None:
            self._line.close()
        # A second handle on the same connection: the first one belongs to the library.
        self._line = socket.fromfd(below.fileno(), below.family, below.type)

    @contextmanager
    def _cut_off_late(self) -> Iterator[None]:
        """Cut the connection when the time is up.

        The library's time-outs begin anew with every byte that comes, even within a header.
        """
        timer = threading.Timer(self._timeout, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        if self._line is not None:
            with suppress(OSError):  # it ended by itself
                self._line.shutdown(socket.SHUT_RDWR)

    def _body(self, response: httpx.Response, end: float) -> bytes:
        packed = response.headers.get("content-encoding", "identity").strip().lower()
        if packed != "identity":
            message = f"{self._host} answers in a packed form that nobody asked for"
            raise UnexpectedAnswer(message)
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_raw():
            size += len(piece)
            if size > LARGEST_ANSWER:
                message = f"{self._host} answers with more than {LARGEST_ANSWER >> 20} MiB at once"
                raise UnexpectedAnswer(message)
            if time.monotonic() > end:
                raise timed_out(self._host, self._timeout)
            pieces.append(piece)
        if time.monotonic() > end:
            raise timed_out(self._host, self._timeout)
        return b"".join(pieces)

    def _content(self, answer: _Answer, asked: str) -> object:
        hint = "Check the address: https://PROVIDER/AdminService."
        if not _is_json(answer):
            kind = self._hidden(answer.headers.get("content-type", "nothing named"))[:60]
            message = f"{self._host} answers with {kind} instead of JSON when asked for {asked}"
            raise UnexpectedAnswer(message, hint=hint)
        try:
            return _parsed(answer)
        except (ValueError, RecursionError):
            # What cannot be read is in the error that is caught here, and may repeat a secret.
            message = (
                f"{self._host} answers with JSON that is broken or cut off when asked for {asked}"
            )
            raise UnexpectedAnswer(message, hint=hint) from None

    def _hidden(self, text: str) -> str:
        """Give a text of the server without our secret, should it repeat it."""
        secret: Secret | None
        match self._credentials:
            case Bearer(token=secret) | Negotiated(password=secret):
                return secret.hidden_in(text) if secret else text


def _certificate(response: httpx.Response) -> bytes | None:
    """Give the certificate that the server showed (DER), None where nothing tells it."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("ssl_object") if stream is not None else None
    # An ssl.SSLSocket, or what lies in one: its method takes no names.
    show = getattr(connection, "getpeercert", None)
    shown = show(True) if show is not None else None  # noqa: FBT003
    return shown if isinstance(shown, bytes) else None


def _is_json(answer: _Answer) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in _JSON or kind.endswith("+json")


def _parsed(answer: _Answer) -> object:
    return json.loads(answer.body.decode("utf-8-sig"))


def _detail(answer: _Answer) -> str:
    """Give what an OData error says of itself."""
    if not _is_json(answer):
        return ""
    try:
        content = _parsed(answer)
    except (ValueError, RecursionError):
        return ""
    error = content.get("error") if isinstance(content, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else ""
