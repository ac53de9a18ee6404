"""A model of trees scores as LightGBM does, its shares add up, and what is no model is told."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bowerbird.core.errors import ModelError, UsageError
from bowerbird.search.features import NAMES, Matrix
from bowerbird.search.rankers import trees

QUERIES, CANDIDATES = 40, 30


def tables(seed: int = 3) -> tuple[list[Matrix], list[list[int]]]:
    """Queries whose better candidates have more of `words` and of `title`, with noise."""
    random = np.random.default_rng(seed)
    made = [random.random((CANDIDATES, len(NAMES))).astype(np.float32) for _ in range(QUERIES)]
    worth = [
        one[:, NAMES.index("words")] + one[:, NAMES.index("title")] + random.random(CANDIDATES) / 2 for one in made
    ]
    return made, [[int(value > 1.7) for value in one] for one in worth]


@pytest.fixture(scope="module")
def model() -> trees.Trees:
    return trees.fit(*tables(), {"what": "a test"}, rounds=40)


def test_it_learns_what_is_better(model: trees.Trees) -> None:
    made, grades = tables(seed=4)
    order = [np.argsort(-model.scores(one)) for one in made]
    first = np.mean([np.asarray(grade)[best[:3]].mean() for grade, best in zip(grades, order, strict=True)])
    assert first > 2 * np.mean([np.mean(grade) for grade in grades])


def test_it_scores_as_lightgbm_does(model: trees.Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    import lightgbm

    kept: list[Any] = []
    train = lightgbm.train
    monkeypatch.setattr(lightgbm, "train", lambda *args: kept.append(train(*args)) or kept[-1])
    again = trees.fit(*tables(), {}, rounds=40)
    table = tables(seed=5)[0][0]
    assert np.allclose(again.scores(table), kept[0].predict(table), atol=1e-9)
    assert np.array_equal(again.scores(table), model.scores(table))  # fitting is deterministic


def test_the_shares_of_features_add_up_to_the_score(model: trees.Trees) -> None:
    for table in tables(seed=6)[0]:
        added, begun = model.shares(table)
        assert np.abs(added.sum(axis=1) + begun - model.scores(table)).max() < 1e-6
    named = dict(zip(model.features, np.abs(added).mean(axis=0), strict=True))
    assert max(named, key=lambda name: named[name]) in ("words", "title")


def test_more_of_what_speaks_for_it_is_never_worse(model: trees.Trees) -> None:
    table = tables(seed=7)[0][0]
    more = table.copy()
    more[:, NAMES.index("words")] += 0.3
    assert (model.scores(more) >= model.scores(table) - 1e-12).all()


def test_it_is_read_back_the_same(model: trees.Trees) -> None:
    table = tables(seed=8)[0][0]
    again = trees.read(model.to_json())
    assert np.array_equal(again.scores(table), model.scores(table))
    assert (again.card, again.features) == ({"what": "a test"}, NAMES)


@pytest.mark.parametrize("change", ["format", "features", "nothing", "trees"])
def test_what_is_no_model_is_told(model: trees.Trees, change: str) -> None:
    told = json.loads(model.to_json())
    told |= {"format": {"format": 9}, "features": {"features": ["sausage"]}, "trees": {"trees": [{}]}}.get(change, {})
    with pytest.raises(ModelError, match=r"format 9|sausage|no model"):
        trees.read("[" if change == "nothing" else json.dumps(told))


def test_without_better_and_worse_there_is_nothing_to_learn() -> None:
    made, grades = tables()
    with pytest.raises(UsageError, match="nothing to learn"):
        trees.fit(made, [[0] * CANDIDATES for _ in grades], {})
