"""The signature of a webhook, by the rules of Standard Webhooks (version 1, symmetric).

Signed is `ID.TIMESTAMP.BODY` with HMAC-SHA256: the timestamp, seconds since 1970, is that of the
try, so that a receiver can refuse old ones; the ID is that of the notification.
"""

from __future__ import annotations

import base64
import hashlib
import hmac


def signed_headers(key: bytes, identifier: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Give the headers that prove who sent a body, and when."""
    content = b".".join((identifier.encode(), str(timestamp).encode(), body))
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "idempotency-key": identifier,
    }
