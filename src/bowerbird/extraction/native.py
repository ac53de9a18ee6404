"""Office files, PDF, mail and web pages, by xberg: without OCR, cache, network or models."""

from __future__ import annotations

import asyncio
import json
import re
from functools import cache
from typing import Any

from xberg import _xberg

from bowerbird.core.errors import ExtractionError
from bowerbird.core.records import Block, Person
from bowerbird.extraction import formats
from bowerbird.extraction.draft import Draft, stem, when
from bowerbird.extraction.nodes import Manner, NodeReader, joined
from bowerbird.extraction.paper import complete
from bowerbird.extraction.parcel import parcel, preview

_SETTINGS = {
    "disable_ocr": True,
    "use_cache": False,
    "include_document_structure": True,
    "enable_quality_processing": False,
    "extraction_timeout_secs": None,
    "concurrency": {"max_threads": 1},
    "pages": {"extract_pages": False},
    "content_filter": {"include_footnotes": True},
    "security_limits": {
        # Deflate cannot do more than 1032:1, and spreadsheets come near it; the sizes are what bounds memory.
        "max_compression_ratio": 1100,
        "max_archive_size": 256 << 20,
        "max_content_size": 64 << 20,
        "max_table_cells": 2_000_000,
    },
}


@cache
def _config(depth: int) -> _xberg.ExtractionConfig:
    """Configure xberg; what is embedded is read `depth` levels deep."""
    return _xberg.ExtractionConfig.from_json(json.dumps({**_SETTINGS, "max_archive_depth": depth}))


_SLIDES = ("presentation", "powerpoint", "keynote")
_SHEETS = ("spreadsheet", "excel", "numbers", "csv", "dbf")
_BARE = ("text/xml", "application/xml", "image/svg+xml", "application/vnd.google-earth.kml+xml")
_PROTECTED = re.compile(r"password|encrypt", re.IGNORECASE)
_ENCRYPTED_OFFICE = tuple(
    name.encode("utf-16-le") for name in ("EncryptedPackage", "EncryptedSummary", "EncryptionInfo")
)
_FIELDS = ("subject", "category", "abstract_text")
_MORE_FIELDS = ("description", "in_reply_to", "references", "reply_to", "company", "publisher", "duration")


def native(data: bytes, name: str, media_type: str = "", depth: int = 2) -> Draft:
    """Parse by xberg, what is embedded too, to a depth; raises ExtractionError with the reason where it cannot."""
    if data.startswith(b"\xd0\xcf\x11\xe0") and _is_encrypted(data):
        raise _protected(name)
    found = _run(data, name, media_type, depth)
    if found.mime_type in ("application/zip", "application/gzip", "application/x-tar"):
        return _zipped(data, name)
    draft = _properties(found)
    manner = _manner(found.mime_type)
    reader = NodeReader(list(found.document.nodes) if found.document else [], manner)
    draft.blocks = list(reader.read())
    if manner.bare:
        draft.blocks = list(joined(draft.blocks))
    if found.mime_type == "application/pdf":
        complete(draft, data)
    if manner.slides:
        draft.pages = max((block.page for block in draft.blocks if block.page), default=draft.pages)
    if not draft.blocks and reader.depicted:
        draft.blocks = [Block("", "media")]
    return draft


def _zipped(data: bytes, name: str) -> Draft:
    """Read what xberg takes for an archive; what really is one has no text of its own."""
    if shown := preview(data):
        return native(shown, f"{stem(name)}.pdf")
    draft = parcel(data)
    if draft is None:
        raise nothing(name, data)
    return draft


def nothing(name: str, data: bytes) -> ExtractionError:
    """Return the error for a file that holds no text for us, saying what it is."""
    what = formats.nature(name, data)
    cause = f"{name} is {what}: there is no text in this kind of file."
    if not what:
        cause = f"{name} is of a kind that cannot be read here: there is no text to be had of it."
    return ExtractionError(cause, "It is found by its name.")


def _is_encrypted(data: bytes) -> bool:
    """Say whether a compound file is encrypted: by its streams, or by the flag of a Word document ([MS-DOC] 2.5.2)."""
    start = data.find(b"\xec\xa5\xc1\x00")
    flagged = start >= 0 and len(data) > start + 11 and data[start + 11] & 1 == 1
    return flagged or any(mark in data for mark in _ENCRYPTED_OFFICE)


def _protected(name: str) -> ExtractionError:
    return ExtractionError(f"{name} is protected by a password.", "Save a copy without the password to have it found.")


@cache
def _runner() -> asyncio.Runner:
    """One event loop a worker, made after the fork."""
    return asyncio.Runner()


def _run(data: bytes, name: str, media_type: str, depth: int) -> Any:
    source = _xberg.ExtractInput(
        kind=_xberg.ExtractInputKind("bytes"), bytes=data, filename=name, mime_type=media_type or None
    )

    async def extract() -> _xberg.ExtractionResult:
        return await _xberg.extract(input=source, config=_config(depth))

    try:
        result = _runner().run(extract())
    except MemoryError:
        raise
    except Exception as problem:  # xberg raises RuntimeError and its own kinds alike; the text says what it is
        raise _explained(str(problem), name, data) from problem
    if not result.results:
        problems = "; ".join(str(error.message) for error in result.errors)
        raise _explained(problems, name, data)
    return result.results[0]


def _explained(problem: str, name: str, data: bytes) -> ExtractionError:
    if _PROTECTED.search(problem):
        return _protected(name)
    if "Unsupported format" in problem or formats.nature(name, data):
        return nothing(name, data)
    problem = " ".join(problem.split())[:300]
    if "Security violation" in problem or "bomb" in problem:
        return ExtractionError(f"{name} expands beyond what is safe: {problem}", "Open it by hand if you trust it.")
    return ExtractionError(f"{name} is damaged: {problem}", "Open it with the program that made it and save it anew.")


def _manner(media_type: str) -> Manner:
    slides = any(word in media_type for word in _SLIDES)
    paged = slides or media_type == "application/pdf"
    return Manner(paged=paged, slides=slides, bare=media_type in _BARE)


def _properties(found: Any) -> Draft:
    """Take over what the document says of itself."""
    meta = found.metadata
    draft = Draft(media_type=found.mime_type, title=meta.title or "", language=(meta.language or "")[:2].lower())
    draft.authors = [Person(part) for author in meta.authors or () for part in re.split(r"[;|]", author)]
    draft.created = when(meta.created_at or "")
    draft.modified = when(meta.modified_at or "")
    draft.untitled = any(word in found.mime_type for word in _SHEETS)
    draft.fields = {name.replace("_text", ""): str(getattr(meta, name) or "") for name in _FIELDS}
    draft.fields["keywords"] = ", ".join(meta.keywords or ())
    for name in _MORE_FIELDS:
        draft.fields[name.replace("_", "-")] = _unquoted(meta.additional.get(name, ""))
    if meta.format is not None:
        _format(meta.format, draft)
    return draft


def _format(format_: Any, draft: Draft) -> None:
    if format_.email is not None:
        _mail(format_.email, draft)
    if format_.pdf is not None and format_.pdf.page_count:
        draft.pages = format_.pdf.page_count
    if format_.pptx is not None and format_.pptx.slide_count:
        draft.pages = format_.pptx.slide_count


def _mail(mail: Any, draft: Draft) -> None:
    address = mail.from_email or ""
    draft.title = draft.fields["subject"]
    draft.authors = [Person(mail.from_name or "", address if "@" in address else "")]
    draft.fields.update(
        {
            "from": f"{mail.from_name} <{address}>" if mail.from_name and address else mail.from_name or address,
            "to": ", ".join(mail.to_emails),
            "cc": ", ".join(mail.cc_emails),
            "date": draft.created.isoformat() if draft.created else "",
            "message-id": (mail.message_id or "").strip("<>"),
            "attachments": ", ".join(mail.attachments),
        }
    )


def _unquoted(text: str) -> str:
    """Additional properties of xberg are JSON strings or bare words."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text
