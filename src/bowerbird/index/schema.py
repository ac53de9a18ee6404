"""The two Lance tables. They are joined by passage id, and each has the filter columns (ARCHITECTURE.md, decision 1).

`id` ITEM.CONTENT_VERSION.ORDINAL · `source` the source's id · `path` "/" and the key, lower case · `people` names and
addresses, lower case, one a line · `modified` seconds since 1970 UTC · `labels` and `recipients` as in `StoredItem` ·
`search` the terms that the word search compares (see `analysis`), of `head` and `text` · `head` what stands before the
text for the word search (title, headings, and for an item's first passage its name, path and people) · `language` of
the passage, as it was analysed · `place` a `core.records.Place` as JSON.
"""

from __future__ import annotations

import math

import pyarrow as pa

from bowerbird.core.records import Passage, Place, from_json, to_json
from bowerbird.index.analysis import document_terms
from bowerbird.index.languages import language_of
from bowerbird.store.items import StoredItem
from bowerbird.store.moments import to_row

SCHEMA_VERSION = 4
"""Grows whenever the tables, or the terms of the same text, would be others; the index is then built anew."""

Row = dict[str, str | int | bytes | None]

WORDS = "words"
VECTORS = "vectors"

_FILTERS = (
    pa.field("id", pa.string()),
    pa.field("item", pa.string()),
    pa.field("acl_id", pa.int32()),
    pa.field("source", pa.string()),
    pa.field("kind", pa.string()),
    pa.field("path", pa.string()),
    pa.field("people", pa.string()),
    pa.field("modified", pa.int64()),
    pa.field("labels", pa.string()),
    pa.field("recipients", pa.string()),
)

WORDS_SCHEMA = pa.schema(
    [
        *_FILTERS,
        pa.field("search", pa.string()),
        pa.field("head", pa.string()),
        pa.field("text", pa.string()),
        pa.field("language", pa.string()),
        pa.field("place", pa.binary()),
    ]
)


def vectors_schema(dimensions: int) -> pa.Schema:
    """Return the schema of the vectors table for an encoder."""
    return pa.schema([*_FILTERS, pa.field("vector", pa.list_(pa.float32(), dimensions))])


def filter_columns(item: StoredItem) -> Row:
    """Return the columns that both tables have, but for `id`."""
    modified = to_row(item.modified)
    return {
        "item": item.id,
        "acl_id": item.acl_id,
        "source": item.source,
        "kind": item.kind,
        "path": f"/{item.key}".lower(),
        "people": "\n".join(f"{person.name} {person.address}".lower() for person in item.people),
        "modified": None if modified is None else math.floor(modified),
        "labels": item.labels,
        "recipients": item.recipients,
    }


def words_row(item: StoredItem, passage: Passage, said: str) -> Row:
    """Return one row of the words table; `said` is what the word search reads, the passage's text at its end."""
    language = language_of(said, item.language)
    own: Row = {
        "id": passage.id,
        "search": document_terms(said, language),
        "head": said[: len(said) - len(passage.text)],
        "text": passage.text,
        "language": language,
        "place": to_json(passage.place),
    }
    return {**filter_columns(item), **own}


def passage_of(passage_id: str, text: str, place: bytes) -> Passage:
    """Return the passage that a row of the words table holds."""
    item, version, ordinal = passage_id.rsplit(".", 2)
    return Passage(item, int(version), int(ordinal), text, from_json(place, Place))


def item_of(passage_id: str) -> str:
    """Return the item within a passage id.

    >>> item_of("0abc.12.3")
    '0abc'
    """
    return passage_id.rsplit(".", 2)[0]


def version_of(passage_id: str) -> int:
    """Return the content version within a passage id.

    >>> version_of("0abc.12.3")
    12
    """
    return int(passage_id.rsplit(".", 2)[1])
