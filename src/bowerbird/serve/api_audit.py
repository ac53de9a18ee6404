"""The routes of the audit log: read in pages, checked, exported."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from bowerbird.core.records import Principal
from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_faces import Json, library_of
from bowerbird.serve.policies import PolicyRoute, asker_of, policy

router = APIRouter(tags=["audit"], route_class=PolicyRoute)

EVENT = {
    "id": 412, "at": "2026-03-02T09:15:00Z", "actor": "9f2c41aa07d3e816", "person": "ada", "action": "rule.added",
    "object": "0m5x2k9r3tq8w", "subject": "",
}  # fmt: skip


@router.get(
    "/api/audit",
    responses=examples.answers({"events": [EVENT], "next": 0, "actions": ["person.invited", "rule.added"]}),
)
@policy("admin")
def events(
    request: Request,
    before: Annotated[int, Query(ge=0, le=1 << 53, description="The `next` of the answer before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    action: Annotated[str, Query(max_length=100, description="Only this action.")] = "",
) -> Response:
    """List who did what, newest first: pseudonyms and ids, with the handles of those who are still there."""
    return Json(library_of(request).auditing.page(before, limit, action))


@router.get("/api/audit/verify", responses=examples.answers({"events": 412, "broken": []}))
@policy("admin")
def verify(request: Request) -> Response:
    """Follow the chain of hashes through the whole log; `broken` are the numbers of events that do not follow."""
    return Json(library_of(request).auditing.verify())


@router.get(
    "/api/audit/export",
    response_class=StreamingResponse,
    responses=examples.binary("application/x-ndjson", "The log, a JSON object a line."),
)
@policy("admin")
def export(request: Request) -> Response:
    """Export the log, oldest first. Each hash is SHA-256 over the hash before and the fields, joined by U+001F."""
    lines = library_of(request).auditing.exported(Principal(f"user:{asker_of(request).person}"))
    headers = {"content-disposition": 'attachment; filename="bowerbird-audit.jsonl"'}
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=headers)
