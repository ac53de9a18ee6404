"""Documents that are a ZIP of XML and that xberg takes for an archive: drawings, XPS, older office files, Apple's.

Their text is read with expressions, not with an XML parser: nothing is expanded, nothing is followed.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from html import unescape

from bowerbird.core.errors import ExtractionError
from bowerbird.core.records import Block
from bowerbird.extraction.draft import MAX_CHARACTERS, Draft

PREVIEW = "QuickLook/Preview.pdf"
"""What Apple's applications show of a document of theirs without opening it."""

_PAGES = {
    "visio/pages/page": "application/vnd.ms-visio.drawing",
    "Documents/": "application/oxps",
    "content.xml": "application/vnd.oasis.opendocument",
}
_PAGE_NAME = re.compile(r"(visio/pages/page\d+\.xml|Documents/\d+/Pages/[^/]+\.fpage|content\.xml)$")
_RUN = re.compile(rb"<(Text|text:p|text:h)\b[^>]*>(.*?)</\1>|UnicodeString=\"([^\"]*)\"", re.DOTALL)
_TAG = re.compile(rb"<[^>]*>")
_MEMBER = 32 << 20


def parcel(data: bytes) -> Draft | None:
    """Return what a ZIP of XML pages says, a paragraph a shape; None where it is no such document.

    Raises ExtractionError where it is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = sorted((name for name in archive.namelist() if _PAGE_NAME.match(name)), key=_numbers)
            if not names:
                return None
            start = next(start for start in _PAGES if names[0].startswith(start))
            draft = Draft(media_type=_PAGES[start])
            if start != "content.xml":
                draft.pages = len(names)
            for number, name in enumerate(names, 1):
                page = number if draft.pages else None
                draft.blocks.extend(Block(text, page=page) for text in _paragraphs(_member(archive, name)))
            return draft
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as problem:
        raise ExtractionError(f"This ZIP of XML is damaged: {problem}.") from problem


def preview(data: bytes) -> bytes | None:
    """Return the PDF that an Apple document carries to be shown by, or None."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _member(archive, PREVIEW)
    except (zipfile.BadZipFile, KeyError, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError):
        return None


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        content = file.read(_MEMBER)
    # XPS writers like UTF-16; the expressions below want bytes of one kind.
    return content.decode("utf-16", "replace").encode() if content[:2] in (b"\xff\xfe", b"\xfe\xff") else content


def _numbers(name: str) -> list[tuple[bool, int, str]]:
    """Sort page2 before page10."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", name)]


def _paragraphs(xml: bytes) -> Iterator[str]:
    total = 0
    for found in _RUN.finditer(xml):
        raw = _TAG.sub(b" " if found.group(3) is None else b"", found.group(2) or found.group(3) or b"")
        text = " ".join(unescape(raw.decode("utf-8", "replace")).split())
        if text:
            yield text
        total += len(text)
        if total > MAX_CHARACTERS:
            return
