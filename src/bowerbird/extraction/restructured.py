"""reStructuredText (docutils' specification) and plain text -> blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent

from bowerbird.core.records import Block
from bowerbird.extraction.draft import Draft
from bowerbird.extraction.prose import is_item, row, set_fields

_ADORNMENT = re.compile(r"([=\-`:'\"~^_*+#<>.])\1{2,}\s*$")
_SIMPLE_TABLE = re.compile(r"\s*=+(\s+=+)+\s*$")
_GRID = re.compile(r"\s*\+[-=]+(\+[-=]+)*\+\s*$")
_DIRECTIVE = re.compile(r"\s*\.\.\s+(code-block|code|sourcecode|literalinclude|parsed-literal|math|kernel-doc)::")
_FIELD_LINE = re.compile(r":[A-Za-z][\w -]*:(\s|$)")
_HEADER_GROUPS = 12
"""Fields about the document stand within its first groups of lines."""


def restructured(text: str) -> Draft:
    """Parse reStructuredText: headings (levels by order of appearance), literal blocks, tables, lists, fields."""
    draft = Draft(media_type="text/x-rst")
    draft.blocks.extend(_Reader(draft, mark_up=True).read(text))
    return draft


def plain(text: str) -> Draft:
    """Parse text without mark-up: paragraphs, lists, and headings that are underlined."""
    draft = Draft(media_type="text/plain")
    draft.blocks.extend(_Reader(draft, mark_up=False).read(text))
    return draft


class _Reader:
    """Reads groups of lines between blank ones. `literal` is the indentation beyond which a literal block goes on."""

    def __init__(self, draft: Draft, *, mark_up: bool) -> None:
        self.draft, self.mark_up = draft, mark_up
        self.styles: list[tuple[str, bool]] = []
        self.literal = -1

    def read(self, text: str) -> Iterator[Block]:
        for number, group in enumerate(_groups(text)):
            if self.literal >= 0 and _indent(group[0]) > self.literal:
                yield Block(_flush_left(group), "code")
                continue
            self.literal = -1
            yield from self._group(number, group)

    def _group(self, number: int, group: list[str]) -> Iterator[Block]:
        while group:
            heading, used = self._heading(group)
            if heading is None:
                yield self._body(number, group)
                return
            yield heading
            group = group[used:]

    def _heading(self, group: list[str]) -> tuple[Block | None, int]:
        """Return the heading a group begins with and how many lines it takes."""
        over = len(group) > 2 and _ADORNMENT.match(group[0]) and _ADORNMENT.match(group[2])
        if over and group[0][0] == group[2][0] and not _ADORNMENT.match(group[1]) and not _SIMPLE_TABLE.match(group[0]):
            return self._titled(group[1], (group[0][0], True)), 3
        if len(group) < 2 or _indent(group[0]) or _ADORNMENT.match(group[0]) or not _ADORNMENT.match(group[1]):
            return None, 0
        if len(group[1].strip()) < min(len(group[0].strip()), 40) * 0.7 or is_item(group[0]):
            return None, 0
        return self._titled(group[0], (group[1][0], False)), 2

    def _titled(self, text: str, style: tuple[str, bool]) -> Block:
        if style not in self.styles:
            self.styles.append(style)
        return Block(text.strip(), "heading", min(6, self.styles.index(style) + 1))

    def _body(self, number: int, group: list[str]) -> Block:
        if self.mark_up and (_DIRECTIVE.match(group[0]) or group[-1].rstrip().endswith("::")):
            self.literal = min(_indent(line) for line in group)
        if self.mark_up and number < _HEADER_GROUPS and all(_FIELD_LINE.match(line) for line in group):
            set_fields(self.draft, group)
            return Block("\n".join(group), "header")
        if group[0].lstrip().startswith("+-") and any(_GRID.match(line) for line in group):
            rows = [line.strip() for line in group if not _GRID.match(line)]
            return Block("\n".join(row(line.strip("|").split("|")) for line in rows), "table")
        if self.mark_up and group[0].lstrip().startswith("==") and any(_SIMPLE_TABLE.match(line) for line in group):
            rows = [re.sub(r"\s{2,}", " | ", line.strip()) for line in group if not _SIMPLE_TABLE.match(line)]
            return Block("\n".join(rows), "table")
        return Block(_flush_left(group), "list" if is_item(group[0]) else "paragraph")


def _flush_left(group: list[str]) -> str:
    """Join lines without the indentation they share."""
    text = "\n".join(group)
    return dedent(text) if group[0].startswith(" ") else text


def _groups(text: str) -> Iterator[list[str]]:
    group: list[str] = []
    for line in text.split("\n"):
        if line.strip():
            group.append(line.expandtabs(8))
        elif group:
            yield group
            group = []
    if group:
        yield group


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
