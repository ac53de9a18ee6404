"""Fit the ranker that comes with Bowerbird, on the train and dev splits of the development sets.

    python benchmarks/train_ranker.py [--cache FOLDER] [--write]

Prints nDCG@10 of the fused, the mixed and the learned order for each set: as fitted on the other sets only (what a team
whose texts are in none of them may expect), and within the set (five folds of queries, together with the other sets).
With --write the model fitted on all of them, with its card, becomes the default.
"""

from __future__ import annotations

import argparse
import math
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import DATA, ROOT

from bowerbird.core.records import SYSTEM
from bowerbird.core.settings import home_directory, load
from bowerbird.lab.bench import Bench, Contender, Options, Watch
from bowerbird.lab.collections import Collection
from bowerbird.search.features import NAMES, Matrix, table
from bowerbird.search.learned import considered, gathered
from bowerbird.search.pipeline import Context
from bowerbird.search.query import parse
from bowerbird.search.rankers import trees
from bowerbird.search.stages import meaning, words
from bowerbird.sources.corpus import document_of

MODEL = ROOT / "src/bowerbird/search/rankers/default.json"
SETS = (
    ("beir-scifact", "train", 809),
    ("qa-squad11-dev", "dev", 800),
    ("ent-inazuma-qa", "dev", 800),
    ("rag-northwind-benefits", "dev", 800),
    *((f"qa-xquad/{language}", "dev", 120) for language in ("en", "de", "ru", "zh", "th")),
)
"""Folder, split, and how many of its queries at most."""

LEGS = (words % 200) | (meaning % 200)
FOLDS = 5


@dataclass(frozen=True)
class Asked:
    """One query of a set: its candidates' features and documents, and the judged documents."""

    table: Matrix
    documents: tuple[str, ...]
    judgments: Mapping[str, int]

    @property
    def grades(self) -> list[int]:
        """The grade of each candidate."""
        return [self.judgments.get(document, 0) for document in self.documents]

    def ndcg(self, scores: Sequence[float]) -> float:
        """nDCG@10 of the candidates in the order of these scores (gain = grade, as trec_eval has it)."""
        order = np.argsort(-np.asarray(scores, np.float64), kind="stable")[:10]
        found = sum(self.grades[at] / math.log2(rank + 2) for rank, at in enumerate(order))
        ideal = sorted(self.judgments.values(), reverse=True)[:10]
        return float(found / sum(grade / math.log2(rank + 2) for rank, grade in enumerate(ideal)))


def collected(folder: str, split: str, most: int, cache: Path | None) -> list[Asked]:
    """Run the legs for the queries of a set and compute the features of what the ranker would look at."""
    home = home_directory()
    collection = Collection.open(DATA / folder)
    watch = Watch(threading.Event(), lambda _: None, lambda *_: None)
    bench = Bench(home, load(home), cache)
    asked = []
    with bench.library(collection, Options((Contender("hybrid", "hybrid"),)), watch) as library:
        for topic in collection.topics(split, most):
            context = Context(library.reader(SYSTEM, "bench"), parse(topic.text), library.encoder)
            candidates, _ = considered(context, gathered(LEGS.run(context)))
            documents = tuple(document_of(candidates.stored[item].uri) for item in candidates.items)
            asked.append(Asked(table(context.query, candidates), documents, topic.judgments))
    print(f"{folder} {split}: {len(asked)} queries", file=sys.stderr, flush=True)
    return asked


def fitted(sets: Sequence[Sequence[Asked]], card: Mapping[str, object] | None = None) -> trees.Trees:
    """Fit a model to queries of several sets."""
    every = [one for some in sets for one in some]
    return trees.fit([one.table for one in every], [one.grades for one in every], card or {})


def mean(asked: Sequence[Asked], model: trees.Trees | str) -> float:
    """Return the mean nDCG@10 of a model, or of a feature by its name."""
    if isinstance(model, str):
        return float(np.mean([one.ndcg(one.table[:, NAMES.index(model)].tolist()) for one in asked]))
    return float(np.mean([one.ndcg(model.scores(one.table).tolist()) for one in asked]))


def folded(own: Sequence[Asked], others: Sequence[Sequence[Asked]]) -> float:
    """Return the mean nDCG@10 within a set, each fold ranked by what was fitted on the rest and the other sets."""
    parts = [own[fold::FOLDS] for fold in range(FOLDS)]
    found = [
        mean(part, fitted([*others, *(rest for rest in parts if rest is not part)])) * len(part)
        for part in parts
        if part
    ]
    return sum(found) / len(own)


def compared(sets: Mapping[str, Sequence[Asked]]) -> dict[str, dict[str, float]]:
    """Print, and return for the card, nDCG@10 of each set in each order."""
    print(f"{'set':32} queries  fused  mixed  without the set  within it")
    told = {}
    for name, own in sets.items():
        others = [asked for other, asked in sets.items() if other.partition("/")[0] != name.partition("/")[0]]
        same = [asked for other, asked in sets.items() if other != name]
        row = (mean(own, "fused"), mean(own, "mixed"), mean(own, fitted(others)), folded(own, same))
        names = ("fused", "mixed", "without", "within")
        told[name] = {"queries": len(own), **{key: round(value, 4) for key, value in zip(names, row, strict=True)}}
        print(f"{name:32} {len(own):7}  {row[0]:.3f}  {row[1]:.3f}  {row[2]:15.3f}  {row[3]:9.3f}", flush=True)
    return told


def written(sets: Mapping[str, Sequence[Asked]], told: Mapping[str, object]) -> None:
    """Fit a model to all sets and make it the default, with its card."""
    card = {
        "what": "orders what words and meaning found; fitted on public sets, before a team's own use is known",
        "sets": told,
        "parameters": dict(trees.DEFAULTS),
        "rounds": trees.ROUNDS,
        "measure": "nDCG@10",
    }
    MODEL.write_text(fitted(list(sets.values()), card).to_json() + "\n", encoding="utf-8")


def main() -> None:
    """Collect, compare, and write the model where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, help="where the libraries of the sets are kept")
    parser.add_argument("--write", action="store_true", help="make what was fitted the default")
    options = parser.parse_args()
    sets = {f"{folder} {split}": collected(folder, split, most, options.cache) for folder, split, most in SETS}
    told = compared(sets)
    if options.write:
        written(sets, told)


if __name__ == "__main__":
    main()
