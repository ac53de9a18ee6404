"""PDF files: with a text layer, or as pictures of pages that somebody scanned."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bowerbird.lab.workspace.markup import Mark, inline_html, parse, plain
from bowerbird.lab.workspace.office import missing
from bowerbird.lab.workspace.story import Piece

SCAN_SIZE = (1240, 1754)
"""Width and height of a scanned A4 page at 150 dots an inch."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def pdf(piece: Piece, password: str = "") -> bytes:
    """Render a piece as an A4 PDF with text; a password encrypts it."""
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.lib.pdfencrypt import StandardEncryption
        from reportlab.platypus import SimpleDocTemplate
    except ImportError as problem:
        raise missing("reportlab") from problem
    out = io.BytesIO()
    author = piece.people[0].name if piece.people else ""
    template = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=piece.title,
        author=author,
        invariant=1,
        encrypt=StandardEncryption(password) if password else None,
    )
    template.build([flowable for mark in parse(piece.body) for flowable in _flowables(mark)])
    stamp = f"D:{piece.when:%Y%m%d%H%M%S}+00'00'".encode()
    return re.sub(rb"D:2000\d{10}\+00'00'", stamp, out.getvalue())


def _flowables(mark: Mark) -> list[Any]:
    from reportlab.lib import colors
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, Preformatted, Spacer, Table

    styles = getSampleStyleSheet()
    if mark.kind == "table":
        rows = [[Paragraph(_reportlab(cell), styles["BodyText"]) for cell in row] for row in mark.rows]
        grid = [("GRID", (0, 0), (-1, -1), 0.4, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke)]
        grid.append(("VALIGN", (0, 0), (-1, -1), "TOP"))
        return [Table(rows, style=grid, hAlign="LEFT"), Spacer(1, 8)]
    if mark.kind == "code":
        return [Preformatted(mark.text, styles["Code"]), Spacer(1, 6)]
    if mark.kind == "heading":
        return [Paragraph(_reportlab(mark.text), styles[f"Heading{min(mark.level, 4)}"])]
    if mark.kind == "bullet":
        return [Paragraph(_reportlab(mark.text), styles["BodyText"], bulletText="•")]
    return [Paragraph(_reportlab(mark.text), styles["Italic" if mark.kind == "note" else "BodyText"])]


def _reportlab(text: str) -> str:
    """Turn one line into reportlab's own small markup."""
    marked = re.sub(r"<a [^>]*>|</a>", "", inline_html(text))
    marked = marked.replace("<code>", '<font face="Courier">').replace("</code>", "</font>")
    return marked.replace("strong>", "b>")


def scan(piece: Piece, random: np.random.Generator) -> bytes:
    """Render a piece as page pictures without a text layer: turned a little, grey and grainy."""
    pages = [_scanned(page, random) for page in drawn(piece.body)]
    out = io.BytesIO()
    moment = piece.when.timetuple()
    pages[0].save(
        out,
        "PDF",
        resolution=150,
        save_all=True,
        append_images=pages[1:],
        quality=55,
        title="",
        creationDate=moment,
        modDate=moment,
    )
    return out.getvalue()


def drawn(body: str) -> list[Image.Image]:
    """Draw a body onto as many white A4 pages as it needs."""
    pages: list[Image.Image] = []
    top = SCAN_SIZE[1]
    for text, size, indent in _lines(parse(body)):
        if top + size > SCAN_SIZE[1] - 130:
            pages.append(Image.new("L", SCAN_SIZE, 250))
            top = 130
        if text:
            draw = ImageDraw.Draw(pages[-1])
            draw.text((120 + indent, top), text, font=ImageFont.load_default(size), fill=35)
        top += int(size * 1.45)
    return pages


def wrapped(text: str, font: Font, width: float) -> list[str]:
    """Break a text into lines no wider than `width` pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _lines(marks: list[Mark]) -> Iterator[tuple[str, int, int]]:
    for mark in marks:
        if mark.kind == "table":
            for row in mark.rows:
                yield "    ".join(plain(cell) for cell in row), 23, 20
        elif mark.kind == "code":
            for line in mark.text.splitlines():
                yield line, 23, 0
        else:
            size = {1: 40, 2: 31}.get(mark.level, 25)
            indent = 40 if mark.kind == "bullet" else 0
            text = ("- " if mark.kind == "bullet" else "") + plain(mark.text)
            for line in wrapped(text, ImageFont.load_default(size), SCAN_SIZE[0] - 250 - indent):
                yield line, size, indent
        yield "", 14, 0


def _scanned(page: Image.Image, random: np.random.Generator) -> Image.Image:
    turned = page.rotate(float(random.uniform(-0.9, 0.9)), Image.Resampling.BICUBIC, fillcolor=236)
    grain = 7 * random.standard_normal((SCAN_SIZE[1], SCAN_SIZE[0]), dtype=np.float32)
    shade = np.linspace(0, -14, SCAN_SIZE[0], dtype=np.float32)
    grey = np.clip(np.asarray(turned, dtype=np.float32) + grain + shade, 0, 255)
    return Image.fromarray(grey.astype(np.uint8))
