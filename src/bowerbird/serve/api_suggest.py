"""The routes behind the list under the search box: suggestions while typing, and one's own past queries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_faces import Json, library_of
from bowerbird.serve.bodies import Body
from bowerbird.serve.policies import PolicyRoute, asker_of, policy

router = APIRouter(tags=["search"], route_class=PolicyRoute)

SUGGESTIONS = {
    "query": "trav",
    "suggestions": [
        {"kind": "query", "text": "travel budget", "label": "travel budget", "detail": "", "highlights": [[0, 4]],
         "item": "", "icon": ""},
        {"kind": "item", "text": "trav", "label": "Travel policy", "detail": "Office › hr", "highlights": [[0, 4]],
         "item": "q8v7c2m4k1zte", "icon": "note"},
    ],
    "partial": False,
    "took_ms": 2.4,
}  # fmt: skip


class Asked(Body):
    """A query that somebody meant: they looked at what it found."""

    text: str = Field(min_length=1, max_length=4_000, examples=["travel budget type:pdf"])


@router.get("/api/suggest", responses=examples.answers(SUGGESTIONS, "What fits, grouped by kind."))
@policy("guest")
def suggest(
    request: Request,
    q: Annotated[str, Query(description="The query, up to where it is being typed.")] = "",
    limit: Annotated[int, Query(ge=1, le=20, description="How many items, or values of an operator, at most.")] = 5,
) -> Response:
    """Say what a query that is being typed may become: own past queries, items by name, people, folders, operators.

    Everything is made of what the asker may see; past queries are the asker's own, and left out while viewing as
    somebody else.
    """
    asker = asker_of(request)
    person = "" if asker.viewing else asker.person
    return Json(library_of(request).suggesting.suggest(q, asker.principal, person, limit))


@router.get("/api/me/queries", responses=examples.answers({"queries": ["travel budget", "from:ada type:pdf"]}))
@policy("guest")
def past_queries(request: Request) -> Response:
    """List the asker's past queries, the newest first."""
    return Json({"queries": library_of(request).suggesting.past(asker_of(request).person)})


@router.post("/api/me/queries", responses=examples.answers({"kept": True}))
@policy("guest")
def remember_query(request: Request, asked: Asked) -> Response:
    """Keep a query of the asker's, to be offered to them again; `kept` is false where the settings keep none."""
    return Json({"kept": library_of(request).suggesting.remember(asker_of(request).person, asked.text)})


@router.delete("/api/me/queries", responses=examples.answers({"removed": 12}))
@policy("guest")
def forget_queries(
    request: Request,
    text: Annotated[str, Query(max_length=4_000, description="The query to forget; without one, all of them.")] = "",
) -> Response:
    """Forget one of the asker's past queries, or all."""
    return Json({"removed": library_of(request).suggesting.forget(asker_of(request).person, text)})
