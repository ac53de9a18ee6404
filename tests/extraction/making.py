"""Small files of many kinds, made anew for each test by the libraries that people's programs stand for."""

import io
import json
import struct
import wave
import zipfile
from datetime import UTC, datetime

from docx import Document as Word
from openpyxl import Workbook
from PIL import Image
from pptx import Presentation
from reportlab.lib import pagesizes
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table


def word() -> bytes:
    made = Word()
    made.core_properties.title = "Quarterly plan"
    made.core_properties.author = "Ada Lovelace"
    made.core_properties.created = datetime(2024, 3, 1, 9, 30, tzinfo=UTC)
    made.add_heading("Plan", 1)
    made.add_paragraph("The harvest festival needs a larger tent this year.")
    made.add_heading("Budget", 2)
    table = made.add_table(2, 3)
    for row, texts in zip(table.rows, (("Item", "Cost", "By"), ("Tent", "100", "June")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    made.add_paragraph("rope", style="List Bullet")
    made.add_paragraph("pegs", style="List Bullet")
    made.add_paragraph("Measure twice, cut once.", style="Quote")
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def slides() -> bytes:
    made = Presentation()
    for title, body in (("Launch", "when\nwhere"), ("Risks", "rain")):
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
    made.slides[0].notes_slide.notes_text_frame.text = "Speak slowly."
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def sheets() -> bytes:
    made = Workbook()
    made.active.title = "Costs"
    made.active.append(["Item", "Cost"])
    made.active.append(["Tent", 100])
    made.create_sheet("People").append(["Ada", "Countess"])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def pdf(password: str = "") -> bytes:
    styles = getSampleStyleSheet()
    out = io.BytesIO()
    encrypt = StandardEncryption(password, canPrint=0) if password else None
    SimpleDocTemplate(out, title="Field guide", author="Bob Birder", encrypt=encrypt).build(
        [
            Paragraph("Nests", styles["Heading1"]),
            Paragraph("The bowerbird decorates its bower with blue things. " * 8, styles["Normal"]),
            Table([["Species", "Colour"], ["Satin", "blue"]], style=[("GRID", (0, 0), (-1, -1), 1, "black")]),
            PageBreak(),
            Paragraph("Songs", styles["Heading1"]),
            Paragraph("It imitates the kookaburra and the chainsaw. " * 8, styles["Normal"]),
        ]
    )
    return out.getvalue()


def scan() -> bytes:
    """A PDF of one page of text and one that is only a picture."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=pagesizes.A5)
    canvas.drawString(50, 500, "The first page has words that were typed.")
    canvas.showPage()
    canvas.drawImage(ImageReader(Image.new("RGB", (60, 80), "gray")), 0, 0, 400, 500)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, "navy")
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "Canon", "EOS", "2023:07:01 12:00:00"
    image.save(out, kind, exif=exif)
    return out.getvalue()


def png_bomb() -> bytes:
    """A PNG that claims a hundred gigapixels."""
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 400_000, 300_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def sound(seconds: float = 1.5) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(8000 * seconds))
    return out.getvalue()


def message() -> bytes:
    return (
        b"From: =?utf-8?q?Ada_L=C3=B6velace?= <Ada@Example.org>\r\n"
        b"To: Bob <bob@example.org>, carol@example.org\r\n"
        b"Cc: Dan <dan@example.org>\r\n"
        b"Subject: =?utf-8?b?VGhlIHRlbnQg4oCTIGFnYWlu?=\r\n"
        b"Date: Mon, 01 Jan 2024 10:00:00 +0100\r\n"
        b"Message-ID: <1@example.org>\r\nIn-Reply-To: <0@example.org>\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="BB"\r\n\r\n'
        b"--BB\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear Bob,\r\n\r\nthe tent leaks.\r\n"
        b"--BB\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=list.txt\r\n\r\n"
        b"ropes and pegs\r\n--BB--\r\n"
    )


def event() -> bytes:
    return (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:42\r\n"
        b"SUMMARY:Autumn planning\\, part two\r\nDTSTART:20240905T130000Z\r\nDTEND:20240905T140000Z\r\n"
        b"LOCATION:Room 5\r\nORGANIZER;CN=Ada Lovelace:mailto:ada@example.org\r\n"
        b'ATTENDEE;CN="Bob, B.";ROLE=REQ-PARTICIPANT:mailto:bob@example.org\r\n'
        b"DESCRIPTION:Bring the long\r\n  list.\\nAnd tea.\r\n"
        b"BEGIN:VALARM\r\nDESCRIPTION:Ring\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def card() -> bytes:
    return (
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada Lovelace\r\nN:Lovelace;Ada;;;\r\nORG:Engines;Analysis\r\n"
        b"item1.EMAIL;TYPE=work:ada@example.org\r\nTEL:+44 1\r\nNOTE:Likes numbers\r\nEND:VCARD\r\n"
    )


def notebook() -> bytes:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Analysis of songs\n", "Some words."]},
        {"cell_type": "code", "metadata": {}, "source": ["print(1)"], "outputs": [], "execution_count": 1},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def zipped(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


def bomb_docx() -> bytes:
    """A Word file whose text expands to 270 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/word/document.xml" ContentType="{kind}"/></Types>',
        )
        with archive.open("word/document.xml", "w") as file:
            file.write(b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>')
            for _ in range(270):
                file.write(b"<w:p><w:r><w:t>" + b"a" * (1 << 20) + b"</w:t></w:r></w:p>")
            file.write(b"</w:body></w:document>")
    return out.getvalue()
