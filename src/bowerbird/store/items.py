"""Items as the library keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from bowerbird.core.records import Person

ItemState = Literal["pending", "indexed", "quarantined", "failed"]


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One item's row. `title` is the document's title, else the name; `key` its path within the source.

    `content_version` counts from 1 and grows with every new content; 0 means that nothing was extracted yet.
    `error_code` and `error` say why it is quarantined or failed, else "". `labels` are one a line, each with a line end
    before and after it, `recipients` lower case, one a line.
    """

    id: str
    source: str
    source_name: str
    key: str
    name: str
    title: str
    uri: str
    kind: str
    media_type: str
    size: int
    modified: datetime | None
    people: tuple[Person, ...]
    state: ItemState
    content_version: int
    acl_id: int
    language: str = ""
    pages: int | None = None
    container: str = ""
    content_hash: str = ""
    error_code: str = ""
    error: str = ""
    labels: str = ""
    recipients: str = ""


class Glance(NamedTuple):
    """What is needed of every candidate of a search, not only of those shown: to count, to sort and to check them."""

    kind: str
    source_name: str
    modified: datetime | None
    people: tuple[Person, ...]
    acl_id: int
    content_version: int
