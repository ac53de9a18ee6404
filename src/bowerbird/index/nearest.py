"""The nearest vectors: how many partitions of the approximate index are probed, and when it is not asked at all.

Of 102,224 passages in 102 partitions, 200 asked for, recall@10 against brute force and milliseconds (two cores):

    rows that pass        40 probed     all     all, exact scores      exact
    100                   .76   1.6    .97  2     1.00   3             1.00    0.4
    1,000                 .94   2.5    .97  4     1.00   6             1.00    1 to 6
    5,000                 .94   3.2    .97  6     1.00   8             1.00    6 to 25
    50,000                .95   3.8    .95  5     1.00   8             1.00   60
    all                   .96   2.7

So few rows are read and compared one by one (how long that takes depends on how they are scattered), and the fewer pass
of many, the more is probed. With nearly all it stays at what is fast: words and fusion make up for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bowerbird.index.masks import Within
from bowerbird.index.reading import Vector

_EXACT_ROWS = 1_500
_PROBES = 40
_ALL = 1_000_000
_SPARSE = 0.2

Found = tuple[NDArray[np.uint64], NDArray[np.float32]]
"""Row addresses and cosines, best first."""


def nearest(table: Any, vector: Vector, within: Within, limit: int, rows: int) -> Found:
    """Return the rows of a vectors table nearest to a unit vector; `rows` is how many the table has."""
    if within.rows <= _EXACT_ROWS and within.asking:
        return _exact(table, vector, within.asking, limit)
    near = {"column": "vector", "q": vector, "k": limit, "metric": "dot", **probing(within.rows, rows)}
    answer = table.scanner(columns=["_distance"], nearest=near, with_row_address=True, **within.asking).to_table()
    return answer["_rowaddr"].to_numpy(), 1.0 - answer["_distance"].to_numpy()


def probing(passing: int, rows: int) -> Mapping[str, int]:
    """Return how Lance probes the approximate index where `passing` of `rows` rows pass."""
    if passing <= _SPARSE * rows:
        return {"nprobes": _ALL, "refine_factor": 1}
    return {"minimum_nprobes": _PROBES} if passing < rows else {"nprobes": _PROBES}


def _exact(table: Any, vector: Vector, asking: Mapping[str, Any], limit: int) -> Found:
    """Read the vectors of all rows that pass and compare each."""
    read = table.scanner(columns=["vector"], with_row_address=True, **asking).to_table().combine_chunks()
    if not len(read):
        return np.zeros(0, np.uint64), np.zeros(0, np.float32)
    vectors = read["vector"].chunk(0).flatten().to_numpy().reshape(len(read), -1)
    scores = vectors @ np.asarray(vector, np.float32)
    best = np.argsort(-scores, kind="stable")[:limit]
    return read["_rowaddr"].to_numpy()[best], scores[best]
