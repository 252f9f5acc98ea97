"""An SMTP server on loopback that receives mail, well or badly, with TLS in either way."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "wimdock", "correct-horse-battery"


@dataclass
class Mailbox:
    """What came: the mails, and who was named as sender and recipients outside them."""

    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    answer: str = "250 taken"
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        """Refuse some recipients."""
        if address in self.refused:
            return f"550 no {address} here, {PASSWORD}"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail."""
        del session
        if self.answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self.envelopes.append((envelope.mail_from or "", envelope.rcpt_tos))
            transport = server.transport
            assert transport is not None
            self.encrypted.append(transport.get_extra_info("ssl_object") is not None)
        return self.answer

    def authenticate(
        self, _server: object, _session: object, _envelope: object, mechanism: str, data: object
    ) -> AuthResult:
        """Know one user."""
        assert isinstance(data, LoginPassword)
        self.logins.append(mechanism)
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


@contextmanager
def mail_server(
    security: str,
    authority: trustme.CA,
    names: tuple[str, ...] = ("localhost", "127.0.0.1"),
    *,
    login: bool = False,
) -> Iterator[Mailbox]:
    """Run a server with TLS from the start ("tls"), on request ("starttls") or never ("none")."""
    box = Mailbox()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    options: dict[str, Any] = {}
    if login:
        options |= {
            "authenticator": box.authenticate,
            "auth_required": security == "starttls",
            "auth_require_tls": security == "starttls",
        }
    loop = asyncio.new_event_loop()

    def factory() -> SMTP:
        tls_context = context if security == "starttls" else None
        return SMTP(box, hostname="mail.test", tls_context=tls_context, loop=loop, **options)

    tls = context if security == "tls" else None
    server = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0, ssl=tls))
    box.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield box
    finally:

        def end() -> None:
            server.close()
            loop.stop()

        loop.call_soon_threadsafe(end)  # a loop and its servers are of their thread alone
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()
