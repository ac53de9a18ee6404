"""The routes that read: search, items, their text, pages and originals, and showing a file in its folder.

Every route is a plain function that FastAPI runs in its thread pool, because the library blocks.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bowerbird.core.errors import QueryError
from bowerbird.core.zones import LONGEST
from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_faces import Json, item_face, library_of, text_face
from bowerbird.serve.api_originals import original_response, reveal_folder
from bowerbird.serve.policies import PolicyRoute, asker_of, policy

QUERY_CHARACTERS = 4_000
TEXT_CHARACTERS = 60_000

router = APIRouter(tags=["search"], route_class=PolicyRoute)

ItemId = Annotated[str, Path(max_length=64, description="The item's id, as a hit names it.")]


class Wanted(BaseModel):
    """What a search is asked; every field is a parameter of the query string."""

    q: str = Field("", description='The query: words, "phrases" and operators such as type:pdf.')
    limit: int = Field(10, ge=1, le=100, description="How many hits.")
    cursor: str = Field("", max_length=2_000, description="The cursor of the answer before, for more.")
    sort: Literal["relevance", "date"] = Field("relevance", description="The order of the hits.")
    pipeline: str = Field("hybrid", max_length=400, description="A preset, or a formula.")
    zone: str = Field("", max_length=LONGEST, description="The asker's time zone: an IANA name, or an offset +02:00.")


@router.get("/api/search", responses=examples.answers(examples.SEARCH, "The hits, best first."))
@policy("guest")
def search(request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
    """Search everything that the asker may see. Answers with at most `limit` hits; more follow by `cursor`."""
    if len(wanted.q) > QUERY_CHARACTERS:
        raise QueryError(f"The query is longer than {QUERY_CHARACTERS:,} characters.", "Shorten it.")
    found = library_of(request).search(
        wanted.q, asker_of(request).principal, limit=wanted.limit, cursor=wanted.cursor, sort=wanted.sort,
        pipeline=wanted.pipeline, zone=wanted.zone,
    )  # fmt: skip
    return Json(found.to_dict())


@router.get("/api/items/{item_id}", responses=examples.answers(examples.ITEM, "The item."))
@policy("guest")
def item(request: Request, item_id: ItemId) -> Response:
    """Describe one item: where it is, what it is, who made it, and whether it could be read."""
    return Json(item_face(library_of(request).item(item_id, asker_of(request).principal)))


@router.get("/api/items/{item_id}/text", responses=examples.answers(examples.TEXT, "A stretch of the text."))
@policy("guest")
def text(
    request: Request,
    item_id: ItemId,
    start: Annotated[int, Query(ge=0, description="The first character, counted in code points.")] = 0,
    length: Annotated[int, Query(ge=1, le=1_000_000, description="How many characters.")] = TEXT_CHARACTERS,
) -> Response:
    """Return the extracted text in blocks (headings, paragraphs, tables, ...), as much of it as is asked for."""
    return Json(text_face(library_of(request).document(item_id, asker_of(request).principal), start, length))


@router.get(
    "/api/items/{item_id}/pages/{page}.png",
    response_class=Response,
    responses=examples.binary("image/png", "The page as an image."),
)
@policy("guest")
def page_image(
    request: Request,
    item_id: ItemId,
    page: Annotated[int, Path(ge=1, le=100_000, description="The page, from 1.")],
    width: Annotated[int, Query(ge=64, le=2_400, description="The width in pixels.")] = 1_200,
) -> Response:
    """Render one page of a PDF, or an image, as PNG."""
    return Response(
        library_of(request).page_image(item_id, page, width, asker_of(request).principal), media_type="image/png"
    )


@router.get(
    "/open/{item_id}",
    response_class=Response,
    responses=examples.binary("*/*", "The original, under the type by which it may be shown."),
)
@policy("guest")
def open_original(request: Request, item_id: ItemId) -> Response:
    """Show the original where that is safe, else offer it for download. Ranges of bytes are served (RFC 9110, 14)."""
    library, principal = library_of(request), asker_of(request).principal
    found = library.item(item_id, principal)
    return original_response(found, library.original(item_id, principal), request.headers.get("range", ""))


@router.post("/api/items/{item_id}/reveal", responses=examples.answers({"folder": "/home/ada/Documents/hr"}))
@policy("owner")
async def reveal(request: Request, item_id: ItemId) -> Response:
    """Show the item's file in the file manager of this machine; 409 with the `path` where there is no desktop."""
    found = await run_in_threadpool(library_of(request).item, item_id, asker_of(request).principal)
    return await reveal_folder(found)
