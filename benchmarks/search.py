"""Everything that search quality must show, in one command: each figure beside its target, then OK or FAIL.

    python benchmarks/search.py [--quick] [--json] [--only PART] [--home DIR] [--test] [--write]

Parts: quality (the sets of search.yaml on their development splits, against what is expected and what is demanded),
bm25s and txtai (the same against other systems), typos; and, only when asked for, test (the test splits, for a release)
and write (measures again and writes search.yaml).
"""

from __future__ import annotations

import random
import re
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import _expected
from _expected import Expected, significance
from _harness import DATA, Setup, run
from _rivals import run_of

from bowerbird.core.settings import load
from bowerbird.lab.bench import Bench, Options, Outcome, Watch, contenders
from bowerbird.lab.collections import Collection, Topic
from bowerbird.lab.comparing import compare
from bowerbird.lab.judging import MAIN
from bowerbird.lab.measuring import Figure

FILE = Path(__file__).with_name("search.yaml")

QUICK = ("qa-xquad/en", "rag-northwind-benefits")
"""The sets of --quick: small enough to be run whole, so that what is expected can be compared."""

ENGLISH = ("beir-scifact", "qa-squad11-dev", "ent-inazuma-qa", "rag-northwind-benefits", "qa-xquad/en")
"""The sets on which other systems are asked, too."""

BELOW_BM25S = 0.005
TYPO_LOSS = 0.05
SEED = 4


def quality(setup: Setup) -> list[Figure]:
    """Run the sets of search.yaml on the splits it names, and compare."""
    return _expected.figures([(one, _measure(setup, one)) for one in _sets(setup)], compared=True)


def test(setup: Setup) -> list[Figure]:
    """Run the sets on their test splits: what is demanded, with intervals; nothing is expected of it."""
    sets = [replace(one, split="test") for one in _sets(setup)]
    return _expected.figures([(one, _measure(setup, one)) for one in sets], compared=False)


def write(setup: Setup) -> list[Figure]:
    """Run the sets and write what was measured as what is expected from now on."""
    pairs = [(one, _measure(setup, one)) for one in _sets(setup)]
    new = {one.name: _expected.measured(one, outcome) for one, outcome in pairs}
    every = _expected.read(FILE.read_text(encoding="utf-8"))
    FILE.write_text(_expected.write([new.get(one.name, one) for one in every]), encoding="utf-8")
    return _expected.figures([(new[one.name], outcome) for one, outcome in pairs], compared=True)


def bm25s(setup: Setup) -> list[Figure]:
    """Compare word search with bm25s on the English sets: it may be a little below."""
    figures = []
    for one in _english(setup):
        outcome, problem = _against(setup, one, "bm25s", "words")
        if outcome is None:
            figures.append(Figure(f"{one.name}-words-bm25s", None, None if setup.quick else 1.0, ">=", MAIN, problem))
            continue
        ours, theirs = (result.measures[MAIN] for result in outcome.results)
        note = f"bm25s has {theirs:.4f} on {outcome.results[0].queries:,} queries of {one.split}"
        figures.append(Figure(f"{one.name}-words-bm25s", ours, round(theirs - BELOW_BM25S, 4), ">=", MAIN, note))
    return figures


def txtai(setup: Setup) -> list[Figure]:
    """Compare hybrid search with txtai's hybrid (the same encoder, its defaults) on the English sets."""
    figures, compared = [], []
    for one in _english(setup):
        outcome, problem = _against(setup, one, "txtai", "hybrid")
        if outcome is None:
            figures.append(Figure(f"{one.name}-hybrid-txtai", None, None if setup.quick else 1.0, ">", MAIN, problem))
            continue
        ours, theirs = (result.measures[MAIN] for result in outcome.results)
        note = f"{outcome.results[0].queries:,} queries of {one.split}"
        figures.append(Figure(f"{one.name}-hybrid-txtai", ours, round(theirs, 4), ">", MAIN, note))
        compared += [replace(each, name=one.name) for each in compare(outcome.results[::-1], {})]
    # that the difference is no chance is told, not demanded
    return [*figures, *(replace(figure, target=None) for figure in significance(compared))]


def typos(setup: Setup) -> list[Figure]:
    """Misspell one word in each query, as people do (codespell's pairs), and see what the default pipeline loses."""
    name = QUICK[0] if setup.quick else "ent-inazuma-qa"
    one = next(each for each in _expected.read(FILE.read_text(encoding="utf-8")) if each.name == name)
    collection = Collection.open(DATA / name)
    right = collection.topics(one.split)
    wrong = [topic for topic in misspelt(right, DATA / "spell" / "codespell.tsv", SEED) if topic is not None]
    ids = {topic.id for topic in wrong}
    options = Options(contenders(["hybrid"]), one.split)
    before = _bench(setup).measure(collection, [topic for topic in right if topic.id in ids], options, _watch(setup))
    after = _bench(setup).measure(collection, wrong, options, _watch(setup))
    values = [outcome.results[0].measures[MAIN] for outcome in (before, after)]
    note = f"{values[0]:.4f} spelt right, {values[1]:.4f} with a typo in each of {len(wrong):,} queries of {name}"
    target = None if setup.quick else TYPO_LOSS
    return [Figure("typo-loss", values[0] - values[1], target, "<=", MAIN, note)]


def misspelt(topics: Sequence[Topic], pairs: Path, seed: int) -> list[Topic | None]:
    """Return the topics with one word misspelt each, chosen at random; None where no word has a known misspelling."""
    known: dict[str, list[str]] = {}
    for line in pairs.read_text(encoding="utf-8").splitlines()[1:]:
        wrong, _, right = line.partition("\t")
        if right.isalpha() and len(right) > 3:
            known.setdefault(right.lower(), []).append(wrong)
    chance = random.Random(seed)
    found: list[Topic | None] = []
    for topic in topics:
        places = [match for match in re.finditer(r"[A-Za-z]+", topic.text) if match.group().lower() in known]
        if not places:
            found.append(None)
            continue
        place = chance.choice(places)
        typo = chance.choice(sorted(known[place.group().lower()]))
        found.append(replace(topic, text=topic.text[: place.start()] + typo + topic.text[place.end() :]))
    return found


def _sets(setup: Setup) -> list[Expected]:
    every = _expected.read(FILE.read_text(encoding="utf-8"))
    return [one for one in every if one.name in QUICK] if setup.quick else every


def _english(setup: Setup) -> list[Expected]:
    return [one for one in _sets(setup) if one.name in ENGLISH]


def _measure(setup: Setup, one: Expected) -> Outcome:
    setup.log(f"{one.name} …")
    names = [score.pipeline for score in one.scores]
    return _bench(setup).run(DATA / one.name, Options(contenders(names), one.split), _watch(setup))


def _against(setup: Setup, one: Expected, system: str, pipeline: str) -> tuple[Outcome | None, str]:
    """Return what a pipeline and another system found on a set, or why the other system cannot be asked."""
    collection = Collection.open(DATA / one.name)
    topics = collection.topics(one.split)
    path, problem = run_of(setup, system, collection, topics)
    if path is None:
        return None, problem
    setup.log(f"{one.name}: {pipeline} against {system} …")
    options = Options(contenders([pipeline]), one.split, runs=(path,))
    return _bench(setup).measure(collection, topics, options, _watch(setup)), ""


def _bench(setup: Setup) -> Bench:
    return Bench(setup.home, load(setup.home))


def _watch(setup: Setup) -> Watch:
    def asked(name: str, done: int, total: int) -> None:
        if done % 500 == 0:
            setup.log(f"{name}: {done:,} of {total:,} queries")

    return Watch(threading.Event(), lambda progress: None, asked)


PARTS = {"quality": quality, "bm25s": bm25s, "txtai": txtai, "typos": typos, "test": test, "write": write}

if __name__ == "__main__":
    sys.exit(run("search", __doc__.partition("\n")[0], PARTS, optional=("test", "write")))
