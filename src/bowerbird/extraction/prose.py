"""Markdown (CommonMark 0.31 block structure, with tables and front matter) -> blocks, and mark-up free lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import parseaddr
from textwrap import dedent

from bowerbird.core.records import Block, BlockKind, Person
from bowerbird.extraction.draft import Draft, when

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,9}[.)])\s+\S")
_DELIMITERS = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_FIELD = re.compile(r"([A-Za-z][\w -]{0,30}):\s*(.*)$")


def markdown(text: str) -> Draft:
    """Parse Markdown. Inline mark-up stays as written; a front matter of `key: value` lines becomes fields."""
    draft = Draft(media_type="text/markdown")
    lines = text.split("\n")
    start = _front_matter(lines, draft)
    draft.blocks.extend(_Reader(lines, start).read())
    return draft


def is_item(line: str) -> bool:
    """Say whether a line begins an item of a list."""
    return _ITEM.match(line) is not None


def row(cells: list[str]) -> str:
    """Write a table row as a line: `a | b | c`."""
    return " | ".join(cell.replace("\n", " ").strip() for cell in cells).rstrip()


class _Reader:
    """Walks over the lines once; `pending` are the lines of the paragraph, list or quote being read."""

    def __init__(self, lines: list[str], start: int) -> None:
        self.lines, self.at = lines, start
        self.blocks: list[Block] = []
        self.pending: list[str] = []
        self.kind: BlockKind = "paragraph"

    def read(self) -> list[Block]:
        steps: tuple[Callable[[str], bool], ...] = (
            self._blank, self._fence, self._atx, self._setext, self._table, self._indented,
        )  # fmt: skip
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not any(step(line) for step in steps):
                self._text(line)
                self.at += 1
        self._flush()
        return self.blocks

    def _flush(self) -> None:
        if self.pending:
            self.blocks.append(Block("\n".join(self.pending), self.kind))
        self.pending, self.kind = [], "paragraph"

    def _blank(self, line: str) -> bool:
        if line.strip():
            return False
        following = self.lines[self.at + 1] if self.at + 1 < len(self.lines) else ""
        # A loose list goes on over its blank lines: with the next item, or an indented part of this one.
        if not (self.kind == "list" and (is_item(following) or following.startswith("  "))):
            self._flush()
        self.at += 1
        return True

    def _fence(self, line: str) -> bool:
        opened = _FENCE.match(line)
        if opened is None or "`" in opened.group(2):
            return False
        self._flush()
        end = self.at + 1
        while end < len(self.lines) and not self._closes(self.lines[end], opened.group(1)):
            end += 1
        self.blocks.append(Block("\n".join(self.lines[self.at + 1 : end]), "code"))
        self.at = end + 1
        return True

    @staticmethod
    def _closes(line: str, fence: str) -> bool:
        line = line.strip()
        return len(line) >= len(fence) and set(line) == {fence[0]}

    def _atx(self, line: str) -> bool:
        heading = _ATX.match(line)
        if heading is None:
            return False
        self._flush()
        self.blocks.append(Block(heading.group(2) or "", "heading", len(heading.group(1))))
        self.at += 1
        return True

    def _setext(self, line: str) -> bool:
        underline = _SETEXT.match(line)
        if underline is None or not self.pending or self.kind != "paragraph" or len(self.pending) > 3:
            return False
        level = 1 if underline.group(1)[0] == "=" else 2
        self.blocks.append(Block(" ".join(part.strip() for part in self.pending), "heading", level))
        self.pending = []
        self.at += 1
        return True

    def _table(self, line: str) -> bool:
        following = self.lines[self.at + 1] if self.at + 1 < len(self.lines) else ""
        if "|" not in line or "|" not in following or _DELIMITERS.match(following) is None:
            return False
        self._flush()
        rows = [line]
        self.at += 2
        while self.at < len(self.lines) and "|" in self.lines[self.at]:
            rows.append(self.lines[self.at])
            self.at += 1
        self.blocks.append(Block("\n".join(row(text.strip().strip("|").split("|")) for text in rows), "table"))
        return True

    def _indented(self, line: str) -> bool:
        if self.pending or not line.startswith(("    ", "\t")):
            return False
        end = self.at
        while end < len(self.lines) and (not self.lines[end].strip() or self.lines[end].startswith(("    ", "\t"))):
            end += 1
        self.blocks.append(Block(dedent("\n".join(self.lines[self.at : end])), "code"))
        self.at = end
        return True

    def _text(self, line: str) -> None:
        kind: BlockKind = "list" if is_item(line) else "quote" if line.lstrip().startswith(">") else "paragraph"
        if kind != self.kind and not (kind == "paragraph" and self.kind != "paragraph"):
            self._flush()
            self.kind = kind
        self.pending.append(line.lstrip(" >") if self.kind == "quote" else line)


def _front_matter(lines: list[str], draft: Draft) -> int:
    """Read `---` front matter into the draft and return the line after it, 0 where there is none."""
    if lines[0].strip() != "---":
        return 0
    end = next((at for at, line in enumerate(lines[1:60], 1) if line.strip() in ("---", "...")), 0)
    if not end or not any(_FIELD.match(line) for line in lines[1:end]):
        return 0
    draft.blocks.append(Block("\n".join(lines[1:end]), "header"))
    set_fields(draft, lines[1:end])
    return end + 1


def set_fields(draft: Draft, lines: list[str]) -> None:
    """Take `Key: value` lines into a draft: title, author(s), date and language where they belong, all as fields."""
    for line in lines:
        found = _FIELD.match(line.strip().removeprefix(":"))
        if found is None:
            continue
        key, value = found.group(1).lower().strip(), found.group(2).strip(" \"'")
        draft.fields[key] = value
        if key == "title":
            draft.title = value
        elif key in ("author", "authors"):
            draft.authors.extend(person(part) for part in value.strip("[]").split(",") if part.strip())
        elif key in ("date", "created"):
            draft.created = when(value)


def person(text: str) -> Person:
    """Read `Name <address>`, an address alone, or a name alone."""
    name, address = parseaddr(text)
    return Person(name or text, address) if "@" in address else Person(text.strip(" \"'"))
