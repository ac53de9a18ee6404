"""Mailboxes and messages, taken apart (runs inside the sandbox; RFC 4155 for mbox, RFC 5322 and MIME for messages)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import collapse_rfc2231_value, parsedate_to_datetime

_SEPARATOR = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\r\n]*\r?\n")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_MAX_NAME = 200
_UNWANTED = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a message that a person would call an attachment."""

    name: str
    media_type: str
    data: bytes


def messages(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the span (start, end) of each message of a mailbox, without its `From ` line."""
    start = None
    for match in _SEPARATOR.finditer(data):
        if start is not None:
            yield start, match.start()
        start = match.end()
    if start is not None:
        yield start, len(data)


def unquoted(message: bytes) -> bytes:
    """Return a message of a mailbox as it was sent: `>From ` at the start of a line was `From `."""
    return _QUOTED_FROM.sub(rb"\1", message)


def heading(message: bytes, number: int) -> tuple[str, str, float | None]:
    """Return a message's name (its subject with `.eml`), Message-ID ("" if none) and date (seconds since 1970)."""
    end = re.search(rb"\r?\n\r?\n", message)
    headers = BytesHeaderParser(policy=compat32).parsebytes(message[: end.end()] if end else message)
    subject = decoded(headers.get("Subject", "")) or f"message {number}"
    ident = re.sub(r"\s+", "", str(headers.get("Message-ID", ""))).strip("<>")
    return subject[:_MAX_NAME] + ".eml", ident if len(ident) <= _MAX_NAME else "", _date(str(headers.get("Date", "")))


def decoded(value: object) -> str:
    """Return a header's text in one line (RFC 2047), as it stands where it is not well-formed."""
    text = str(value)
    try:
        text = str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        text = text.encode("utf-8", "replace").decode()
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def attachments(data: bytes) -> Iterator[Attachment]:
    """Yield the attachments of a message: parts with a file name or marked as such, and messages that were forwarded.

    Left out are signatures and the pictures that a page in the message shows within its text (they have a Content-ID).
    """
    waiting = [message_from_bytes(data, policy=compat32)]
    number = 0
    top = True
    while waiting:
        part = waiting.pop()
        forwarded = not top and part.get_content_type() == "message/rfc822"
        top = False
        inner = part.get_payload()
        if isinstance(inner, list) and not forwarded:
            waiting.extend(each for each in reversed(inner) if isinstance(each, Message))
        elif forwarded or _is_attachment(part):
            number += 1
            yield _attachment(part, number, forwarded)


def _is_attachment(part: Message) -> bool:
    kind = part.get_content_type()
    if kind in _UNWANTED or (kind.startswith("image/") and part.get("Content-ID") and not _marked(part)):
        return False
    return _marked(part) or bool(_file_name(part))


def _marked(part: Message) -> bool:
    return str(part.get("Content-Disposition", "")).strip().lower().startswith("attachment")


def _file_name(part: Message) -> str:
    try:
        return decoded(collapse_rfc2231_value(part.get_filename("")))[-_MAX_NAME:]
    except (LookupError, UnicodeError, ValueError, MessageError):
        return ""


def _attachment(part: Message, number: int, forwarded: bool) -> Attachment:
    if forwarded:
        inner = part.get_payload()
        message = inner[0] if isinstance(inner, list) and inner else part
        subject = decoded(message.get("Subject", "")) if isinstance(message, Message) else ""
        name = _file_name(part) or f"{subject or f'message {number}'}"[:_MAX_NAME]
        name = name if name.lower().endswith(".eml") else f"{name}.eml"
        return Attachment(name, "message/rfc822", message.as_bytes() if isinstance(message, Message) else b"")
    payload = part.get_payload(decode=True)
    return Attachment(
        _file_name(part) or f"attachment {number}",
        part.get_content_type(),
        payload if isinstance(payload, bytes) else b"",
    )
