"""Another system's run over a collection. Runs in the system's own virtual environment, without Bowerbird.

`python _rival_run.py SYSTEM CORPUS QUERIES RUN MODEL`: CORPUS and QUERIES are JSON Lines (the first may be gzipped).
RUN is written as a TREC run with the hundred best of each query.

bm25s: k1 0.9, b 0.4, its English stop words, Snowball's English stemmer. txtai: hybrid, everything else its defaults,
with the encoder in the folder MODEL; it cuts no documents, so the encoder sees their beginnings.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Found = Iterator[Sequence[tuple[str, float]]]
Texts = Sequence[tuple[str, str]]

DEPTH = 100


def bm25s(documents: Texts, queries: Texts, model: Path) -> Found:
    import bm25s as library
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    index = library.BM25(method="lucene", k1=0.9, b=0.4)
    index.index(
        library.tokenize([text for _, text in documents], stopwords="en", stemmer=stemmer, show_progress=False),
        show_progress=False,
    )
    asked = library.tokenize([text for _, text in queries], stopwords="en", stemmer=stemmer, show_progress=False)
    places, scores = index.retrieve(asked, k=min(DEPTH, len(documents)), show_progress=False)
    for found, values in zip(places, scores, strict=True):
        pairs = zip(found, values, strict=True)
        yield [(documents[int(place)][0], float(value)) for place, value in pairs if value > 0]


def txtai(documents: Texts, queries: Texts, model: Path) -> Found:
    from txtai.embeddings import Embeddings

    index = Embeddings({"path": str(model.resolve()), "hybrid": True})
    index.index((name, text, None) for name, text in documents)
    for _, text in queries:
        yield [(str(name), float(score)) for name, score in index.search(text, DEPTH)]


SYSTEMS: dict[str, Callable[[Texts, Texts, Path], Found]] = {"bm25s": bm25s, "txtai": txtai}


def rows(path: Path) -> Texts:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        read = [json.loads(line) for line in lines if line.strip()]
    return [(str(row["_id"]), f"{row.get('title') or ''}\n\n{row['text']}".strip()) for row in read]


def main(system: str, corpus: Path, queries: Path, run: Path, model: Path) -> None:
    asked = rows(queries)
    with run.open("w", encoding="utf-8") as file:
        for (topic, _), found in zip(asked, SYSTEMS[system](rows(corpus), asked, model), strict=True):
            for rank, (document, score) in enumerate(found, 1):
                names = ("_".join(topic.split()), "Q0", "_".join(document.split()))
                file.write(f"{' '.join(names)} {rank} {score:.6f} {system}\n")


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:6]))
