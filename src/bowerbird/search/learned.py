"""Stages that put what words and meaning found into one order by their scores: `mix`, and `ranked` with a model.

`ranked` looks at the best of the mixture and at the other parts of their documents (a page that never names the
customer is a page of the customer's order all the same), computes their features, and lets the model order them; what
it does not look at follows in the order of the mixture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import NamedTuple

from bowerbird.core.errors import UsageError
from bowerbird.core.records import Reason
from bowerbird.search.feature_words import feature_said
from bowerbird.search.features import NAMES as FEATURES
from bowerbird.search.features import Candidates, Legs, Matrix, mixed, table
from bowerbird.search.pipeline import DEPTH, Context, Rankings, Shape, Stage
from bowerbird.search.rankers import trees
from bowerbird.search.ranking import PASSAGES_KEPT, Because, Entry, Kept, Place, Ranking
from bowerbird.search.stages import Step

LOOKED_AT = 100
"""Items of which features are computed; their texts are read for it."""

DOCUMENTS, PARTS = 3, 100
"""Documents whose other parts come in, those of the best items, and how many parts at most."""

_MEANING = "meaning"


@dataclass(frozen=True)
class Found:
    """What two legs found, by item: what they said of it, and its passages, best first."""

    legs: Mapping[str, Legs]
    passages: Mapping[str, tuple[Kept, ...]]

    def best(self) -> list[tuple[str, float]]:
        """Return the items with their mixed scores, best first."""
        scores = mixed(list(self.legs.values())).tolist()
        return sorted(zip(self.legs, scores, strict=True), key=lambda pair: -pair[1])

    @cached_property
    def halves(self) -> Mapping[str, tuple[float, float]]:
        """What words and what meaning add to the mixed score of each item."""
        legs = list(self.legs.values())
        words = mixed([one._replace(meaning_rank=0) for one in legs]).tolist()
        near = mixed([one._replace(words_rank=0) for one in legs]).tolist()
        return dict(zip(self.legs, zip(words, near, strict=True), strict=True))


def gathered(given: Rankings) -> Found:
    """Return what rankings of passages say of each item; the leg called `meaning` gives cosines, the others BM25."""
    legs: dict[str, Legs] = {}
    places: dict[str, dict[str, float]] = {}
    for ranking in given:
        near = ranking.name == _MEANING
        for rank, entry in enumerate(ranking.entries, 1):
            own = places.setdefault(entry.item, {})
            own[entry.id] = own.get(entry.id, 0.0) + 1 / (60 + rank)
            had = legs.get(entry.item, Legs())
            if near and not had.meaning_rank:
                had = had._replace(cosine=entry.score, meaning_rank=rank)
            elif not near and not had.words_rank:
                had = had._replace(words=entry.score, words_rank=rank)
            legs[entry.item] = had._replace(passages=len(own))
    kept = {item: _kept(own) for item, own in places.items()}
    return Found(legs, kept)


def _kept(places: Mapping[str, float]) -> tuple[Kept, ...]:
    order = sorted(places.items(), key=lambda pair: -pair[1])[:PASSAGES_KEPT]
    return tuple(Kept(id_, score, rank) for rank, (id_, score) in enumerate(order, 1))


class _Joining(Step):
    """A step that makes one ranking of items of what words and meaning found."""

    def change(self, given: Shape) -> Shape:
        """Return one ranking of items; it is made of the legs themselves."""
        if given.width != 2 or given.level != "passages":
            raise UsageError(f"`{self}` joins what two legs found.", f"Write `(words | meaning) >> {self}`.")
        return Shape("items")


@dataclass(frozen=True, slots=True)
class Mix(_Joining):
    """The mean of both scores, each scaled to 0 (the worst that was found) to 1 (the best)."""

    def run(self, context: Context, given: Rankings = (), limit: int = DEPTH) -> Rankings:
        """Mix what was found."""
        found = gathered(given)
        return (Ranking("mix", tuple(_mixed(found, item, score, given) for item, score in found.best())),)

    def __str__(self) -> str:
        return "mix"


@dataclass(frozen=True, slots=True)
class Ranked(_Joining):
    """The order of a learned model; see the module."""

    def run(self, context: Context, given: Rankings = (), limit: int = DEPTH) -> Rankings:
        """Rank what was found."""
        found = gathered(given)
        candidates, rest = considered(context, found)
        if not candidates.items:
            return (Ranking("ranked", ()),)
        look = Look(default_model(), table(context.query, candidates))
        scores = look.model.scores(look.table).tolist()
        ordered = sorted(zip(candidates.items, scores, range(len(scores)), strict=True), key=lambda one: -one[1])
        below = ordered[-1][1] - 1
        entries = [
            _entry(found, item, score, Learned(found, item, given, look, row, score)) for item, score, row in ordered
        ]
        entries += [_mixed(found, item, below + score, given, below) for item, score in rest]
        return (Ranking("ranked", tuple(entries)),)

    def __str__(self) -> str:
        return "ranked"


def considered(context: Context, found: Found) -> tuple[Candidates, list[tuple[str, float]]]:
    """Return the candidates that a model looks at, and the other items with their mixed scores, both best first."""
    best = found.best()
    first = [item for item, _ in best[: LOOKED_AT * context.deeper]]
    more = context.reader.parts(first[:DOCUMENTS], PARTS)
    items = list(dict.fromkeys((*first, *more)))
    stored = context.reader.items(items)
    wanted = {item: _passage(found, item, row.content_version) for item, row in stored.items()}
    texts = context.reader.passages(list(wanted.values()))
    texts_of = {item: texts[passage] for item, passage in wanted.items() if passage in texts}
    looked_at = set(items)
    rest = [(item, score) for item, score in best if item not in looked_at]
    return Candidates(items, [found.legs.get(item, Legs()) for item in items], stored, texts_of), rest


def _passage(found: Found, item: str, version: int) -> str:
    kept = found.passages.get(item, ())
    return kept[0].id if kept else f"{item}.{version}.0"


@dataclass(frozen=True, slots=True)
class Look:
    """What a model looked at: a row of features for each candidate."""

    model: trees.Trees
    table: Matrix


class Halves(NamedTuple):
    """Why an entry of a mixture stands where it stands: both legs; `below` puts it under what a model looked at."""

    found: Found
    item: str
    given: Sequence[Ranking]
    below: float
    score: float

    def told(self) -> Iterator[str]:
        """Yield its places in the legs."""
        yield from map(str, _places(self.found, self.item, self.given))

    def reasons(self, numbers: bool) -> Iterator[Reason]:
        """Yield the score: half of each leg's, and what it begins with."""
        parts = [
            Reason(place.leg, f"place {place.rank} of {place.of}: half of its score, scaled to 0 to 1", amount)
            for place, amount in zip(_places(self.found, self.item, self.given), self._amounts(numbers), strict=True)
        ]
        if self.below:
            words = "behind everything that the model looks at"
            parts.insert(0, Reason("below", words, self.below if numbers else None))
        words = "words and meaning, mixed in equal parts"
        yield Reason("mix", words, self.score if numbers else None, tuple(parts))

    def _amounts(self, numbers: bool) -> list[float | None]:
        words, near = self.found.halves[self.item]
        legs = [place.leg for place in _places(self.found, self.item, self.given)]
        return [(near if leg == _MEANING else words) if numbers else None for leg in legs]


class Learned(NamedTuple):
    """Why a model put an entry where it stands: its row of features."""

    found: Found
    item: str
    given: Sequence[Ranking]
    look: Look
    row: int
    score: float

    def told(self) -> Iterator[str]:
        """Yield its places in the legs."""
        yield from map(str, _places(self.found, self.item, self.given))
        if self.item not in self.found.legs:
            yield "a part of a document of which another part was found"

    def reasons(self, numbers: bool) -> Iterator[Reason]:
        """Yield the score: what all begin with, and what each feature adds, the most first.

        Without numbers only what the item itself says is told, in the order of FEATURES: how much a feature adds
        depends on scores.
        """
        places = tuple(Reason(place.leg, f"place {place.rank} of {place.of}") for place in self._places())
        if not numbers:
            yield Reason("ranked", "a learned order of what was found", None, (*places, *self._facts()))
            return
        row = self.look.table[self.row : self.row + 1]
        added, beginning = self.look.model.shares(row)
        parts = [
            Reason(name, feature_said(name, float(row[0, FEATURES.index(name)]), True), amount)
            for name, amount in zip(self.look.model.features, added[0].tolist(), strict=True)
            if amount
        ]
        parts.sort(key=lambda part: -abs(part.amount or 0))
        words = "; ".join(f"{place.stage}: {place.words}" for place in places)
        words = f"a learned order of what was found{f' ({words})' if words else ''}"
        begun = Reason("beginning", "what every candidate begins with", beginning)
        yield Reason("ranked", words, self.score, (begun, *parts))

    def _facts(self) -> Iterator[Reason]:
        for name, value in zip(FEATURES, self.look.table[self.row].tolist(), strict=True):
            words = feature_said(name, value, False)
            if words:
                yield Reason(name, words)

    def _places(self) -> list[Place]:
        return _places(self.found, self.item, self.given)


def _places(found: Found, item: str, given: Sequence[Ranking]) -> list[Place]:
    """Return where the legs found an item: in the first that is about words, and in the first that is about meaning."""
    said = found.legs.get(item, Legs())
    places = []
    for near, rank in ((False, said.words_rank), (True, said.meaning_rank)):
        legs = (one for one in given if (one.name == _MEANING) == near and 0 < rank <= len(one.entries))
        held = next((one for one in legs if one.entries[rank - 1].item == item), None)
        places += [held.place(rank)] if held else []
    return places


def _mixed(found: Found, item: str, score: float, given: Sequence[Ranking], below: float = 0.0) -> Entry:
    return _entry(found, item, score, Halves(found, item, given, below, score))


def _entry(found: Found, item: str, score: float, why: Because) -> Entry:
    return Entry(item, item, score, found.passages.get(item, ()), (why,))


@cache
def default_model() -> trees.Trees:
    """Return the model that comes with Bowerbird."""
    return trees.read(files("bowerbird.search.rankers").joinpath("default.json").read_text("utf-8"))


mix: Stage = Mix()
ranked: Stage = Ranked()

NAMES: dict[str, Stage] = {str(stage): stage for stage in (mix, ranked)}
"""The words of a formula that are defined here."""
