"""The route behind "Why this?" and "Why not?": one item for one query."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from bowerbird.core.errors import QueryError
from bowerbird.core.zones import LONGEST
from bowerbird.serve import api_examples as examples
from bowerbird.serve.api import QUERY_CHARACTERS
from bowerbird.serve.api_faces import Json, library_of
from bowerbird.serve.policies import PolicyRoute, asker_of, policy

router = APIRouter(tags=["search"], route_class=PolicyRoute)

EXPLAINED = {
    "query": "travel budget", "item": "q8v7c2m4k1zte", "title": "Travel policy", "path": "hr/travel policy.md",
    "formula": "(words % 200 | meaning % 200) >> fuse >> named >> snippets", "found": True, "rank": 1, "of": 3,
    "causes": [{"code": "filter", "words": "`type:pdf` leaves it out: it is of the type note."}],
    "lines": ["words: rank 1 of 2", "meaning: rank 1 of 3", "rrf: 1/(60+1) + 1/(60+1) = 0.0328"],
    "reason": {
        "stage": "score", "words": "the sum of what follows", "amount": 0.0328,
        "parts": [{"stage": "words", "words": "place 1 of 2", "amount": 0.0164, "parts": []}],
    },
    "hints": ["`tpye:` is not an operator, so it was searched as text. Did you mean `type:`?"],
}  # fmt: skip


class Asked(BaseModel):
    """What is to be explained."""

    q: str = Field("", description="The query.")
    item: str = Field("", max_length=64, description="The item's id, as a hit names it.")
    pipeline: str = Field("hybrid", max_length=400, description="A preset, or a formula.")
    zone: str = Field("", max_length=LONGEST, description="The asker's time zone: an IANA name, or an offset +02:00.")


@router.get("/api/explain", responses=examples.answers(EXPLAINED, "Where the item stands, or why it was not found."))
@policy("guest")
def explain(request: Request, asked: Annotated[Asked, Query()]) -> Response:
    """Say where an item stands for a query and why, or why the query does not find it.

    `reason` is a tree whose amounts add up to the score; they are told only to the owner who sees everything, as scores
    depend on all texts, and are null for others. What is not the asker's does not exist. An admin who views as somebody
    is told why an item is invisible to them, and that is written to the audit log.
    """
    if len(asked.q) > QUERY_CHARACTERS:
        raise QueryError(f"The query is longer than {QUERY_CHARACTERS:,} characters.", "Shorten it.")
    asker = asker_of(request)
    by = asker.person if asker.viewing else ""
    found = library_of(request).explaining.why(asked.q, asked.item, asker.principal, asked.pipeline, asked.zone, by)
    return Json(found)
