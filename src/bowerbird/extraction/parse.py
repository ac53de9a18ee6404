"""The boxed entry: bytes and a name in, a Document as JSON out. Runs in the sandbox only."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath

from bowerbird.core.errors import ContainerError, ExtractionError
from bowerbird.core.records import Document, to_json
from bowerbird.extraction import formats
from bowerbird.extraction.calendar import calendar
from bowerbird.extraction.code import code
from bowerbird.extraction.draft import Draft, finish, stem
from bowerbird.extraction.formats import Route
from bowerbird.extraction.language import identify
from bowerbird.extraction.mail import mail
from bowerbird.extraction.media import image, recording
from bowerbird.extraction.native import native, nothing
from bowerbird.extraction.prose import markdown
from bowerbird.extraction.restructured import plain, restructured
from bowerbird.extraction.tables import delimited, records
from bowerbird.extraction.text import as_utf8, clean, decode
from bowerbird.extraction.version import PARSER_VERSION

_EXPANDED = 100 << 20
"""A compressed file may grow to so many bytes."""

_OPENERS: dict[str, tuple[bytes, Callable[[io.BytesIO], io.BufferedIOBase]]] = {
    "gz": (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    "bz2": (b"BZh", bz2.BZ2File),
    "xz": (b"\xfd7zXZ\0", lzma.LZMAFile),
}
_TEXT: dict[Route, Callable[[str], Draft]] = {
    "markdown": markdown,
    "restructured": restructured,
    "plain": plain,
    "code": code,
    "delimited": delimited,
    "records": records,
    "calendar": calendar,
}


def document(data: bytes, name: str = "", media_type: str = "") -> bytes:
    """Return the Document of a file as JSON; raises the ExtractionError family."""
    if not data:
        return to_json(Document(title=stem(name), blocks=(), parser=PARSER_VERSION, media_type=media_type))
    data, inner = _expanded(data, name)
    draft = _draft(data, inner, media_type if inner == name else "")
    if draft.prose:
        draft.language = identify(draft.blocks) or draft.language
    return to_json(finish(draft, inner))


def _draft(data: bytes, name: str, media_type: str) -> Draft:
    told = formats.by_bytes(data)
    if told == "refused":
        raise nothing(name, data)
    if told == "native":
        return native(data, name)
    route = told or formats.by_name(name, media_type)
    if route in ("image", "audio", "video"):
        return _medium(data, name, route)
    text = decode(data)
    if text is None:
        return native(data, name)
    text = clean(text)
    return _textual(data, name, text, route or formats.by_text(text))


def _textual(data: bytes, name: str, text: str, route: Route) -> Draft:
    if not text.strip():
        return Draft(media_type="text/plain")
    if route == "plain" and formats.is_mail(text):
        route = "mail"
    if formats.is_textual(route):
        return _ours(route, text)
    if route == "mail":
        return mail(data, name)
    try:
        return native(as_utf8(text), f"{stem(name)}.html" if formats.is_html(text) else name)
    except ExtractionError:
        # It is text whatever its ending says: better found as it stands than not at all.
        return _ours("code" if route == "markup" else "plain", text)


def _ours(route: Route, text: str) -> Draft:
    draft = _TEXT[route](text)
    draft.cleaned = route not in ("records", "calendar")  # their escapes can spell what clean text may not hold
    return draft


def _medium(data: bytes, name: str, route: Route) -> Draft:
    ending = formats.ending_of(name)
    return image(data, name, ending) if route == "image" else recording(data, route, ending)


def _expanded(data: bytes, name: str) -> tuple[bytes, str]:
    """Decompress a single compressed file (not an archive) and return what is in it, with its name."""
    path = PurePosixPath(name)
    magic, opener = _OPENERS.get(formats.ending_of(name), (b"", None))
    if opener is None or not data.startswith(magic):
        return data, name
    try:
        with opener(io.BytesIO(data)) as file:
            content = file.read(_EXPANDED + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as problem:
        cause = f"{name} is damaged: it cannot be decompressed ({problem})."
        raise ContainerError(cause, "Fetch or make the file anew.") from problem
    if len(content) > _EXPANDED:
        raise ContainerError(f"{name} expands to more than {_EXPANDED >> 20} MiB.", "Decompress it by hand.")
    return content, str(path.with_name(path.stem))
