"""Pages of a PDF that gave no text: PDFium's own reading of them, and else a media block for the eye of OCR."""

from __future__ import annotations

import pypdfium2

from bowerbird.core.records import Block
from bowerbird.extraction.draft import Draft

_PAGES = 2000
_READ_AGAIN = 100
"""Pages without text that are read a second time: a long scan is a scan on every page."""


def complete(draft: Draft, data: bytes) -> None:
    """Give every page of the PDF at least one block, in the order of the pages."""
    try:
        with pypdfium2.PdfDocument(data) as document:
            draft.pages = len(document)
            seen = {block.page for block in draft.blocks}
            missing = [page for page in range(1, min(len(document), _PAGES) + 1) if page not in seen]
            for count, page in enumerate(missing):
                text = _text(document, page) if count < _READ_AGAIN else ""
                draft.blocks.append(Block(text, page=page) if text.strip() else Block("", "media", page=page))
    except pypdfium2.PdfiumError:
        return  # xberg could read what PDFium cannot: keep what there is
    draft.blocks.sort(key=lambda block: block.page or 0)


def _text(document: pypdfium2.PdfDocument, page: int) -> str:
    try:
        return str(document[page - 1].get_textpage().get_text_bounded())
    except pypdfium2.PdfiumError:
        return ""  # a page that cannot be loaded is left to be looked at
