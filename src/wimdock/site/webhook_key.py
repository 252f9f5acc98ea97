"""The key that webhooks are signed with, of the secret in the settings."""

from __future__ import annotations

import base64
import binascii

PREFIX = "whsec_"
"""What follows it is the key in base64; a secret without it is the key as it stands, in UTF-8."""


def key_of(secret: str) -> bytes | None:
    """Give the key of a secret; None where there is none, or its base64 is broken."""
    if not secret.startswith(PREFIX):
        return secret.encode("utf-8", "surrogateescape") or None
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True) or None
    except (binascii.Error, ValueError):
        return None
