"""The operators of retrieval: what a stage is, and how stages make a pipeline with `%`, `|` and `>>`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, reduce
from typing import ClassVar, Literal, Protocol

from bowerbird.core.errors import UsageError
from bowerbird.core.records import Query
from bowerbird.index.reading import Reading, Vector
from bowerbird.search.ranking import Ranking

DEPTH = 200
"""How many a leg finds where no `%` says otherwise."""

Level = Literal["passages", "items"]
Rankings = tuple[Ranking, ...]


class QueryEncoder(Protocol):
    """The part of an encoder that a search needs."""

    @property
    def id(self) -> str:
        """Changes whenever vectors would."""

    def query(self, text: str) -> Vector:
        """Return the unit vector of a query, float32 [dimensions]."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a pipeline runs on. `encoder` gives None or raises ModelError without a model; stages add to `hints`.

    `deeper` multiplies how much is found and kept everywhere: to replace what the second lock refused.
    """

    reader: Reading
    query: Query
    encoder: Callable[[], QueryEncoder | None]
    hints: list[str] = field(default_factory=list)
    parallel: bool = True
    deeper: int = 1


@dataclass(frozen=True, slots=True)
class Shape:
    """What flows between two stages: rankings of passages or items, how many, and whether snippets were asked for."""

    level: Level
    width: int = 1
    dressed: bool = False


class Stage(ABC):
    """One part of a pipeline, itself a pipeline."""

    tight: ClassVar[int] = 3
    """How tightly the operator binds, for parentheses: beside 0, then 1, cut 2, names 3."""

    @abstractmethod
    def run(self, context: Context, given: Rankings = (), limit: int = DEPTH) -> Rankings:
        """Turn the rankings before this stage into those after it; legs find at most `limit` (times `deeper`)."""

    @abstractmethod
    def shape(self, given: Shape | None) -> Shape:
        """Return what comes out when `given` goes in (None: nothing); raises UsageError where it does not fit."""

    @property
    def starts(self) -> bool:
        """Whether this begins a pipeline (finds something itself)."""
        return False

    def parts(self) -> Iterator[Stage]:
        """Yield this and every stage inside."""
        yield self

    def __mod__(self, count: int) -> Stage:
        return Cut(self, count)

    def __or__(self, other: Stage) -> Stage:
        legs = (*(self.legs if isinstance(self, Beside) else (self,)),)
        return Beside((*legs, *(other.legs if isinstance(other, Beside) else (other,))))

    def __rshift__(self, other: Stage) -> Stage:
        steps = self.steps if isinstance(self, Then) else (self,)
        return Then((*steps, *(other.steps if isinstance(other, Then) else (other,))))


@dataclass(frozen=True, slots=True)
class Cut(Stage):
    """The first `count` of each ranking."""

    tight: ClassVar[int] = 2
    stage: Stage
    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UsageError(f"`% {self.count}` keeps nothing.", "Keep at least 1.")

    def run(self, context: Context, given: Rankings = (), limit: int = DEPTH) -> Rankings:
        """Run the stage, no deeper than needed, and cut."""
        ranked = self.stage.run(context, given, self.count)
        return tuple(one.cut(self.count * context.deeper) for one in ranked)

    def shape(self, given: Shape | None) -> Shape:
        """Return the shape of what is cut."""
        return self.stage.shape(given)

    @property
    def starts(self) -> bool:
        """Whether what is cut begins a pipeline."""
        return self.stage.starts

    def parts(self) -> Iterator[Stage]:
        """Yield this and every stage inside."""
        yield self
        yield from self.stage.parts()

    def __str__(self) -> str:
        return f"{_inside(self.stage, self.tight)} % {self.count}"


@dataclass(frozen=True, slots=True)
class Beside(Stage):
    """Pipelines that run side by side: the first in the calling thread, the others in a shared pool."""

    tight: ClassVar[int] = 0
    legs: tuple[Stage, ...]

    def __post_init__(self) -> None:
        shapes = [one.shape(None) for one in self.legs]
        if len({one.level for one in shapes}) > 1:
            raise UsageError(f"`{self}` mixes passages and items.", "Put `items` after each that finds passages.")
        if any(one.dressed for one in shapes):
            raise UsageError(f"`snippets` cannot stand inside `{self}`.", "Put `snippets` last.")

    def run(self, context: Context, given: Rankings = (), limit: int = DEPTH) -> Rankings:
        """Run all and return their rankings in order."""
        first, *others = self.legs
        if not context.parallel:
            return tuple(one for stage in self.legs for one in stage.run(context, (), limit))
        inner = replace(context, parallel=False)  # a leg in the pool never waits for the pool
        running = [_pool().submit(stage.run, inner, (), limit) for stage in others]
        rankings = list(first.run(context, (), limit))
        for future in running:
            rankings += future.result()
        return tuple(rankings)

    def shape(self, given: Shape | None) -> Shape:
        """Return the rankings of all; nothing may come before."""
        if given is not None:
            raise UsageError(f"`{self}` begins a pipeline, so it cannot come after `>>`.", "Put it first.")
        shapes = [one.shape(None) for one in self.legs]
        return Shape(shapes[0].level, sum(one.width for one in shapes))

    @property
    def starts(self) -> bool:
        """Whether this begins a pipeline: yes."""
        return True

    def parts(self) -> Iterator[Stage]:
        """Yield this and every stage inside."""
        yield self
        for one in self.legs:
            yield from one.parts()

    def __str__(self) -> str:
        return " | ".join(_inside(one, 2) for one in self.legs)


@dataclass(frozen=True, slots=True)
class Then(Stage):
    """Stages one after the other; one that does not begin with a leg is a piece to be put after something."""

    tight: ClassVar[int] = 1
    steps: tuple[Stage, ...]

    def __post_init__(self) -> None:
        if self.steps[0].starts:
            self.shape(None)

    def run(self, context: Context, given: Rankings = (), limit: int = DEPTH) -> Rankings:
        """Run the steps in order, each on what the one before gave; a cut of the end does not narrow the legs."""
        return reduce(lambda rankings, step: step.run(context, rankings), self.steps, given)

    def shape(self, given: Shape | None) -> Shape:
        """Return what the last step gives."""
        first, *others = self.steps
        return reduce(lambda shape, step: step.shape(shape), others, first.shape(given))

    @property
    def starts(self) -> bool:
        """Whether the first step begins a pipeline."""
        return self.steps[0].starts

    def parts(self) -> Iterator[Stage]:
        """Yield this and every stage inside."""
        yield self
        for one in self.steps:
            yield from one.parts()

    def __str__(self) -> str:
        return " >> ".join(_inside(one, self.tight + 1) for one in self.steps)


def _inside(stage: Stage, tight: int) -> str:
    return f"({stage})" if stage.tight < tight else str(stage)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="search-leg")
