"""A library of 100,000 passages for latency, made of the development sets' texts through the product's write walk.

The passages are real paragraphs; where the sets have too few, sections are repeated with other neighbours, in another
order of their sentences. Every fifth vector (the first 20,000) is the encoder's own; the others are one of those with
noise added: right for latency, which does not depend on what a vector means, and wrong for anything else.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _harness import DATA, Setup

from bowerbird.core.records import Block, Document
from bowerbird.core.settings import load
from bowerbird.index.cutting import cut
from bowerbird.lab.bench import lend_models
from bowerbird.lab.collections import Collection
from bowerbird.sources.corpus import location_of
from bowerbird.store.items import StoredItem

if TYPE_CHECKING:
    from bowerbird.library import Library
    from bowerbird.understanding.encoder import Encoder

SETS = ("qa-squad11-dev", "ent-inazuma-qa", "beir-scifact")
PARAGRAPHS = 8
"""Paragraphs a document: a typical note or page."""

PART_CHARACTERS = 620
"""Two parts of this length do not fit one passage, so each is at least one."""

SEED = 20
NOISE = 0.35
"""Length of the noise added to a unit vector before it is scaled back; the cosine to the original is about .94."""


_ITEM = StoredItem("i", "", "", "", "", "", "", "note", "", 0, None, (), "indexed", 1, 0)


class NoisyEncoder:
    """The product's encoder for queries and for the first passages; later ones get a known vector with noise.

    Everything it gave is kept, so that a rival can be handed the same passages with the same vectors.
    """

    def __init__(self, encoder: Encoder, real: int) -> None:
        self.encoder = encoder
        self.real = real
        self.id = encoder.id  # the library must take these vectors for its own
        self.dimensions = encoder.dimensions
        self.texts: list[str] = []
        self.vectors: list[Any] = []
        self._lock = threading.Lock()
        self._random = np.random.default_rng(SEED)

    def passages(self, texts: Sequence[str]) -> Any:
        """Encode passages; really so until `real` of them were."""
        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> Any:
        vector = None if len(self.vectors) >= self.real else self.encoder.passages([text])[0]
        with self._lock:
            if vector is None:
                known = self.vectors[int(self._random.integers(self.real))]
                noise = self._random.standard_normal(self.dimensions).astype(np.float32)
                vector = known + NOISE * noise / np.linalg.norm(noise)
                vector = (vector / np.linalg.norm(vector)).astype(np.float32)
            self.texts.append(text)
            self.vectors.append(vector)
        return vector

    def query(self, text: str) -> Any:
        """Encode a query with the real encoder."""
        return self.encoder.query(text)

    def count(self, text: str) -> int:
        """Count tokens."""
        return self.encoder.count(text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the tokens' offsets."""
        return self.encoder.spans(text)


def paragraphs() -> list[str]:
    """Return the texts of the development sets, each paragraph once."""
    found = []
    for name in SETS:
        for entry in Collection.open(DATA / name).documents():
            found.append(entry.text)
    return list(dict.fromkeys(text for text in found if len(text) > 80))


def documents(wanted: int, target: int) -> Iterator[dict[str, str]]:
    """Yield documents of PARAGRAPHS parts each until they are cut into `wanted` passages, and a few more."""
    parts = _parts(random.Random(SEED))
    made = 0
    for number in itertools.count():
        if made >= wanted * 1.03:
            return
        blocks = tuple(Block(next(parts)) for _ in range(PARAGRAPHS))
        document = Document(f"Collected notes {number}", blocks, "benchmark")
        made += len(cut(_ITEM, document, target))
        yield {"_id": f"doc-{number}", "title": document.title, "text": document.text}


def _parts(chance: random.Random) -> Iterator[str]:
    """Yield texts that are a passage each, without end: paragraphs, from the second round on with sentences mixed."""
    pool = paragraphs()
    chance.shuffle(pool)
    held = ""
    for position in itertools.count():
        text = pool[position % len(pool)]
        if position >= len(pool):
            sentences = text.split(". ")
            chance.shuffle(sentences)
            text = ". ".join(sentences)
        held = f"{held} {text}".strip()
        if len(held) >= PART_CHARACTERS:
            yield held
            held = ""


def questions(count: int) -> list[str]:
    """Return real questions over those texts, the same for every system."""
    topics = Collection.open(DATA / "qa-squad11-dev").topics()
    return [topic.text for topic in random.Random(SEED).sample(topics, count)]


def passages_library(setup: Setup, wanted: int) -> Path:
    """Return the home of a complete library of at least `wanted` passages, made anew only where there is none."""
    home = setup.cache / f"passages-{wanted}-{_version()}"
    if (home / "complete").is_file():
        return home
    shutil.rmtree(home, ignore_errors=True)
    folder = home / "corpus"
    folder.mkdir(parents=True)
    target = load(setup.home).get("passage_tokens", int)
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in documents(wanted, target))
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "q"}\n', encoding="utf-8")
    (folder / "qrels.tsv").write_text("q\tdoc-0\t1\n", encoding="utf-8")
    lend_models(setup.home / "models", home / "models")
    _fill(setup, home, folder, wanted)
    (home / "complete").touch()
    return home


def _fill(setup: Setup, home: Path, folder: Path, wanted: int) -> None:
    from bowerbird.library import Library

    with Library.open(home, load(setup.home)) as library:
        library.add(location_of(folder), "passages")
        library.enqueue("sync", "passages")
        encoder = _lend_encoder(library, wanted // 5)
        worker = library.worker()
        try:
            worker.run_until_idle(lambda progress: None, threading.Event(), vectors=True)
        finally:
            worker.close()
        status = library.status()
        setup.log(f"made a library of {status.items:,} items and {status.passages:,} passages")
    with (home / "passages.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(text) + "\n" for text in encoder.texts)
    np.save(home / "vectors.npy", np.stack(encoder.vectors))


def _lend_encoder(library: Library, real: int) -> NoisyEncoder:
    """Put the noisy encoder where the library takes its encoder from."""
    name = library.settings.get("encoder", str)
    encoder = NoisyEncoder(library.models.encoder(name), real)
    vars(library.models)["encoder"] = lambda wanted: encoder
    return encoder


def _version() -> str:
    from bowerbird.lab.bench import write_walk_version

    return hashlib.sha256(f"{write_walk_version()} {SEED} {NOISE}".encode()).hexdigest()[:12]
