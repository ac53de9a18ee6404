"""A ranker of decision trees (LambdaMART; Burges, MSR-TR-2010-82): read, scored and explained with numpy alone.

LightGBM fits it (`fit`, with the `train` extra) and is not needed to use it. A model is JSON: what it was trained on
(its card), the names of its features, and for each tree its nodes in one order: feature, threshold, left, right, value.
A node whose `left` is itself is a leaf.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bowerbird.core.errors import MissingExtra, ModelError, UsageError
from bowerbird.search.features import NAMES, Matrix

FORMAT = 1
Nodes = NDArray[np.int32]

DEFAULTS: Mapping[str, Any] = {
    "objective": "lambdarank", "learning_rate": 0.05, "num_leaves": 8, "min_data_in_leaf": 100, "lambda_l2": 10.0,
    "feature_fraction": 0.6, "bagging_fraction": 0.8, "bagging_freq": 1, "lambdarank_truncation_level": 20,
    "deterministic": True, "force_row_wise": True, "seed": 7, "verbose": -1,
}  # fmt: skip
"""LightGBM's parameters; small trees, as the sets are small and other teams' texts are not like them."""

ROUNDS = 150
RISING = frozenset(("words", "words_rank", "meaning", "meaning_rank", "cosine", "fused", "mixed", "part_of_best"))
"""Features of which more is never worse, whatever the sets say by chance."""


@dataclass(frozen=True)
class Trees:
    """A fitted model. `nodes` are padded arrays [trees, most nodes], `values` what each node predicts."""

    features: tuple[str, ...]
    split: Nodes
    left: Nodes
    right: Nodes
    thresholds: NDArray[np.float64]
    values: NDArray[np.float64]
    card: Mapping[str, Any]

    def scores(self, table: Matrix) -> NDArray[np.float64]:
        """Return the score of each candidate, [candidates]; the table is [candidates, features of FEATURES]."""
        nodes = self._leaves(self._own(table), None)
        return np.asarray(self.values[np.arange(len(self.values)), nodes].sum(axis=1))

    def shares(self, table: Matrix) -> tuple[NDArray[np.float64], float]:
        """Return what each feature adds to each score, [candidates, features], and what all begin with.

        The shares of a candidate and the beginning add up to its score (Saabas, 2014: each split of the way down a tree
        adds the difference of what its two ends predict).
        """
        added = np.zeros((len(table), len(self.features)))
        self._leaves(self._own(table), added)
        return added, float(self.values[:, 0].sum())

    def to_json(self) -> str:
        """Return the model as JSON that `read` takes."""
        trees = [
            {name: getattr(self, name)[number, : self._sizes[number]].tolist() for name in _ARRAYS}
            for number in range(len(self.values))
        ]
        return json.dumps({"format": FORMAT, "card": self.card, "features": self.features, "trees": trees})

    @cached_property
    def _sizes(self) -> list[int]:
        return [int(max(row.max(), 0)) + 1 for row in np.maximum(self.left, self.right)]

    @cached_property
    def _columns(self) -> list[int]:
        return [NAMES.index(name) for name in self.features]

    @cached_property
    def _depth(self) -> int:
        """How many steps lead from the roots to the deepest leaf; children stand behind their parents."""
        depths = np.zeros(self.left.shape, np.int32)
        for tree, size in enumerate(self._sizes):
            for node in range(size):
                for child in (self.left[tree, node], self.right[tree, node]):
                    depths[tree, child] += 0 if child == node else depths[tree, node] + 1
        return int(depths.max())

    def _own(self, table: Matrix) -> Matrix:
        return table[:, self._columns]

    def _leaves(self, table: Matrix, added: NDArray[np.float64] | None) -> Nodes:
        """Walk every candidate down every tree; returns the leaves [candidates, trees], and fills in the shares."""
        trees, rows = np.arange(len(self.values)), np.arange(len(table))[:, None]
        nodes: Nodes = np.zeros((len(table), len(trees)), np.int32)
        for _ in range(self._depth):
            column = self.split[trees, nodes]
            below = table[rows, column] <= self.thresholds[trees, nodes]
            further = np.where(below, self.left[trees, nodes], self.right[trees, nodes])
            if added is not None:
                changes = self.values[trees, further] - self.values[trees, nodes]
                np.add.at(added, (np.broadcast_to(rows, column.shape), column), changes)
            nodes = further
        return nodes


_ARRAYS = ("split", "left", "right", "thresholds", "values")


def read(text: str) -> Trees:
    """Return the model that JSON holds; raises ModelError where it is not one, or uses features that there are not."""
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise ModelError(f"The ranker is of format {told['format']}.", f"This Bowerbird reads format {FORMAT}.")
        unknown = sorted(set(told["features"]) - set(NAMES))
        if unknown:
            raise ModelError(f"The ranker uses features that are not there: {', '.join(unknown)}.", "Fit it anew.")
        return _made(told["features"], told["trees"], told["card"])
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        raise ModelError("The ranker cannot be read: it is no model of trees.", "Fit it anew.") from problem


def fit(
    tables: Sequence[Matrix], grades: Sequence[Sequence[int]], card: Mapping[str, Any], rounds: int = ROUNDS
) -> Trees:
    """Fit a model to queries: for each, the features of its candidates and their grades; `card` says what they are.

    Raises MissingExtra without LightGBM, and UsageError where no query has both better and worse candidates.
    """
    try:
        import lightgbm
    except ImportError as problem:
        remedy = "pip install 'bowerbird[train]'"
        raise MissingExtra("Fitting a ranker needs the package lightgbm.", remedy) from problem
    kept = [number for number, own in enumerate(grades) if len(set(own)) > 1]
    if not kept:
        raise UsageError("There is nothing to learn: no query has better and worse candidates.", "Judge more.")
    data = lightgbm.Dataset(
        np.concatenate([tables[number] for number in kept]),
        np.concatenate([np.asarray(grades[number]) for number in kept]),
        group=[len(grades[number]) for number in kept],
        feature_name=list(NAMES),
    )
    rising = [int(name in RISING) for name in NAMES]
    fitted = lightgbm.train({**DEFAULTS, "monotone_constraints": rising}, data, rounds)
    roots = [tree["tree_structure"] for tree in fitted.dump_model()["tree_info"]]
    return _made(NAMES, [_flattened(root) for root in roots], card)


def _flattened(root: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Write a tree of LightGBM's as arrays, its nodes from the root on."""
    arrays: dict[str, list[Any]] = {name: [] for name in _ARRAYS}
    waiting = [root]
    for number, node in enumerate(waiting):
        inner = "split_feature" in node
        arrays["split"].append(node["split_feature"] if inner else 0)
        arrays["thresholds"].append(node["threshold"] if inner else 0.0)
        arrays["values"].append(node["internal_value"] if inner else node["leaf_value"])
        arrays["left"].append(len(waiting) if inner else number)
        arrays["right"].append(len(waiting) + 1 if inner else number)
        waiting += [node["left_child"], node["right_child"]] if inner else []
    return arrays


def _made(features: Sequence[str], trees: Sequence[Mapping[str, Any]], card: Mapping[str, Any]) -> Trees:
    width = max(len(tree["values"]) for tree in trees)
    padded = {name: [[*tree[name], *[0] * (width - len(tree[name]))] for tree in trees] for name in _ARRAYS}
    return Trees(
        features=tuple(features),
        split=np.array(padded["split"], np.int32),
        left=np.array(padded["left"], np.int32),
        right=np.array(padded["right"], np.int32),
        thresholds=np.array(padded["thresholds"], np.float64),
        values=np.array(padded["values"], np.float64),
        card=dict(card),
    )
