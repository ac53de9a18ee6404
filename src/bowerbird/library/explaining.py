"""Why searches answer as they do: one item for one query, and one query under several pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bowerbird.core.errors import NotFoundError
from bowerbird.core.records import OWNER, Principal

if TYPE_CHECKING:
    from bowerbird.library.library import Library
    from bowerbird.search.explaining import Verdict

DEPTH = 100
"""Hits of each pipeline that a replay looks at."""


@dataclass(frozen=True, slots=True)
class Row:
    """A hit of a replay: its ranks (from 1) in each pipeline; 0 where it is not among the first DEPTH."""

    item: str
    title: str
    path: str
    ranks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """One query under several pipelines: their formulas, and what is among the first hits of any of them."""

    query: str
    pipelines: tuple[str, ...]
    formulas: tuple[str, ...]
    rows: tuple[Row, ...]


class Explaining:
    """Explains the searches of one library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def why(
        self, text: str, item: str, principal: Principal = OWNER, pipeline: str = "hybrid", zone: str = "", by: str = ""
    ) -> Verdict:
        """Say where an item stands for a query, or why it was not found; by its id.

        What is not the principal's does not exist: NotFoundError. Only an admin who looks through the eyes of a person
        (`by` is the admin's id, the principal the person) is told why it is invisible, and that is audited. Raises
        QueryError and UsageError as a search does.
        """
        reader = self._library.reader(principal, "explain")
        try:
            return self._library.searcher().why(reader, text, item, pipeline, zone)
        except NotFoundError:
            person = principal.name.removeprefix("user:")
            if not by or person == principal.name:
                raise
            return self._invisible(text, item, person, by)

    def replay(
        self, text: str, pipelines: Sequence[str], principal: Principal = OWNER, limit: int = 10, zone: str = ""
    ) -> Replay:
        """Run a query under several pipelines, and say where each puts what is among the first `limit` of any."""
        answers = [
            self._library.search(text, principal, limit=DEPTH, pipeline=pipeline, zone=zone) for pipeline in pipelines
        ]
        ranks = [{hit.item: hit.rank for hit in answer.hits} for answer in answers]
        shown = {hit.item: hit for answer in answers for hit in answer.hits[:limit]}
        rows = [
            Row(hit.item, hit.title, hit.path, tuple(one.get(hit.item, 0) for one in ranks)) for hit in shown.values()
        ]
        rows.sort(key=lambda row: [rank or DEPTH + 1 for rank in row.ranks])
        formulas = tuple(answer.formula for answer in answers)
        return Replay(answers[0].query if answers else text, tuple(pipelines), formulas, tuple(rows))

    def _invisible(self, text: str, item: str, person: str, by: str) -> Verdict:
        from bowerbird.search.explaining import Cause, Verdict

        found = self._library.permissions.why_visible(item, person, by)
        causes = tuple(Cause("invisible", line) for line in found.lines)
        return replace(Verdict(text, item, "", "", "", False), causes=causes)
