"""A judged retrieval collection on disk: its queries, judgments and splits (its corpus is `sources/corpus.py`).

The layout is that of BEIR (Thakur et al., NeurIPS 2021), flattened: `corpus.jsonl` ({_id, title, text, metadata?}),
`queries.jsonl` ({_id, text, metadata?}), `qrels.tsv` (query, document, grade; header optional) and, for other splits,
`qrels.SPLIT.tsv`. The two JSON Lines files may be gzipped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bowerbird.core.errors import UsageError
from bowerbird.sources.corpus import CORPUS, Entry, entries, plain_or_gzipped

SPLITS: tuple[str, ...] = ("dev", "train", "test")

_SPLIT_KEYS: Mapping[str, str] = {"xquad": "document", "squad": "article", "inazuma": "kind"}
"""Part of a folder's name -> what its dev/test split hashes, so that no article or kind is in both parts."""

_LAYOUT = "A collection holds corpus.jsonl (or .jsonl.gz), queries.jsonl and qrels.tsv."


@dataclass(frozen=True, slots=True)
class Topic:
    """A query and its judgments: document id -> grade, at least one of them above 0; `metadata` is the collection's."""

    id: str
    text: str
    judgments: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)

    @property
    def gold(self) -> frozenset[str]:
        """The documents that answer it: those of a grade above 0."""
        return frozenset(document for document, grade in self.judgments.items() if grade > 0)


@dataclass(frozen=True, slots=True)
class Collection:
    """A folder of the layout. Nothing is read until asked for."""

    folder: Path
    corpus: Path
    queries: Path

    @classmethod
    def open(cls, folder: Path) -> Collection:
        """Return the collection in a folder; raises UsageError that says what is missing from the layout."""
        folder = folder.expanduser().absolute()
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.", _LAYOUT)
        corpus, queries = plain_or_gzipped(folder, CORPUS), plain_or_gzipped(folder, "queries.jsonl")
        missing = [
            name
            for name, there in (
                (CORPUS, corpus),
                ("queries.jsonl", queries),
                ("qrels.tsv", any(folder.glob("qrels*.tsv"))),
            )
            if not there
        ]
        if corpus is None or queries is None or missing:
            below = sorted(
                child.name for child in folder.iterdir() if child.is_dir() and plain_or_gzipped(child, CORPUS)
            )
            remedy = f"Collections below it: {', '.join(below)}." if below else _LAYOUT
            raise UsageError(f"{folder} is not a collection: it has no {' and no '.join(missing)}.", remedy)
        return cls(folder, corpus, queries)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def checksum(self) -> str:
        """Return the SHA-256 of the corpus file, in hexadecimal."""
        with self.corpus.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def documents(self) -> Iterator[Entry]:
        """Yield the corpus, in its own order; raises SourceError at a line that is not of the layout."""
        return entries(self.corpus)

    def topics(self, split: str = "", limit: int = 0) -> list[Topic]:
        """Return the judged queries of a split ("" is all of `qrels.tsv`) in file order, the first `limit` if not 0.

        `train` reads `qrels.train.tsv`. `dev` and `test` read `qrels.dev.tsv` and `qrels.tsv` where the collection has
        more than one split; otherwise they part `qrels.tsv` by the hash that `in_dev` describes.
        """
        judged = self._judgments(split)
        parted = split in ("dev", "test") and self._is_single()
        key = next((key for part, key in _SPLIT_KEYS.items() if part in self._names()), "query")
        topics = []
        for entry in entries(self.queries):
            judgments = judged.get(entry.id, {})
            if not any(grade > 0 for grade in judgments.values()):
                continue
            if parted and in_dev(_split_key(key, entry, judgments)) != (split == "dev"):
                continue
            topics.append(Topic(entry.id, entry.text, judgments, entry.metadata))
            if limit and len(topics) == limit:
                break
        if not topics:
            raise UsageError(f"No query of {self.folder} has a positive judgment in this split.", _LAYOUT)
        return topics

    def trained_on(self) -> frozenset[str]:
        """Return the documents that answer a query of the train split; none where there is no such split."""
        named = self.folder / "qrels.train.tsv"
        judged = _judgments(named) if named.is_file() else {}
        return frozenset(document for grades in judged.values() for document, grade in grades.items() if grade > 0)

    def _names(self) -> str:
        return f"{self.folder.parent.name}/{self.folder.name}".lower()

    def _is_single(self) -> bool:
        return [path.name for path in self.folder.glob("qrels*.tsv")] == ["qrels.tsv"]

    def _judgments(self, split: str) -> dict[str, dict[str, int]]:
        named = self.folder / f"qrels.{split}.tsv"
        if named.is_file():
            return _judgments(named)
        if split in ("train", "dev") and not (split == "dev" and self._is_single()):
            there = ", ".join(sorted(path.name for path in self.folder.glob("qrels*.tsv")))
            raise UsageError(f"{self.folder} has no {split} split.", f"It has {there}.")
        if not (self.folder / "qrels.tsv").is_file():
            raise UsageError(f"{self.folder} has no qrels.tsv.", "Name a split that it has with --split.")
        return _judgments(self.folder / "qrels.tsv")


def in_dev(key: str) -> bool:
    """Tell whether a split key is in the development part: sha256, read as an integer, mod 5 is 0 or 1.

    >>> [in_dev(key) for key in ("a", "b", "c", "d")]
    [False, True, False, True]
    """
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % 5 < 2


def _split_key(key: str, entry: Entry, judgments: Mapping[str, int]) -> str:
    if key == "query":
        return entry.id
    if key == "document":
        return max(judgments, key=lambda document: (judgments[document], document))
    return str(entry.metadata.get(key, entry.id))


def _judgments(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        cells = line.split("\t")
        try:
            query, document, grade = cells[0], cells[1], int(cells[2])
        except (IndexError, ValueError) as problem:
            if number == 1:
                continue  # the header
            raise UsageError(f"Line {number} of {path} is not query, document, grade.", _LAYOUT) from problem
        judged.setdefault(query, {})[document] = grade
    return judged
