"""One frozen dataclass per arrow of the two walks (STYLE.md, rule 1).

    write  pull -> Item -> extract -> Document -> cut -> Passage* -> embed -> index
    read   text -> Query -> (words | meaning) -> fuse -> Hit*

Every record round-trips through JSON with `to_json` and `from_json`; bytes travel as base64, times as RFC 3339.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeVar

import msgspec

Record = TypeVar("Record")

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "quote", "header", "media"]


def to_json(record: object) -> bytes:
    """Encode a record (or a list of records) as compact JSON."""
    return msgspec.json.encode(record)


def from_json(data: bytes, kind: type[Record]) -> Record:
    """Decode what `to_json` wrote; raises ValueError where the JSON does not fit the record."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as problem:
        raise ValueError(f"this is not a {kind.__name__}: {problem}") from problem


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, however many accounts; `address` is a lower-case mail address or account name, "" if unknown."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: one of `user:NAME`, `group:SOURCE:NAME`, `public`, or `system` (explicit and audited)."""

    name: str


OWNER = Principal("user:owner")
SYSTEM = Principal("system")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a person would open, as its source reports it.

    `key` is stable and unique within the source (for files: the path relative to the root, `/`-separated; a member of
    a container is `CONTAINER!/MEMBER`). `version` changes whenever the content may have (for files: size and mtime).
    `scope` names the mutable permission scope ("" is the source's own). `content` is inline where the source has it
    at hand; otherwise `Source.read(item)` fetches it.
    """

    key: str
    name: str
    uri: str
    version: str
    size: int = 0
    modified: datetime | None = None
    media_type: str = ""
    scope: str = ""
    container: str = ""
    people: tuple[Person, ...] = ()
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """An item that its source no longer has."""

    key: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that could not be read. With `prefix` set, everything below `key` is unknown (not gone)."""

    key: str
    code: str
    cause: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """What a source says about who may read a scope, in its own words (`user:alice`, `group:staff`, `public`).

    Nobody else may; who is denied may not even if allowed. It replaces what was said of the scope before, and comes
    before the first item of the scope in a pull.
    """

    scope: str
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a pull may resume. `complete` says: what this pull yielded is all there is, so the unseen is gone."""

    state: str = ""
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from the top left: left, top, right, bottom."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text in reading order, or a medium to be recognized later (`kind="media"`, text "" until then).

    `level` is the depth of a heading (1 to 6), else 0. `page` counts from 1. `seconds` is (start, end) in a recording.
    """

    text: str
    kind: BlockKind = "paragraph"
    level: int = 0
    page: int | None = None
    box: Box | None = None
    seconds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The extracted content of an item.

    `parser` names extractor and version; `fields` holds what has no place of its own (mail headers, properties), keys
    in lower case. `media_type` is what the bytes turned out to be. `language` is ISO 639-1, "" if unknown.
    """

    title: str
    blocks: tuple[Block, ...]
    parser: str
    media_type: str = ""
    language: str = ""
    authors: tuple[Person, ...] = ()
    created: datetime | None = None
    modified: datetime | None = None
    pages: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All blocks joined by blank lines; `Place.start` and `Place.end` count characters of this string."""
        return "\n\n".join(block.text for block in self.blocks if block.text)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands: heading path, page (from 1), character span in `Document.text`, seconds of sound."""

    headings: tuple[str, ...] = ()
    page: int | None = None
    start: int = 0
    end: int = 0
    seconds: tuple[float, float] | None = None

    def __str__(self) -> str:
        """Render as a person would say it: `page 3 · Setup › Network`."""
        parts = [f"page {self.page}"] if self.page is not None else []
        if self.seconds is not None:
            parts.append(f"{int(self.seconds[0]) // 60}:{int(self.seconds[0]) % 60:02}")
        if self.headings:
            parts.append(" › ".join(self.headings))
        return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit that is indexed and quoted; `id` is ITEM.CONTENT_VERSION.ORDINAL."""

    item: str
    content_version: int
    ordinal: int
    text: str
    place: Place = Place()

    @property
    def id(self) -> str:
        """The key that joins the words and the vectors table."""
        return f"{self.item}.{self.content_version}.{self.ordinal}"


@dataclass(frozen=True, slots=True)
class Period:
    """Days in a row: `first` is the first of them, `end` the first that is not; None is an open end."""

    first: date | None
    end: date | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What an item must be, all of it at once; empty means anything, several values of one field mean any of them.

    `after` is inclusive, `before` exclusive; they and `periods` are whole days in `zone` (see `core.zones`). `labels`
    are lower case, such as `lang:en` or `has:table`. `holding` are words and phrases that stand in the item's text,
    each of them; those the index cannot narrow to.
    """

    types: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    before: date | None = None
    after: date | None = None
    periods: tuple[Period, ...] = ()
    zone: str = ""
    labels: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    either: tuple[Either, ...] = ()
    holding: tuple[str, ...] = ()

    def by_sort(self) -> Iterable[Sequence[str]]:
        """Return the labels by what stands before their colon: one of each sort is enough."""
        sorts = dict.fromkeys(label.partition(":")[0] for label in self.labels)
        return [[label for label in self.labels if label.startswith(f"{sort}:")] for sort in sorts]

    @property
    def textual(self) -> bool:
        """Whether some of it is about text, at any depth."""
        return bool(self.holding) or any(one.textual for one in self.either)


@dataclass(frozen=True, slots=True)
class Either:
    """Alternatives (`a OR b`): an item must be one of them, or, where they are `excluded` (`-a`), none."""

    options: tuple[Filters, ...]
    excluded: bool = False

    @property
    def textual(self) -> bool:
        """Whether some of it is about text, at any depth."""
        return any(one.textual for one in self.options)


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody typed, understood: `words` the free text, `phrases` what stood in quotes, `hints` what to tell.

    `filters` hold nothing about text; `checks` are the alternatives and exclusions that do.
    """

    text: str
    words: str = ""
    phrases: tuple[str, ...] = ()
    filters: Filters = Filters()
    checks: tuple[Either, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text with the spans to highlight, as (start, end) character offsets, ascending and disjoint."""

    text: str
    highlights: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class HitPassage:
    """A passage that made an item a hit."""

    id: str
    snippet: Snippet
    place: Place
    score: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a score is what it is: a stage or a feature, what it says in words, what it adds, and what that is made of.

    The amounts of the parts add up to the amount, so those of the leaves add up to the score. None stands for a number
    that is not told (see `search.explaining`).
    """

    stage: str
    words: str
    amount: float | None = None
    parts: tuple[Reason, ...] = ()

    def leaves(self) -> Iterator[Reason]:
        """Yield the reasons that are made of nothing further."""
        for part in self.parts:
            yield from part.leaves()
        if not self.parts:
            yield self


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a hit stands where it stands: one line a stage, the sum they give, and all of it as a tree, if asked for."""

    score: float
    lines: tuple[str, ...] = ()
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """An item found, with its best passages (best first)."""

    rank: int
    item: str
    score: float
    title: str
    uri: str
    source: str
    kind: str
    path: str
    modified: datetime | None
    people: tuple[Person, ...]
    passages: tuple[HitPassage, ...]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found wrong: where, what, and whether `repair` can mend it."""

    keeper: str
    subject: str
    problem: str
    repairable: bool = True
