"""Pictures with text in them: screenshots of our own programs, and photographs of boards, signs and labels."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bowerbird.lab.workspace.paper import wrapped
from bowerbird.lab.workspace.story import Piece, listed

SCREEN_SIZE, PHOTO_SIZE = (1440, 900), (1600, 1200)

_INK, _PALE, _LINE = (31, 41, 51), (110, 122, 135), (222, 227, 232)
_TONES = {"ok": (33, 135, 86), "warn": (196, 120, 12), "bad": (190, 40, 45)}


def screenshot(piece: Piece) -> bytes:
    """Draw a screenshot as PNG: a terminal, or the window of a program with cards, rows and a dialog.

    The body's lines are `heading: TEXT`, `card: VALUE | LABEL | TONE`, `chart: NUMBERS | LABEL`, `row: CELL | CELL`,
    `text: LINE` and `dialog: TITLE | TEXT | BUTTON`.
    """
    image = Image.new("RGB", SCREEN_SIZE, (246, 248, 250))
    draw = ImageDraw.Draw(image)
    if piece.fields.get("style") == "terminal":
        draw.rectangle((0, 0, *SCREEN_SIZE), fill=(22, 27, 34))
        for i, line in enumerate(piece.body.splitlines()):
            tone = (126, 231, 135) if line.startswith("$") else (255, 150, 140) if "rror" in line else (214, 220, 228)
            draw.text((36, 36 + i * 38), line, font=ImageFont.load_default(25), fill=tone)
        return _png(image)
    _frame(draw, piece)
    _content(draw, [line.partition(": ")[::2] for line in piece.body.splitlines() if ": " in line])
    return _png(image)


def _frame(draw: ImageDraw.ImageDraw, piece: Piece) -> None:
    draw.rectangle((0, 0, SCREEN_SIZE[0], 56), fill=(18, 52, 77))
    draw.text((24, 14), piece.fields["title"], font=ImageFont.load_default(25), fill="white")
    draw.rectangle((0, 56, 230, SCREEN_SIZE[1]), fill=(232, 237, 241))
    for i, name in enumerate(listed(piece.fields.get("nav", ""), ",")):
        chosen = name.startswith("*")
        if chosen:
            draw.rectangle((0, 80 + i * 48, 230, 122 + i * 48), fill="white")
        draw.text((28, 88 + i * 48), name.lstrip("*"), font=ImageFont.load_default(22), fill=_INK if chosen else _PALE)


def _content(draw: ImageDraw.ImageDraw, lines: list[tuple[str, ...]]) -> None:
    left, top = 262, 84
    cards = 0
    for word, text in lines:
        cells = [cell.strip() for cell in text.split("|")]
        if word == "card":
            _card(draw, (left + cards * 288, top), cells)
            cards += 1
            continue
        top += 190 if cards else 0
        cards = 0
        if word == "heading":
            draw.text((left, top), text, font=ImageFont.load_default(34), fill=_INK)
            top += 62
        elif word == "row":
            for i, cell in enumerate(cells):
                at = left + 14 + (220 + (i - 1) * 900 // (len(cells) - 1) if i else 0)
                draw.text((at, top), cell, font=ImageFont.load_default(22), fill=_INK)
            draw.line((left, top + 36, SCREEN_SIZE[0] - 40, top + 36), fill=_LINE)
            top += 48
        elif word == "chart":
            _chart(draw, (left, top), [float(value) for value in cells[0].split()], cells[1])
            top += 280
        elif word == "dialog":
            _dialog(draw, cells)
        else:
            draw.text((left, top), text, font=ImageFont.load_default(23), fill=_PALE)
            top += 40


def _card(draw: ImageDraw.ImageDraw, at: tuple[int, int], cells: list[str]) -> None:
    left, top = at
    tone = _TONES.get(cells[2] if len(cells) > 2 else "", _INK)
    draw.rounded_rectangle((left, top, left + 268, top + 160), 10, fill="white", outline=_LINE, width=2)
    draw.rectangle((left, top + 12, left + 6, top + 148), fill=tone)
    draw.text((left + 24, top + 28), cells[0], font=ImageFont.load_default(42), fill=tone)
    draw.text((left + 24, top + 102), cells[1], font=ImageFont.load_default(22), fill=_PALE)


def _chart(draw: ImageDraw.ImageDraw, at: tuple[int, int], values: list[float], label: str) -> None:
    left, top = at
    draw.rounded_rectangle((left, top, left + 1132, top + 258), 10, fill="white", outline=_LINE, width=2)
    draw.text((left + 18, top + 12), label, font=ImageFont.load_default(20), fill=_PALE)
    low, high = min(values) - 0.3, max(values) + 0.3
    step = 1090 / (len(values) - 1)
    points = [(left + 20 + i * step, top + 244 - (v - low) / (high - low) * 196) for i, v in enumerate(values)]
    draw.line(points, fill=(30, 110, 160), width=4, joint="curve")
    draw.text((left + 1050, points[-1][1] - 36), str(values[-1]), font=ImageFont.load_default(22), fill=_INK)


def _dialog(draw: ImageDraw.ImageDraw, cells: list[str]) -> None:
    draw.rounded_rectangle((420, 480, 1260, 800), 14, fill="white", outline=_PALE, width=3)
    draw.text((456, 508), cells[0], font=ImageFont.load_default(31), fill=_TONES["bad"])
    font = ImageFont.load_default(24)
    for i, line in enumerate(wrapped(cells[1], font, 760)):
        draw.text((456, 570 + i * 36), line, font=font, fill=_INK)
    draw.rounded_rectangle((1080, 732, 1230, 780), 8, fill=(18, 52, 77))
    draw.text((1102, 742), cells[2], font=ImageFont.load_default(23), fill="white")


def photo(piece: Piece, random: np.random.Generator) -> bytes:
    """Draw a photograph as JPEG: a `whiteboard`, a `sign` or a `label` on a blurred background, turned and grainy."""
    style = piece.fields.get("style", "whiteboard")
    image = _background(style, random)
    board, ink = {
        "whiteboard": ((240, 242, 240), (30, 60, 140)),
        "sign": ((250, 205, 40), (20, 20, 20)),
        "label": ((250, 250, 246), (25, 25, 25)),
    }[style]
    sheet = Image.new("RGB", (1240, 880), board)
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((8, 8, 1231, 871), outline=tuple(value // 2 for value in board), width=5)
    _handwriting(draw, piece.body, ink, random if style == "whiteboard" else None)
    sheet = sheet.convert("RGBA").rotate(float(random.uniform(-3, 3)), Image.Resampling.BILINEAR, expand=True)
    image.paste(sheet, (170, 130), sheet)
    grain = 6 * random.standard_normal((PHOTO_SIZE[1], PHOTO_SIZE[0], 1), dtype=np.float32)
    shine = np.linspace(8, -22, PHOTO_SIZE[0], dtype=np.float32)[None, :, None]
    pixels = np.clip(np.asarray(image, dtype=np.float32) + grain + shine, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0132] = f"{piece.when:%Y:%m:%d %H:%M:%S}"
    exif[0x010F] = "Oarlock"
    Image.fromarray(pixels).save(out, "JPEG", quality=82, exif=exif)
    return out.getvalue()


def _handwriting(
    draw: ImageDraw.ImageDraw, body: str, ink: tuple[int, int, int], random: np.random.Generator | None
) -> None:
    top = 50.0
    red = (170, 40, 40)
    lines = body.splitlines()
    for line in lines:
        heading = line.startswith("# ")
        size = 78 if heading else min(56, 480 // (len(lines) - 1))
        left = 60.0 + (float(random.uniform(-8, 14)) if random is not None else 0.0)
        draw.text((left, top), line.lstrip("# "), font=ImageFont.load_default(size), fill=red if heading else ink)
        top += size * 1.42 + (float(random.uniform(-4, 6)) if random is not None else 0.0)


def _background(style: str, random: np.random.Generator) -> Image.Image:
    base = {"whiteboard": (120, 116, 108), "sign": (86, 120, 110), "label": (72, 76, 84)}[style]
    coarse = random.integers(-34, 34, (9, 12, 1)) + random.integers(-8, 8, (9, 12, 3)) + np.array(base)
    small = Image.fromarray(np.clip(coarse, 0, 255).astype(np.uint8))
    return small.resize(PHOTO_SIZE, Image.Resampling.BICUBIC)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
