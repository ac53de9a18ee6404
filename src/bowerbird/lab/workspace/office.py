"""Word, PowerPoint and Excel files, made so that the same text gives the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bowerbird.core.errors import MissingExtra
from bowerbird.lab.workspace.markup import Mark, parse, plain
from bowerbird.lab.workspace.story import Piece


def missing(package: str) -> MissingExtra:
    """Return the error for a package of the `demo` extra that is not installed."""
    return MissingExtra(f"The demo workspace needs the package {package}.", "pip install 'bowerbird[demo]'")


def zipped(members: dict[str, bytes], when: datetime) -> bytes:
    """Return a zip archive of the members, in order, all of them dated `when`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, when.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def document(piece: Piece) -> bytes:
    """Render a piece as .docx: headings, paragraphs, lists and tables in the styles of the default template."""
    try:
        import docx
    except ImportError as problem:
        raise missing("python-docx") from problem
    paper = docx.Document()
    for mark in parse(piece.body):
        if mark.kind == "heading":
            paper.add_heading(plain(mark.text), level=mark.level - 1)
        elif mark.kind == "table":
            table = paper.add_table(rows=0, cols=len(mark.rows[0]), style="Light Grid Accent 1")
            for row in mark.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = plain(text)
        else:
            style = {"bullet": "List Bullet", "note": "Intense Quote"}.get(mark.kind, "Normal")
            paper.add_paragraph(plain(mark.text), style=style)
    return _saved(paper.save, paper.core_properties, piece)


def presentation(piece: Piece) -> bytes:
    """Render a piece as .pptx: a slide for each heading, `> ` lines as the speaker's notes."""
    try:
        import pptx
    except ImportError as problem:
        raise missing("python-pptx") from problem
    deck = pptx.Presentation()
    for title, marks in slides(parse(piece.body)):
        first = len(deck.slides) == 0
        slide = deck.slides.add_slide(deck.slide_layouts[0 if first else 1])
        slide.shapes.title.text = plain(title)
        table = next((mark for mark in marks if mark.kind == "table"), None)
        lines = [plain(mark.text) for mark in marks if mark.kind in ("bullet", "paragraph")]
        slide.placeholders[1].text_frame.text = "\n".join(lines)
        if table is not None:
            _slide_table(slide, table)
        notes = [plain(mark.text) for mark in marks if mark.kind == "note"]
        if notes:
            slide.notes_slide.notes_text_frame.text = "\n".join(notes)
    return _saved(deck.save, deck.core_properties, piece)


def slides(marks: list[Mark]) -> list[tuple[str, list[Mark]]]:
    """Group blocks by the heading above them."""
    groups: list[tuple[str, list[Mark]]] = []
    for mark in marks:
        if mark.kind == "heading":
            groups.append((mark.text, []))
        elif groups:
            groups[-1][1].append(mark)
    return groups


def workbook(piece: Piece) -> bytes:
    """Render a piece as .xlsx: a sheet for each heading, its tables below each other.

    Numbers become numbers, and a cell `=sum` the total of the numbers above it, as a value (readers of a file that no
    spreadsheet program has opened see no results of formulas).
    """
    try:
        import openpyxl
        from openpyxl.styles import Font
    except ImportError as problem:
        raise missing("openpyxl") from problem
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, marks in slides(parse(piece.body)):
        sheet = book.create_sheet(plain(title)[:31])
        for mark in marks:
            if mark.kind != "table":
                sheet.append([plain(mark.text)])
                continue
            for i, row in enumerate(summed(mark.rows)):
                sheet.append(row)
                for cell in sheet[sheet.max_row] if i == 0 else ():
                    cell.font = Font(bold=True)
            sheet.append([])
        sheet.column_dimensions["A"].width = 34
    return _saved(book.save, book.properties, piece)


def summed(rows: tuple[tuple[str, ...], ...]) -> list[list[str | float]]:
    """Turn cells into numbers where they are, and `=sum` into the total of its column."""
    out: list[list[str | float]] = []
    for row in rows:
        cells: list[str | float] = []
        for column, text in enumerate(row):
            above = [line[column] for line in out if column < len(line)]
            total = sum(value for value in above if isinstance(value, (int, float)))
            cells.append(round(total, 2) if text == "=sum" else number(text))
        out.append(cells)
    return out


def number(text: str) -> str | float:
    """Return the number that a cell holds, else its text without signs of emphasis."""
    try:
        value = float(text.replace(" ", ""))
    except ValueError:
        return plain(text)
    return int(value) if value.is_integer() and "." not in text else value


def _slide_table(slide: Any, mark: Mark) -> None:
    from pptx.util import Inches

    shape = slide.shapes.add_table(
        len(mark.rows), len(mark.rows[0]), Inches(0.6), Inches(4.2), Inches(8.8), Inches(0.35 * len(mark.rows))
    )
    for i, row in enumerate(mark.rows):
        for j, text in enumerate(row):
            shape.table.cell(i, j).text = plain(text)


def _saved(save: Callable[[io.BytesIO], None], properties: Any, piece: Piece) -> bytes:
    properties.title = piece.title
    if piece.people:
        author = "creator" if hasattr(properties, "creator") else "author"
        setattr(properties, author, piece.people[0].name)
    moment = piece.when.replace(tzinfo=None)
    properties.created = properties.modified = moment
    out = io.BytesIO()
    save(out)
    with zipfile.ZipFile(out) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return zipped({name: _dated(name, data, moment) for name, data in members.items()}, piece.when)


def _dated(name: str, data: bytes, moment: datetime) -> bytes:
    """Put back the date of change, which openpyxl sets to now while it saves."""
    if name != "docProps/core.xml" or b"<dcterms:modified" not in data:
        return data
    head, _, rest = data.partition(b"<dcterms:modified")
    attributes, _, rest = rest.partition(b">")
    _, _, tail = rest.partition(b"</dcterms:modified>")
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    return head + b"<dcterms:modified" + attributes + b">" + stamp + b"</dcterms:modified>" + tail
