"""The extractor: what the other rooms call to turn bytes into a Document, or a page into a picture."""

from __future__ import annotations

from bowerbird.core.errors import ExtractionError
from bowerbird.core.records import Document, from_json
from bowerbird.sandbox import Sandbox

PRELOAD: tuple[str, ...] = ("bowerbird.extraction.parse", "bowerbird.extraction.pages")
"""Modules a Sandbox must preload to serve an Extractor."""


class Extractor:
    """Parses foreign bytes in a sandbox made with PRELOAD; safe to call from several threads."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def extract(self, name: str, data: bytes, media_type: str = "") -> Document:
        """Return the content of a file, by its name, bytes and (if known) media type.

        Raises ExtractionError where there is no text to be had, or one of its kinds where a limit was hit.
        """
        name = _printable(name)
        answer = self._sandbox.call("bowerbird.extraction.parse:document", data, name=name, media_type=media_type)
        try:
            return from_json(answer, Document)
        except ValueError as problem:
            raise ExtractionError(f"The parser of {name} answered what is not a document.") from problem

    def page_image(self, name: str, data: bytes, page: int = 1, width: int = 1200) -> bytes:
        """Return a page of a PDF (from 1), or an image, as PNG at most `width` pixels wide, its proportions kept.

        Raises NotFoundError for a file without pages or a page it does not have, and the ExtractionError family.
        """
        name = _printable(name)
        return self._sandbox.call("bowerbird.extraction.pages:render", data, name=name, page=page, width=width)


def _printable(name: str) -> str:
    """Replace what a file name may hold and UTF-8 cannot: the lone surrogates of undecodable bytes (PEP 383)."""
    return name.encode("utf-8", "replace").decode()
