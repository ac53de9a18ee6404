"""Codes that change every 30 seconds (TOTP, RFC 6238, with HMAC-SHA-1 and six digits, as every app has them)."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

from bowerbird.core.errors import UsageError

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20


def new_secret() -> str:
    """Return a secret in base32, as long as a SHA-1 (RFC 4226, 4)."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def checked_secret(secret: str) -> str:
    """Return a secret as `new_secret` made it; raises UsageError where it is none."""
    try:
        if len(base64.b32decode(secret)) == SECRET_BYTES:
            return secret
    except (binascii.Error, ValueError):
        pass  # the same answer as for a wrong length
    raise UsageError("This is not a secret that this library made.", "Begin again.")


def code_at(secret: str, step: int) -> str:
    """Return the code of a step of 30 seconds since 1970 (RFC 4226, 5.3).

    >>> code_at(base64.b32encode(b"12345678901234567890").decode(), 59 // 30)  # RFC 6238, appendix B
    '287082'
    """
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: str, code: str, at: float) -> int:
    """Return the step whose code this is, of the one at this time and its neighbours; 0 for none."""
    plain = "".join(code.split())
    present = int(at) // STEP_SECONDS
    found = 0
    for step in (present - 1, present, present + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), plain.encode("utf-8", "replace")):
            found = step
    return found


def uri(secret: str, handle: str) -> str:
    """Return the `otpauth:` link that apps read (Google Authenticator's key URI format)."""
    query = urlencode({"secret": secret, "issuer": "Bowerbird", "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/Bowerbird:{quote(handle)}?{query}"
