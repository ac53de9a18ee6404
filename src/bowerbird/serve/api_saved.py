"""The routes of saved searches: what the asker keeps under a name, for themselves. Running one is a search like any."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_faces import Face, Json, library_of
from bowerbird.serve.bodies import Body
from bowerbird.serve.policies import PolicyRoute, asker_of, policy
from bowerbird.store.moments import from_row
from bowerbird.store.saved import LONGEST_NAME, LONGEST_QUERY, SavedSearch

router = APIRouter(tags=["account"], route_class=PolicyRoute)

SAVED = {
    "id": "m4k1zteq8v7c2", "name": "New decks", "query": "type:slides after:7d", "sort": "date",
    "created": "2026-03-18T12:00:00Z",
}  # fmt: skip

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, examples=["New decks"])]
Query = Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY, examples=["type:slides after:7d"])]
Sort = Literal["relevance", "date"]
Id = Annotated[str, Path(max_length=64, description="The saved search's id.")]


class NewSearch(Body):
    """A query to keep, in the order its hits are to have."""

    name: Name
    query: Query
    sort: Sort = "relevance"


class SearchChange(Body):
    """What is to be different; what is left out stays."""

    name: Name | None = None
    query: Query | None = None
    sort: Sort | None = None


def saved_face(saved: SavedSearch) -> Face:
    """Show a saved search."""
    return {
        "id": saved.id,
        "name": saved.name,
        "query": saved.query,
        "sort": saved.sort,
        "created": from_row(saved.created),
    }


@router.get("/api/me/saved", responses=examples.answers({"saved": [SAVED]}))
@policy("guest")
def list_saved(request: Request) -> Response:
    """List what the asker has saved, by name. An admin who views as somebody else gets their own."""
    found = library_of(request).saved.listed(asker_of(request).person)
    return Json({"saved": [saved_face(one) for one in found]})


@router.post("/api/me/saved", status_code=201, responses=examples.answers(SAVED, "Saved.", 201))
@policy("guest")
def save(request: Request, wanted: NewSearch) -> Response:
    """Save a search under a name that the asker has not used yet, whatever its case; at most 200."""
    made = library_of(request).saved.add(asker_of(request).person, wanted.name, wanted.query, wanted.sort)
    return Json(saved_face(made), 201)


@router.patch("/api/me/saved/{saved}", responses=examples.answers(SAVED))
@policy("guest")
def change_saved(request: Request, saved: Id, wanted: SearchChange) -> Response:
    """Give a saved search another name, query or order."""
    found = library_of(request).saved
    return Json(saved_face(found.change(asker_of(request).person, saved, wanted.name, wanted.query, wanted.sort)))


@router.delete("/api/me/saved/{saved}", responses=examples.answers(SAVED))
@policy("guest")
def remove_saved(request: Request, saved: Id) -> Response:
    """Forget a saved search; answers with what it was."""
    return Json(saved_face(library_of(request).saved.remove(asker_of(request).person, saved)))
