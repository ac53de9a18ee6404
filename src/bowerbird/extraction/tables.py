"""Rows and records -> blocks: delimited text (RFC 4180), JSON (RFC 8259) and JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from bowerbird.core.records import Block
from bowerbird.extraction.draft import MAX_CHARACTERS, Draft
from bowerbird.extraction.prose import row

_ROWS, _ROW_CHARACTERS = 40, 4000
"""A long table is parted after so many rows or characters, and its first row is said again, as a caption."""


def table(rows: Iterable[list[str]], page: int | None = None) -> Iterator[Block]:
    """Yield table blocks of lines `a | b | c`; empty rows are left out."""
    head, held, size, total = "", [], 0, 0
    for cells in rows:
        text = row(cells)
        if not text.strip(" |"):
            continue
        head = head or text
        held.append(text)
        size += len(text)
        total += len(text)
        if len(held) > _ROWS or size > _ROW_CHARACTERS:
            yield Block("\n".join(held), "table", page=page)
            held, size = [head], 0
            if total > MAX_CHARACTERS:
                break
    if size:
        yield Block("\n".join(held), "table", page=page)


def delimited(text: str) -> Draft:
    """Parse comma-, semicolon-, tab- or bar-separated values."""
    head = "\n".join(text.split("\n", 20)[:20])
    delimiter = max(",;\t|", key=lambda each: (head.count(each), each == ","))
    csv.field_size_limit(MAX_CHARACTERS)
    draft = Draft(media_type="text/csv", untitled=True)
    try:
        draft.blocks.extend(table(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)))
    except csv.Error:
        draft.blocks = [Block(text, "table")]  # unbalanced quotes in a huge field: the text as it stands
    return draft


def records(text: str) -> Draft:
    """Parse JSON or JSON Lines: `key: value` lines, a block for each entry of the outermost list or object."""
    draft = Draft(media_type="application/json", untitled=True, prose=False)
    try:
        draft.blocks.extend(_entries(_values(text)))
    except (ValueError, RecursionError):
        draft.blocks = [Block(text, "code")]
    return draft


def _values(text: str) -> list[object]:
    try:
        value = json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    if isinstance(value, list):
        return value
    return [{key: part} for key, part in value.items()] if isinstance(value, dict) else [value]


def _entries(values: list[object]) -> Iterator[Block]:
    """Yield blocks; entries of a line or two are joined."""
    held: list[str] = []
    for value in values:
        lines = list(_lines(value, ""))
        if held and len(held) + len(lines) > _ROWS:
            yield Block("\n".join(held), "code")
            held = []
        held.extend(lines)
        if len(lines) > 2:
            yield Block("\n".join(held), "code")
            held = []
    yield Block("\n".join(held), "code")


def _lines(value: object, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        pairs = [(f"{key}:", part) for key, part in value.items()]
    elif isinstance(value, list):
        pairs = [("-", part) for part in value]
    else:
        yield indent + _scalar(value)
        return
    for label, part in pairs:
        if isinstance(part, dict | list) and part:
            yield indent + label
            yield from _lines(part, indent + "  ")
        else:
            yield f"{indent}{label} {_scalar(part)}"


def _scalar(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
