"""The little Markdown that the texts are written in, as blocks that every format can draw."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Mark:
    """One block: a heading (level from 1), paragraph, bullet, table (rows of cells), note (`> `) or code."""

    kind: Literal["heading", "paragraph", "bullet", "table", "note", "code"]
    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


def parse(body: str) -> list[Mark]:
    """Parse a body; blank lines part paragraphs; bullets and headings stand on one line each."""
    return [mark for chunk in _chunks(body) for mark in _marks(chunk)]


def plain(text: str) -> str:
    """Drop the signs of emphasis, code and links.

    >>> plain("**E-217** in `probe.c`, see [the notes](x.md)")
    'E-217 in probe.c, see the notes'
    """
    text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)
    return re.sub(r"\*\*|`", "", text)


def inline_html(text: str) -> str:
    """Turn emphasis, code and links of one line into HTML."""
    text = html.escape(text, quote=False)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', text)


def to_html(body: str) -> str:
    """Turn a body into HTML blocks (no page around them)."""
    parts: list[str] = []
    marks = parse(body)
    for i, mark in enumerate(marks):
        if mark.kind == "bullet":
            before = i > 0 and marks[i - 1].kind == "bullet"
            after = i + 1 < len(marks) and marks[i + 1].kind == "bullet"
            parts.append(("" if before else "<ul>") + f"<li>{inline_html(mark.text)}</li>" + ("" if after else "</ul>"))
        else:
            parts.append(_element(mark))
    return "\n".join(parts)


def _element(mark: Mark) -> str:
    if mark.kind == "heading":
        return f"<h{mark.level}>{inline_html(mark.text)}</h{mark.level}>"
    if mark.kind == "code":
        return f"<pre><code>{html.escape(mark.text, quote=False)}</code></pre>"
    if mark.kind == "table":
        cells = [("th" if i == 0 else "td", row) for i, row in enumerate(mark.rows)]
        rows = ["<tr>" + "".join(f"<{tag}>{inline_html(c)}</{tag}>" for c in row) + "</tr>" for tag, row in cells]
        return "<table>\n" + "\n".join(rows) + "\n</table>"
    tag = "blockquote" if mark.kind == "note" else "p"
    return f"<{tag}>{inline_html(mark.text)}</{tag}>"


def _chunks(body: str) -> Iterator[list[str]]:
    """Yield runs of lines that belong together: a table, a fence, or anything between blank lines."""
    chunk: list[str] = []
    fenced = False
    for line in body.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        ends = not fenced and not line.strip()
        if chunk and (ends or (not fenced and chunk[-1].startswith("|") != line.startswith("|"))):
            yield chunk
            chunk = []
        if not ends:
            chunk.append(line)
    if chunk:
        yield chunk


def _marks(chunk: list[str]) -> Iterator[Mark]:
    if chunk[0].startswith("```"):
        yield Mark("code", "\n".join(chunk[1:-1]))
        return
    if chunk[0].startswith("|"):
        rows = [tuple(cell.strip() for cell in line.strip().strip("|").split("|")) for line in chunk]
        yield Mark("table", rows=tuple(row for row in rows if not all(set(cell) <= {"-", ":"} for cell in row)))
        return
    running: list[str] = []
    for line in chunk:
        sign = re.match(r"(#{1,6}|-|\d+\.|>) (.*)", line)
        if sign is None:
            running.append(line.strip())
            continue
        if running:
            yield Mark("paragraph", " ".join(running))
            running = []
        yield _signed(sign[1], sign[2])
    if running:
        yield Mark("paragraph", " ".join(running))


def _signed(sign: str, text: str) -> Mark:
    if sign.startswith("#"):
        return Mark("heading", text, level=len(sign))
    if sign == ">":
        return Mark("note", text)
    return Mark("bullet", text if sign == "-" else f"{sign} {text}")
