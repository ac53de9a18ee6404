"""What search quality is expected to be: `search.yaml`, and what was measured beside it.

The file is a small part of YAML, so that any tool reads it and no package is needed to:

    SET:
      split: dev
      corpus: SHA-256 of the corpus file
      queries: how many
      tolerance: how far below `expected` is still as expected
      PIPELINE: {expected: 0.681, least: 0.67, low: 0.6, above: hybrid}
      best: 0.85

`expected` is what was measured last, `least` what is demanded, `low` what the lower end of the 95% interval must be
above, `above` a pipeline that must be significantly worse, `best` what the best pipeline of the set must reach.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bowerbird.lab.bench import Outcome
from bowerbird.lab.comparing import Comparison, compare
from bowerbird.lab.judging import MAIN, SetResult
from bowerbird.lab.measuring import Figure
from bowerbird.lab.significance import holm

_SET = re.compile(r"(?P<name>[\w./-]+):")
_FIELD = re.compile(r"  (?P<name>[\w-]+): (?P<value>[^{}]+)")
_SCORE = re.compile(r"  (?P<name>[\w-]+): \{(?P<fields>[^{}]*)\}")
_KNOWN = {"expected", "least", "low", "above"}

_HEAD = """\
# nDCG@10 that search is expected to have, on data that is not in the repository (docs/reference/benchmarks.md).
# `python benchmarks/search.py` measures and compares, `--write` writes what it measured here. What each line means is
# said in benchmarks/_expected.py.
"""


@dataclass(frozen=True, slots=True)
class Score:
    """What is expected and demanded of one pipeline on one set."""

    pipeline: str
    expected: float | None = None
    least: float | None = None
    low: float | None = None
    above: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected on one set; `corpus` is "" and `queries` 0 where nothing was measured yet."""

    name: str
    split: str
    scores: tuple[Score, ...]
    corpus: str = ""
    queries: int = 0
    tolerance: float = 0.005
    best: float | None = None


def read(text: str) -> list[Expected]:
    """Return the sets of the file; raises ValueError at a line that is not of it."""
    sets: list[tuple[str, dict[str, str], list[Score]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.rstrip()
        if not bare or bare.lstrip().startswith("#"):
            continue
        if match := _SET.fullmatch(bare):
            sets.append((match["name"], {}, []))
        elif sets and (match := _SCORE.fullmatch(bare)):
            sets[-1][2].append(_score(match["name"], match["fields"], number))
        elif sets and (match := _FIELD.fullmatch(bare)):
            sets[-1][1][match["name"]] = match["value"].strip()
        else:
            raise ValueError(f"line {number} of search.yaml cannot be read: {line}")
    return [_expected(name, fields, scores) for name, fields, scores in sets]


def _score(pipeline: str, text: str, number: int) -> Score:
    parts = (pair.partition(":") for pair in text.split(",") if pair.strip())
    pairs = {name.strip(): value.strip() for name, _, value in parts}
    if set(pairs) - _KNOWN:
        raise ValueError(f"line {number} of search.yaml knows {', '.join(sorted(_KNOWN))}, not {', '.join(pairs)}")
    numbers = {name: float(value) for name, value in pairs.items() if name != "above"}
    return Score(pipeline, above=pairs.get("above", ""), **numbers)


def _expected(name: str, fields: Mapping[str, str], scores: Sequence[Score]) -> Expected:
    unknown = set(fields) - {"split", "corpus", "queries", "tolerance", "best"}
    if unknown or "split" not in fields or not scores:
        raise ValueError(
            f"{name} in search.yaml needs a split and a pipeline, and has {', '.join(unknown) or 'neither'}"
        )
    return Expected(
        name=name,
        split=fields["split"],
        scores=tuple(scores),
        corpus=fields.get("corpus", ""),
        queries=int(fields.get("queries", "0")),
        tolerance=float(fields.get("tolerance", "0.005")),
        best=float(fields["best"]) if "best" in fields else None,
    )


def write(sets: Sequence[Expected]) -> str:
    """Return the file that `read` gives these sets of."""
    lines = [_HEAD]
    for one in sets:
        lines += [f"{one.name}:", f"  split: {one.split}"]
        lines += [f"  corpus: {one.corpus}", f"  queries: {one.queries}"] if one.corpus else []
        lines.append(f"  tolerance: {one.tolerance:g}")
        for score in one.scores:
            told = {"expected": score.expected, "least": score.least, "low": score.low, "above": score.above or None}
            fields = ", ".join(f"{name}: {value}" for name, value in told.items() if value is not None)
            lines.append(f"  {score.pipeline}: {{{fields}}}")
        lines += [f"  best: {one.best:g}"] if one.best is not None else []
        lines.append("")
    return "\n".join(lines)


def measured(one: Expected, outcome: Outcome) -> Expected:
    """Return what is expected from now on: what was measured."""
    values = {result.pipeline: round(result.measures[MAIN], 4) for result in outcome.results}
    return replace(
        one,
        corpus=outcome.collection.checksum(),
        queries=outcome.results[0].queries,
        scores=tuple(replace(score, expected=values[score.pipeline]) for score in one.scores),
    )


def figures(pairs: Sequence[tuple[Expected, Outcome]], compared: bool) -> list[Figure]:
    """Return what was measured beside what is demanded, and beside what was expected where `compared`."""
    found: list[Figure] = []
    for one, outcome in pairs:
        results = {result.pipeline: result for result in outcome.results}
        if compared and one.corpus:
            found += _data(one, outcome)
        for score in one.scores:
            found += _figures(one, score, results[score.pipeline], compared)
        if one.best is not None:
            value, name = max((result.measures[MAIN], name) for name, result in results.items())
            found.append(Figure(f"{one.name}-best", value, one.best, ">=", MAIN, f"by {name}"))
    return [*found, *_above(pairs)]


def _data(one: Expected, outcome: Outcome) -> list[Figure]:
    """Return a figure that misses where the data are not those that the expected scores were measured on."""
    same = outcome.collection.checksum() == one.corpus and outcome.results[0].queries == one.queries
    if same:
        return []
    note = f"expected were measured on {one.queries:,} queries and the corpus {one.corpus[:12]}"
    return [Figure(f"{one.name}-data", 0, 1, "==", "", note)]


def _figures(one: Expected, score: Score, result: SetResult, compared: bool) -> list[Figure]:
    name, value = f"{one.name}-{score.pipeline}", result.measures[MAIN]
    low, high = result.intervals[MAIN]
    cost = f"p95 {result.took(0.95) or 0:.0f} ms, {result.memory / 1e6:.0f} MB"
    note = f"[{low:.3f}, {high:.3f}], {result.queries:,} queries of {one.split}, {cost}"
    target = None
    if compared and score.expected is not None:
        target = round(score.expected - one.tolerance, 4)
        note += f"; expected {score.expected:.4f}"
        note += ", and higher now: --write it" if value > score.expected + one.tolerance else ""
    found = [Figure(name, value, target, ">=", MAIN, note)]
    if score.least is not None:
        found.append(Figure(f"{name}-least", value, score.least, ">=", MAIN))
    if score.low is not None:
        found.append(Figure(f"{name}-low", low, score.low, ">", MAIN, "the lower end of the 95% interval"))
    return found


def _above(pairs: Sequence[tuple[Expected, Outcome]]) -> list[Figure]:
    """Return for each pipeline that must be significantly above another whether it is, corrected for all of them."""
    compared: list[Comparison] = []
    for one, outcome in pairs:
        results = {result.pipeline: result for result in outcome.results}
        for score in one.scores:
            if score.above:
                both = compare([results[score.above], results[score.pipeline]], {})
                compared.append(replace(both[0], name=one.name))
    return significance(compared)


def significance(compared: Sequence[Comparison]) -> list[Figure]:
    """Return for each comparison its corrected p-value, or 1 where the pipeline is not the better one, below 0.05."""
    return [
        Figure(
            f"{one.name}-{one.pipeline}-above-{one.baseline}",
            p if one.difference > 0 else 1.0,
            0.05,
            "<",
            "p (Holm)",
            f"{one.difference:+.4f} [{one.interval[0]:+.3f}, {one.interval[1]:+.3f}], "
            f"{one.better:,} better, {one.worse:,} worse",
        )
        for one, p in zip(compared, holm([one.p for one in compared]), strict=True)
    ]
