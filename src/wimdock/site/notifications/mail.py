"""Sending mail through the SMTP server of the settings.

Certificates are always verified. A password is sent over TLS only. Nothing that a notice holds can
become a header or another recipient.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from wimdock.site.mail_address import address_of
from wimdock.site.notifications.delivery_failure import NotSent, of_transport, timed_out
from wimdock.site.notifications.mail_text import subject_of, text_of
from wimdock.site.settings import MailSettings, Target
from wimdock.site.time_limit import time_limit

MAIL_SECONDS = 60.0
"""So long may one mail take, from the connection to the server's last word."""

_SILENT_SECONDS = 15.0
"""So long may the server say nothing."""

_HINT = "See [mail] in the settings: docs/guide/notifications.md."


def write_mail(
    settings: MailSettings, target: Target, notice: Mapping[str, Any], now: datetime
) -> EmailMessage:
    """Write the mail; NotSent where sender or recipients are no addresses."""
    sender = address_of(settings.sender)
    recipients = [each for text in target.to if (each := address_of(text)) is not None]
    if sender is None or not recipients or len(recipients) != len(target.to):
        text = f"the sender or a recipient of {target.name} is no mail address"
        raise NotSent(text, hint=_HINT)
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["To"] = recipients
    message["Subject"] = subject_of(notice)
    message["Date"] = format_datetime(now)
    # The same in every try: mail systems show a message once that came twice.
    message["Message-ID"] = f"<{notice['id']}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text_of(notice), cte="quoted-printable")
    return message


def send_mail(
    settings: MailSettings, target: Target, message: EmailMessage, host: str, seconds: float
) -> str:
    """Send a mail; `host` is how this machine names itself.

    Gives "", or which recipients were refused while others got it: these are not tried again, since
    the others would get it twice. NotSent where nobody got it.
    """
    if not settings.host:
        text = "the settings name no mail server"
        raise NotSent(text, hint=_HINT)
    if settings.user and settings.security == "none":
        text = f"the password would go to {settings.host} without TLS"
        raise NotSent(text, hint='Set security to "starttls" or "tls", or leave out the user.')
    if not (settings.user + settings.password).isascii():
        text = f"user or password for {settings.host} has characters beyond ASCII"
        raise NotSent(text, hint="No log-in of SMTP can send them: use an account without any.")
    silent = min(_SILENT_SECONDS, seconds)
    client = _client(settings, host, silent)
    (sender,) = (each.addr_spec for each in message["From"].addresses)
    recipients = [each.addr_spec for each in message["To"].addresses]
    with time_limit(seconds, lambda: client.sock) as over:
        try:
            refused = _converse(client, settings, message, sender, recipients)
        except NotSent:
            raise
        except (smtplib.SMTPException, OSError, ValueError) as error:
            # What the server said may repeat what was sent to it: only its code goes further.
            if over.is_set():
                raise timed_out(settings.host, seconds) from None
            raise _of_smtp(error, settings, target, silent) from None
        finally:
            client.close()
    if refused:
        return f"refused for {', '.join(sorted(refused))}; the others have it"
    return ""


def _client(settings: MailSettings, host: str, seconds: float) -> smtplib.SMTP:
    """Give a client that is not connected yet."""
    if settings.security == "tls":
        return smtplib.SMTP_SSL(
            local_hostname=host, timeout=seconds, context=ssl.create_default_context()
        )
    return smtplib.SMTP(local_hostname=host, timeout=seconds)


def _converse(
    client: smtplib.SMTP,
    settings: MailSettings,
    message: EmailMessage,
    sender: str,
    recipients: list[str],
) -> dict[str, Any]:
    # Without a host at its making it does not know whose certificate to expect.
    client._host = settings.host  # type: ignore[attr-defined] # noqa: SLF001
    code, _ = client.connect(settings.host, settings.port)
    if code != 220:  # noqa: PLR2004 - RFC 5321: service ready
        raise smtplib.SMTPConnectError(code, "")
    if settings.security == "starttls":
        client.ehlo_or_helo_if_needed()
        if not client.has_extn("starttls"):
            text = f"{settings.host} offers no STARTTLS on port {settings.port}"
            raise NotSent(
                text, hint='Set security to "tls" and the port to 465, or ask its keeper.'
            )
        client.starttls(context=ssl.create_default_context())
    if settings.user:
        client.login(settings.user, settings.password)
    refused = client.send_message(message, sender, recipients)
    with suppress(smtplib.SMTPException, OSError):
        client.quit()  # the mail was accepted: a bad farewell changes nothing
    return refused


def _of_smtp(  # noqa: PLR0911 - a table of cases
    error: Exception, settings: MailSettings, target: Target, seconds: float
) -> NotSent:
    host = settings.host
    match error:
        case smtplib.SMTPAuthenticationError():
            text = f"{host} does not accept user and password (code {error.smtp_code})"
            return NotSent(text, hint="Check user and password in [mail] of the settings.")
        case smtplib.SMTPRecipientsRefused():
            codes = sorted({code for code, _ in error.recipients.values()})
            text = f"{host} refuses every recipient of {target.name} (code {codes[0]})"
            return NotSent(text, hint="Check the addresses, and whether it relays to them.")
        case smtplib.SMTPSenderRefused():
            text = f"{host} refuses the sender (code {error.smtp_code})"
            return NotSent(text, hint="Check `sender` in [mail] of the settings.")
        case smtplib.SMTPNotSupportedError():
            text = f"{host} does not offer what the mail needs: a log-in, or names beyond ASCII"
            return NotSent(text, hint="Check the port and `security` in [mail] of the settings.")
        case smtplib.SMTPResponseException():
            text = f"{host} does not take the mail (code {error.smtp_code})"
            return NotSent(text, hint="Look into the log of the mail server.")
        case smtplib.SMTPServerDisconnected() if not isinstance(error.__context__, TimeoutError):
            return NotSent(f"{host} closed the connection before it had the mail")
        case _:
            return of_transport(error, host, settings.port, seconds)
