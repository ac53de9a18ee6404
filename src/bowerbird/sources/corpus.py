"""The corpus of a retrieval collection as a source: every line of `corpus.jsonl` an item with its content inline.

The layout is that of BEIR (Thakur et al., NeurIPS 2021): one JSON object a line, {_id, title, text, metadata?}; the
file may be gzipped. A location is `collection:///FOLDER`.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, unquote

import msgspec

from bowerbird.core.errors import SourceError
from bowerbird.core.records import Checkpoint, Failure, Gone, Item
from bowerbird.sources.base import Source

KIND = "collection"
CORPUS = "corpus.jsonl"

_LINE = "Every line is a JSON object with `_id` and `text`."


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a corpus (or of its queries); ids are text, `metadata` whatever the collection adds."""

    id: str
    title: str
    text: str
    metadata: Mapping[str, object]


class CollectionSource(Source):
    """A corpus as a source: every document an item with its content inline, named by its title."""

    kind: ClassVar[str] = KIND

    def pull(self, checkpoint: Checkpoint) -> Iterator[Item | Gone | Failure | Checkpoint]:
        """Yield the whole corpus; a corpus does not change in part, so the checkpoint is not used."""
        for entry in self._entries():
            yield item_of(entry)
        yield Checkpoint(complete=True)

    def read(self, item: Item) -> bytes:
        """Return the content of a document; raises SourceError where the corpus no longer has it."""
        if item.content is not None:
            return item.content
        for entry in self._entries():
            if entry.id == item.key:
                return content_of(entry)
        raise SourceError(f"The collection {self.location} has no document {item.key}.", "Sync the source.")

    def _entries(self) -> Iterator[Entry]:
        folder = folder_of(self.location)
        file = plain_or_gzipped(folder, CORPUS)
        if file is None:
            raise SourceError(f"There is no {CORPUS} in {folder}.", "Give the folder of a collection.")
        return entries(file)


def plain_or_gzipped(folder: Path, name: str) -> Path | None:
    """Return the file of this name in a folder, or its gzipped form; None if neither is there."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def entries(path: Path) -> Iterator[Entry]:
    """Yield the lines of a corpus or of queries; raises SourceError at one that is not of the layout."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _entry(line, f"line {number} of {path}")


def _entry(line: bytes, where: str) -> Entry:
    try:
        row = msgspec.json.decode(line, type=dict[str, object])
        identifier, text = row["_id"], row["text"]
    except (msgspec.DecodeError, KeyError) as problem:
        raise SourceError(f"There is no document or query in {where}: {problem}.", _LINE) from problem
    metadata = row.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    return Entry(str(identifier), str(row.get("title") or ""), str(text), known)


def location_of(folder: Path) -> str:
    """Return the source location of a collection folder: `collection:///folder`."""
    return f"{KIND}://{quote(str(folder.absolute()))}"


def folder_of(location: str) -> Path:
    """Return the folder that a `collection://` location names."""
    return Path(unquote(location.removeprefix(f"{KIND}://")))


def item_of(entry: Entry) -> Item:
    """Return a document as the item that its source reports; `uri` carries the id, so that a hit names its document."""
    content = content_of(entry)
    return Item(
        key=entry.id,
        name=f"{entry.title or entry.id}.txt",
        uri=f"{KIND}:{quote(entry.id, safe='')}",
        version=hashlib.sha256(content).hexdigest()[:16],
        size=len(content),
        media_type="text/plain",
        content=content,
    )


def document_of(uri: str) -> str:
    """Return the document id that `item_of` wrote into an item's `uri`."""
    return unquote(uri.removeprefix(f"{KIND}:"))


def content_of(entry: Entry) -> bytes:
    """Return a document's bytes: the title as its first line, a blank line, the text."""
    return f"{entry.title}\n\n{entry.text}".strip().encode("utf-8", "replace")
