"""Pages as pictures: a page of a PDF by PDFium, an image by Pillow. Runs in the sandbox only."""

from __future__ import annotations

import io

import pypdfium2
from PIL import Image, ImageOps, UnidentifiedImageError

from bowerbird.core.errors import ExtractionError, NotFoundError

_WIDTHS = (16, 4000)
_PIXELS = 60_000_000
"""An image of more pixels is not decoded, a rendered page has no more: both bound the memory."""


def render(data: bytes, name: str = "", page: int = 1, width: int = 1200) -> bytes:
    """Return a page (from 1) of a PDF or an image as PNG, `width` pixels wide, an image never wider than it is.

    Raises NotFoundError where there is no such page or nothing to see, ExtractionError where it cannot be drawn.
    """
    width = min(max(width, _WIDTHS[0]), _WIDTHS[1])
    picture = _pdf(data, name, page, width) if b"%PDF-" in data[:1024] else _image(data, name, page, width)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def _pdf(data: bytes, name: str, page: int, width: int) -> Image.Image:
    try:
        with pypdfium2.PdfDocument(data) as document:
            if not 1 <= page <= len(document):
                raise NotFoundError(f"{name} has no page {page}.", f"It has {len(document)} pages.")
            sheet = document[page - 1]
            wide, high = sheet.get_size()
            scale = min(width / max(wide, 1), (_PIXELS / (max(wide, 1) * max(high, 1))) ** 0.5)
            picture: Image.Image = sheet.render(scale=scale).to_pil()
            return picture
    except pypdfium2.PdfiumError as problem:
        raise ExtractionError(f"Page {page} of {name} cannot be drawn: {problem}.") from problem


def _image(data: bytes, name: str, page: int, width: int) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > _PIXELS:
                raise ExtractionError(f"{name} is too large an image to be shown.", "Open it in an image program.")
            if not 1 <= page <= getattr(picture, "n_frames", 1):
                raise NotFoundError(f"{name} has no page {page}.")
            picture.seek(page - 1)
            picture.draft("RGB", (width, max(1, picture.height * width // picture.width)))
            shown = ImageOps.exif_transpose(picture)
            mode = "RGBA" if "A" in shown.getbands() or "transparency" in shown.info else "RGB"
            shown = shown.convert(mode)
    except UnidentifiedImageError as problem:
        raise NotFoundError(f"{name} has no pages to show.") from problem
    except (OSError, ValueError, SyntaxError, EOFError) as problem:
        raise ExtractionError(f"{name} cannot be shown: the image is damaged.") from problem
    if shown.width > width:
        shown = shown.resize((width, max(1, round(shown.height * width / shown.width))), Image.Resampling.LANCZOS)
    return shown
