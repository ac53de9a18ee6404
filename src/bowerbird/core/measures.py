"""What a measure is, apart from who computes it (the names and formulas of trec_eval)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of a ranking against judgments; all lie in [0, 1], higher is better."""

    name: str
    cutoff: int | None
    meaning: str


NDCG_10 = Measure("ndcg@10", 10, "discounted gain of the first ten, by the ideal order's (Järvelin, Kekäläinen 2002)")
RECALL_100 = Measure("recall@100", 100, "share of the relevant items among the first hundred")
MRR_10 = Measure("mrr@10", 10, "1 / rank of the first relevant item, 0 beyond ten")
MAP = Measure("map", None, "mean over relevant items of the precision at their rank")

BENCH_MEASURES: tuple[Measure, ...] = (NDCG_10, RECALL_100, MRR_10, MAP)
"""What `bowerbird bench` prints, in order."""
