"""Document -> Passage: slices of the document's text, cut at headings, pages, blocks and sentences.

A passage is always `Document.text[place.start:place.end]`, so a preview can show it in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bowerbird.core.records import Block, Document, Passage, Place
from bowerbird.store.items import StoredItem

CUT_VERSION = 2
"""Grows whenever the same document would be cut differently; the index is then built anew."""

_SENTENCE_END = re.compile(r"(?<=[.!?;:])\s+|\n+|(?<=[。！？])")
_WIDE = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_LATIN_CHARACTERS_PER_TOKEN = 4.2


def cut(item: StoredItem, document: Document | None, target: int) -> list[Passage]:
    """Cut a document into passages of about `target` tokens; an item without text gives one empty passage.

    A passage begins anew at a page, and at a heading once it is long enough; longer blocks are split at sentences.
    """
    passages: list[Passage] = []
    if document is not None:
        text = document.text
        for place in _places(document.blocks, target):
            ordinal = len(passages)
            passages.append(Passage(item.id, item.content_version, ordinal, text[place.start : place.end], place))
    return passages or [Passage(item.id, item.content_version, 0, "")]


def search_text(item: StoredItem, passage: Passage) -> str:
    """Return what the word search reads of a passage: title and heading path, the text, and first of all the name.

    What the text itself begins with is not said twice. An item's first passage has its people's names, too.
    """
    parts = [part for part in (item.title, *passage.place.headings) if part not in passage.text[: len(part) + 200]]
    if passage.ordinal == 0:
        parts = [name_words(item.key), *parts, *(person.name for person in item.people)]
    return "\n".join((*dict.fromkeys(parts), passage.text))


def encoded_text(item: StoredItem, passage: Passage) -> str:
    """Return what the encoder reads of a passage: title and heading path in front of the text."""
    parts = dict.fromkeys((item.title, *passage.place.headings))
    context = " › ".join(part for part in parts if part and part not in passage.text[: len(part) + 200])
    return f"{context}\n{passage.text}" if context and passage.text else context or passage.text


def name_words(key: str) -> str:
    """Return the words of a path, whole and split at case, digits and punctuation.

    >>> name_words("reports/Q3_budgetPlan.v2.xlsx")
    'reports Q3_budgetPlan.v2.xlsx Q 3 budget Plan v 2 xlsx'
    """
    folders = key.split("/")
    parts = [part for part in _PARTS.findall(folders[-1]) if part != folders[-1]]
    return " ".join((*folders, *parts))


def tokens(text: str) -> float:
    """Estimate the encoder's tokens of a text: 4.2 characters each, wide scripts one each.

    >>> tokens("four score"), tokens("日本")
    (2.380952380952381, 2.0)
    """
    if text.isascii():
        return len(text) / _LATIN_CHARACTERS_PER_TOKEN
    wide = len(_WIDE.findall(text))
    return wide + (len(text) - wide) / _LATIN_CHARACTERS_PER_TOKEN


@dataclass(slots=True)
class _Open:
    """The passage being gathered: its span and what is known of its beginning."""

    start: int
    end: int = 0
    length: float = 0.0
    page: int | None = None
    seconds: tuple[float, float] | None = None
    headings: tuple[str, ...] = field(default=())
    only_headings: bool = True

    def place(self) -> Place:
        return Place(self.headings, self.page, self.start, self.end, self.seconds)


def _places(blocks: Sequence[Block], target: int) -> Iterator[Place]:
    path: list[tuple[int, str]] = []
    current: _Open | None = None
    position = 0
    for block in blocks:
        if not block.text:
            continue
        if current is not None and _must_close(current, block, target):
            yield current.place()
            current = None
        if block.kind == "heading":
            path = [(level, text) for level, text in path if level < max(block.level, 1)]
            path.append((max(block.level, 1), " ".join(block.text.split())))
        for start, end, length in _pieces(block.text, target):
            if current is not None and _is_full(current, length, target):
                yield current.place()
                current = None
            if current is None:
                headings = tuple(text for _, text in path)
                current = _Open(position + start, page=block.page, seconds=block.seconds, headings=headings)
            current.end = position + end
            current.length += length
            current.only_headings &= block.kind == "heading"
        position += len(block.text) + 2
    if current is not None:
        yield current.place()


def _is_full(current: _Open, more: float, target: int) -> bool:
    if current.only_headings and current.length <= target * 0.4:
        return False  # a heading stays with what it is the heading of
    return current.length + more > target * 1.15


def _must_close(current: _Open, block: Block, target: int) -> bool:
    if current.only_headings:
        return block.page != current.page and current.length > target / 4
    if block.page != current.page:
        return current.length > target / 10
    return block.kind == "heading" and current.length > target * 0.4


def _pieces(text: str, target: int) -> Iterator[tuple[int, int, float]]:
    """Yield (start, end, tokens) of a block's pieces: whole where it fits, else runs of sentences or characters."""
    whole = tokens(text)
    if not text.strip():
        return
    if whole <= target:
        yield 0, len(text), whole
        return
    for start, end, length in _runs(text, target, whole):
        if start == end:
            continue
        if length <= target * 1.7:
            yield start, end, length
        else:  # of a script that takes more tokens than the text on the whole
            yield from ((start + first, start + last, part) for first, last, part in _pieces(text[start:end], target))


def _runs(text: str, target: int, whole: float) -> Iterator[tuple[int, int, float]]:
    """Yield runs of about the length in characters that has `target` tokens on the average of the text."""
    start = 0
    boundaries = [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    longest = max(1, int(len(text) * target / whole))
    end = 0
    for boundary in boundaries:
        if boundary - start > longest and end > start:
            yield _trimmed(text, start, end)
            start = end
        while boundary - start > longest * 1.5:
            end = _word_end(text, start, start + longest)
            yield _trimmed(text, start, end)
            start = end
        end = boundary
    if text[start:].strip():
        yield _trimmed(text, start, len(text))


def _word_end(text: str, start: int, position: int) -> int:
    space = text.rfind(" ", max(start, position - 80), position)
    return space + 1 if space > start else position


def _trimmed(text: str, start: int, end: int) -> tuple[int, int, float]:
    piece = text[start:end]
    stripped = piece.rstrip()
    return start, start + len(stripped), tokens(stripped)
