"""Who asks the AdminService: a bearer token, or credentials that are negotiated (Kerberos, NTLM).

Secrets come from a file, the environment or a prompt, never from the command line. They show in no
message and no `repr`, and are sent to the host that was named and to no other.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.errors import AccessDenied, UsageError
from wimdock.files import storage_error

if TYPE_CHECKING:
    from spnego import ContextProxy
    from spnego.channel_bindings import GssChannelBindings

TOKEN = "WIMDOCK_ADMINSERVICE_TOKEN"  # noqa: S105 - the name of a setting, no secret
USER = "WIMDOCK_ADMINSERVICE_USER"
PASSWORD = "WIMDOCK_ADMINSERVICE_PASSWORD"  # noqa: S105 - the name of a setting, no secret

_LONGEST_SECRET = 1 << 16
# RFC 6750, section 2.1: anything else could break out of the header.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
_HIDDEN = "…"
_HINT = (
    f"Set {TOKEN}, give --token-file FILE, or set {USER} and {PASSWORD}; "
    "see docs/reference/adminservice.md."
)


class Secret:
    """A text that shows nowhere: neither in messages nor in tracebacks that print values."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep the text."""
        self._text = text

    def reveal(self) -> str:
        """Give the text, for the one place that sends it."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """Give `text` with the secret taken out, should a server have repeated it."""
        return text.replace(self._text, _HIDDEN) if self._text else text

    def __repr__(self) -> str:
        """Give nothing away."""
        return "Secret()"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token of Microsoft Entra ID or of a gateway."""

    token: Secret


@dataclass(frozen=True, slots=True)
class Negotiated:
    """Credentials for Negotiate: a user with a password, or whoever holds the Kerberos ticket."""

    user: str = ""
    password: Secret | None = None


Credentials = Bearer | Negotiated


def read_credentials(
    environment: Mapping[str, str],
    *,
    token_file: Path | None = None,
    user: str = "",
    ask: Callable[[str], str] | None = None,
) -> Credentials:
    """Give the credentials that were prepared, in this order: file, environment, prompt, ticket.

    `environment` is that of the process. `ask` shows a question and gives what was typed without
    showing it; it is called for the password of a user who has none in the environment, and is None
    where nobody sits at a terminal. Raises UsageError and StorageError; no message holds a secret.
    """
    if token_file is not None:
        return Bearer(_token(_content(token_file), str(token_file)))
    if environment.get(TOKEN):
        return Bearer(_token(environment[TOKEN], TOKEN))
    user = user or environment.get(USER, "")
    password = environment.get(PASSWORD, "")
    if not user:
        if password:
            message = f"{PASSWORD} is set but no user"
            raise UsageError(message, hint=f"Set {USER} as well, as DOMAIN\\user or user@domain.")
        return Negotiated()
    if not password and ask is not None:
        password = ask(f"Password of {user} for the AdminService")
    return Negotiated(user, Secret(password) if password else None)


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST_SECRET + 1)
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # The bytes are in the error that is caught here: it must not be the cause of ours.
        message = f"{path} holds no token"
        raise UsageError(message, hint="Put the token alone into the file.") from None


def _token(text: str, source: str) -> Secret:
    token = text.strip().removeprefix("Bearer ").strip()
    if len(token) > _LONGEST_SECRET or not _BEARER.fullmatch(token):
        message = f"{source} holds no token"
        raise UsageError(message, hint="Put the token there alone, without quotes or spaces.")
    return Secret(token)


@dataclass(slots=True)
class Handshake:
    """One negotiation, on one connection: each challenge of the server has one answer.

    `host` is the server's name, `certificate` the one it showed (DER): the answers are bound to it,
    so that nobody between can pass them on (RFC 5929, tls-server-end-point).
    """

    credentials: Negotiated
    host: str
    certificate: bytes | None = None
    _scheme: str = ""
    _context: ContextProxy | None = field(default=None, repr=False)

    def answer(self, challenges: list[str]) -> str | None:
        """Give the Authorization header for the WWW-Authenticate headers of an answer.

        None where the server has said its last word. Raises AccessDenied where it offers nothing
        that wimdock does, or where there are no credentials.
        """
        offered = _offered(challenges)
        if self._context is None:
            self._begin(offered)
            token = None
        else:
            token = offered.get(self._scheme.lower())
            if not token or self._context.complete:
                return None
        out = self._step(token)
        return f"{self._scheme} {base64.b64encode(out).decode('ascii')}" if out else None

    def _begin(self, offered: Mapping[str, bytes | None]) -> None:
        import spnego

        scheme = next((name for name in ("Negotiate", "NTLM") if name.lower() in offered), None)
        if scheme is None:
            wanted = ", ".join(sorted(offered)) or "nothing that it names"
            message = f"{self.host} asks for {wanted[:100]}, not for Negotiate or NTLM"
            raise AccessDenied(message, hint=_HINT)
        self._scheme = scheme
        password = self.credentials.password
        try:
            self._context = spnego.client(
                self.credentials.user or None,
                password.reveal() if password else None,
                hostname=self.host,
                service="HTTP",
                channel_bindings=_bindings(self.certificate) if self.certificate else None,
                protocol=scheme.lower(),
            )
        except Exception:  # noqa: BLE001 - what the library says can hold the user's input
            raise self._no_credentials() from None

    def _step(self, token: bytes | None) -> bytes | None:
        if self._context is None:  # pragma: no cover - `_begin` came first
            return None
        try:
            return self._context.step(token)
        except Exception:  # noqa: BLE001 - hostile tokens raise KeyError and more in the library
            raise self._no_credentials() from None

    def _no_credentials(self) -> AccessDenied:
        if self.credentials.password is None:
            message = f"there is no Kerberos ticket for {self.host}"
            hint = f"Run kinit (Kerberos needs pip install 'pyspnego[kerberos]'), or: {_HINT}"
            return AccessDenied(message, hint=hint)
        message = f"{self.host} and wimdock could not agree on the credentials of the user given"
        return AccessDenied(message, hint=_HINT)


def _offered(challenges: list[str]) -> dict[str, bytes | None]:
    """Give the schemes that the server offers, in lower case, each with its token."""
    found: dict[str, bytes | None] = {}
    for challenge in challenges:
        for part in challenge.split(","):
            scheme, _, rest = part.strip().partition(" ")
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", scheme):
                continue  # a parameter of the scheme before
            try:
                token = base64.b64decode(rest.strip(), validate=True) if rest.strip() else None
            except (binascii.Error, ValueError):
                token = None
            found[scheme.lower()] = token
    return found


def _bindings(certificate: bytes) -> GssChannelBindings:
    import hashlib

    from asn1crypto.x509 import Certificate
    from spnego.channel_bindings import GssChannelBindings

    try:
        name = Certificate.load(certificate).hash_algo
    except ValueError:
        name = "sha256"
    # RFC 5929, section 4.1: MD5 and SHA-1 are taken for SHA-256.
    known = name if name in ("sha256", "sha384", "sha512") else "sha256"
    digest = hashlib.new(known, certificate).digest()
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
