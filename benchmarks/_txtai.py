"""The rival's side of the speed benchmark. Runs in its own virtual environment (txtai, PyTorch), without Bowerbird.

`python _txtai.py WORK MODEL`: WORK holds `passages.jsonl` (one JSON string a line), `vectors.npy` (float32, one row a
passage) and `queries.jsonl`; MODEL is the folder of the same encoder. Prints one JSON object: p50 and p95 in ms of
`Embeddings.search(query, 10)` with hybrid on, with the texts kept beside the index (`content`) and without (`plain`).

The passages come with their vectors (txtai's `external` method), so that both systems search the very same index
content; a query is encoded by txtai itself, from the weights in MODEL.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

WARM_UP = 5


def main(work: Path, model: Path) -> None:
    import numpy
    from txtai.embeddings import Embeddings
    from txtai.vectors import VectorsFactory

    vectors = numpy.load(work / "vectors.npy", mmap_mode="r")
    queries = list(texts(work / "queries.jsonl"))
    encoder = VectorsFactory.create({"path": str(model.resolve())})
    told: dict[str, object] = {"queries": len(queries)}
    for name, content in (("plain", False), ("content", True)):
        transform = Transform(vectors, encoder.encode)
        settings = {"method": "external", "transform": transform.function(), "hybrid": True, "content": content}
        index = Embeddings(settings)
        begun = time.monotonic()
        index.index((number, text, None) for number, text in enumerate(texts(work / "passages.jsonl")))
        told[f"{name}_index_seconds"] = round(time.monotonic() - begun, 1)
        transform.building = False
        told[name] = latency(index, queries)
        index.close()
    sys.stdout.write(json.dumps(told) + "\n")


class Transform:
    """Gives the stored vectors in order while the index is built, then encodes queries."""

    def __init__(self, vectors: Any, encode: Callable[[Sequence[str]], Any]) -> None:
        self.vectors = vectors
        self.encode = encode
        self.building = True
        self.given = 0

    def function(self) -> Callable[[Sequence[str]], Any]:
        """Return it as a plain function, which is what txtai takes."""

        def vectors(batch: Sequence[str]) -> Any:
            return self.vectors_of(batch)

        return vectors

    def vectors_of(self, batch: Sequence[str]) -> Any:
        if not self.building:
            return self.encode(list(batch))
        first, self.given = self.given, self.given + len(batch)
        return self.vectors[first : self.given]


def latency(index: Any, queries: Sequence[str]) -> dict[str, float]:
    for query in queries[:WARM_UP]:
        index.search(query, 10)
    samples = []
    for query in queries:
        begun = time.perf_counter()
        index.search(query, 10)
        samples.append((time.perf_counter() - begun) * 1000)
    samples.sort()
    return {f"p{share}": samples[max(0, math.ceil(share / 100 * len(samples)) - 1)] for share in (50, 95)}


def texts(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
