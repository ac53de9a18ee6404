"""The document tree of xberg -> blocks in reading order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bowerbird.core.records import Block, BlockKind
from bowerbird.extraction.tables import table

_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)\s]*\)")
_ITEMS = 40
_SLIDE_TITLE = 120
_NO_SLIDE_TITLE = re.compile(r"(page|slide|folie|diapo)\s*\d+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a kind of document is read: with pages, as slides whose first line is a title, or as bare XML."""

    paged: bool = False
    slides: bool = False
    bare: bool = False


@dataclass
class NodeReader:
    """Walks over xberg's nodes once. `depicted` counts images that carry no description."""

    nodes: list[Any]
    manner: Manner
    depicted: int = 0
    slide: int | None = None
    titled: set[int | None] = field(default_factory=set)
    items: list[str] = field(default_factory=list)
    items_page: int | None = None
    tag: str = ""

    def read(self) -> Iterator[Block]:
        """Yield the blocks; list items that follow each other make one block."""
        readers: dict[str, Callable[[dict[str, Any], int | None], Iterator[Block]]] = {
            "title": self._heading, "heading": self._heading, "table": self._table, "code": self._code,
            "slide": self._slide, "image": self._image, "metadata_block": self._entries,
            "definition_item": self._definition,
        }  # fmt: skip
        for node in self.nodes:
            content = msgspec.json.decode(str(node.content).encode("utf-8", "replace"))
            kind = content["node_type"]
            page = (node.page or self.slide) if self.manner.paged else None
            if kind == "list_item":
                yield from self._item(node, content, page)
                continue
            if kind in ("list", "group", "page_break", "quote"):
                continue
            yield from self._items_held()
            if kind in readers:
                yield from readers[kind](content, page)
            else:
                yield from self._text(node, content, page)
        yield from self._items_held()

    def _heading(self, content: dict[str, Any], page: int | None) -> Iterator[Block]:
        if self.manner.bare:
            self.tag = content["text"].rpartition(":")[2]
            return
        self.titled.add(page)
        yield Block(content["text"], "heading", min(6, max(1, content.get("level", 1))), page)

    def _table(self, content: dict[str, Any], page: int | None) -> Iterator[Block]:
        grid = content["grid"]
        rows: dict[int, dict[int, str]] = {}
        for cell in grid["cells"]:
            rows.setdefault(cell["row"], {})[cell["col"]] = cell["content"]
        lines = ([cells.get(column, "") for column in range(max(cells) + 1)] for _, cells in sorted(rows.items()))
        yield from table(lines, page)

    def _code(self, content: dict[str, Any], page: int | None) -> Iterator[Block]:
        yield Block(content["text"], "code", page=page)

    def _slide(self, content: dict[str, Any], page: int | None) -> Iterator[Block]:
        self.slide = content["number"]
        title = content.get("title") or ""
        if title and not _NO_SLIDE_TITLE.match(title) and self.slide not in self.titled:
            self.titled.add(self.slide)
            yield Block(title, "heading", 1, self.slide if self.manner.paged else None)

    def _image(self, content: dict[str, Any], page: int | None) -> Iterator[Block]:
        if content.get("description"):
            yield Block(content["description"], page=page)
        else:
            self.depicted += 1

    def _entries(self, content: dict[str, Any], page: int | None) -> Iterator[Block]:
        """Mail headers; what a web page says of itself in its head is not for reading."""
        if any(entry["key"] in ("Subject", "From", "To", "Date") for entry in content["entries"]):
            yield Block("\n".join(f"{entry['key']}: {entry['value']}" for entry in content["entries"]), "header")

    def _definition(self, content: dict[str, Any], page: int | None) -> Iterator[Block]:
        yield Block(f"{content['term']}: {content['definition']}", page=page)

    def _text(self, node: Any, content: dict[str, Any], page: int | None) -> Iterator[Block]:
        text = content.get("text") or content.get("content") or content.get("title") or ""
        if not text or content.get("format", "").endswith("master-page"):
            return
        text = _IMAGE.sub(r"\1", text)
        if self.manner.bare:
            text = f"{self.tag}: {text}" if self.tag else text
            self.tag = ""
        if self.manner.slides and page not in self.titled:
            self.titled.add(page)
            if len(text) <= _SLIDE_TITLE and "\n" not in text.strip():
                yield Block(text, "heading", 1, page)
                return
        attributes = node.attributes or {}
        yield Block(text, self._kind(node), page=page, seconds=seconds(attributes))

    def _kind(self, node: Any) -> BlockKind:
        parent = node.parent
        while parent is not None:
            if self.nodes[parent].content.node_type == "quote":
                return "quote"
            parent = self.nodes[parent].parent
        return "paragraph"

    def _item(self, node: Any, content: dict[str, Any], page: int | None) -> Iterator[Block]:
        if len(self.items) >= _ITEMS or (self.items and page != self.items_page):
            yield from self._items_held()
        depth = -1
        parent = node.parent
        while parent is not None:
            depth += self.nodes[parent].content.node_type == "list"
            parent = self.nodes[parent].parent
        self.items_page = page
        self.items.append("  " * max(0, depth) + "- " + content["text"].strip())

    def _items_held(self) -> Iterator[Block]:
        if self.items:
            yield Block("\n".join(self.items), "list", page=self.items_page)
            self.items = []


def joined(blocks: list[Block], size: int = 1500) -> Iterator[Block]:
    """Join short neighbouring paragraphs, as the values of an XML file are, up to `size` characters."""
    held: list[str] = []
    total = 0
    for block in blocks:
        if held and (total + len(block.text) > size or block.kind != "paragraph"):
            yield Block("\n".join(held))
            held, total = [], 0
        if block.kind == "paragraph":
            held.append(block.text)
            total += len(block.text)
        else:
            yield block
    if held:
        yield Block("\n".join(held))


def seconds(attributes: dict[str, str]) -> tuple[float, float] | None:
    """Read the start and the end of a subtitle (WebVTT: [HH:]MM:SS.mmm)."""
    times = []
    for key in ("start", "end"):
        total = 0.0
        for part in attributes.get(key, "").split(":"):
            try:
                total = total * 60 + float(part)
            except ValueError:
                return None
        times.append(total)
    return times[0], times[1]
