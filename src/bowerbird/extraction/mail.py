"""Messages (RFC 5322, Apple's .emlx): body by xberg, the people from the header itself, with names."""

from __future__ import annotations

import re
from dataclasses import replace
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from bowerbird.core.records import Person
from bowerbird.extraction.draft import Draft, line, stem, when
from bowerbird.extraction.native import native

_ENCODED = re.compile(r"(?:[A-Za-z0-9+/]{60,}\s+)+[A-Za-z0-9+/=]*\s*")
"""Base64 of an attachment that no parser took; prose of such length has points and commas."""

_SHOWN = (("Subject", "subject"), ("From", "from"), ("To", "to"), ("Cc", "cc"), ("Date", "date"))


def mail(data: bytes, name: str) -> Draft:
    """Parse a message; raises ExtractionError. Fields: from, to, cc, subject, date, message-id, in-reply-to, ..."""
    data = _message(data)
    # the attachments of what is called .eml are items of their own (sources.containers): here they are only named
    depth = 0 if name.lower().endswith(".eml") else 2
    draft = native(data, f"{stem(name)}.eml", "message/rfc822", depth)
    header = BytesHeaderParser().parsebytes(data)
    for field in ("from", "to", "cc"):
        found = _people(header, field)
        if found:
            draft.fields[field] = ", ".join(map(_written, found))
        if field == "from" and found:
            draft.authors = found
    draft.title = _decoded(str(header.get("subject", ""))) or draft.title
    draft.fields["subject"] = draft.title
    draft.created = when(str(header.get("date", ""))) or draft.created
    draft.fields["date"] = draft.created.isoformat() if draft.created else ""
    shown = "\n".join(f"{label}: {draft.fields[key]}" for label, key in _SHOWN if draft.fields.get(key))
    draft.blocks = [
        replace(block, text=shown) if block.kind == "header" else block
        for block in draft.blocks
        if not _ENCODED.fullmatch(block.text)
    ]
    return draft


def _message(data: bytes) -> bytes:
    """Cut a message out of Apple's format: a line with its length before it, a property list after it."""
    first, _, rest = data.partition(b"\n")
    length = first.strip()
    return rest[: int(length)] if length.isdigit() and len(length) < 12 else data


def _written(person: Person) -> str:
    return f"{person.name} <{person.address}>" if person.name and person.address else person.name or person.address


def _decoded(raw: str) -> str:
    """Decode the encoded words of a header field (RFC 2047)."""
    try:
        return line(str(make_header(decode_header(raw))))
    except (HeaderParseError, LookupError, ValueError):
        return line(raw)  # an unknown character set or broken encoding: as it stands


def _people(header: Message, field: str) -> list[Person]:
    values = [str(value) for value in header.get_all(field, [])]
    people = []
    for name, address in getaddresses(values):
        shown = _decoded(name)
        if "@" in address or shown:
            people.append(Person(shown, address.lower() if "@" in address else ""))
    return people
