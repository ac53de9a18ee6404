"""The routes that only admins' pages need: the overview, what could not be read, the room taken, the list of jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field

from bowerbird.core.records import Principal
from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_faces import Json, library_of
from bowerbird.serve.bodies import Body
from bowerbird.serve.policies import PolicyRoute, asker_of, policy
from bowerbird.store.moments import from_row

router = APIRouter(tags=["admin"], route_class=PolicyRoute)

Code = Annotated[str, Query(max_length=64)]
Source = Annotated[str, Query(max_length=200)]
ItemId = Annotated[str, Field(max_length=64)]

OVERVIEW: dict[str, Any] = {
    "items": 1260,
    "passages": 9184,
    "pending": 0,
    "pending_vectors": 0,
    "refused": 2,
    "sources": 1,
    "people": 3,
    "groups": 2,
    "jobs": 0,
    "model": "ready",
    "guard": "namespace",
    "concerns": [
        {
            "code": "quarantine",
            "level": "note",
            "text": "2 files could not be read and are found by name only.",
            "page": "/admin/activity#quarantine",
        }
    ],
}
REFUSED: dict[str, Any] = {
    "refused": [
        {
            "item": "0c3n8w5r2t7yb",
            "source": "Documents",
            "key": "scans/broken.pdf",
            "size": 48_200,
            "code": "extraction-failed",
            "cause": "The file ends in the middle of an object.",
            "at": "2026-03-02T09:16:40Z",
        }
    ],
    "codes": {"extraction-failed": 2},
    "total": 2,
    "next": 0,
}
STORAGE: dict[str, Any] = {
    "home": "/home/ada/.local/share/bowerbird",
    "shares": [
        {"part": "index", "bytes": 48_000_000, "files": 61},
        {"part": "database", "bytes": 9_100_000, "files": 3},
    ],
    "bytes": 57_100_000,
    "free": 210_000_000_000,
    "total": 500_000_000_000,
}

RECEIPTS: dict[str, Any] = {
    "receipts": [
        {
            "at": "2026-03-02T10:00:00Z",
            "seconds": 3.2,
            "removed": {"documents": 4, "passages": 61},
            "unreachable": [
                {
                    "path": "/mnt/backups/bowerbird-20260301-020000.tar.zst",
                    "created": "2026-03-01T02:00:00Z",
                    "there": True,
                }
            ],
            "path": "/home/ada/.local/share/bowerbird/receipts/purge-20260302-100000.json",
        }
    ]
}


class Retry(Body):
    """What to read again: these items; without any, all of a code and of a source (all, where both are empty)."""

    items: list[ItemId] = Field(default_factory=list, max_length=500, examples=[["0c3n8w5r2t7yb"]])
    code: str = Field("", max_length=64, examples=["extraction-failed"])
    source: str = Field("", max_length=200, examples=["Documents"])


@router.get("/api/admin/overview", responses=examples.answers(OVERVIEW, "The library at a glance."))
@policy("admin")
def overview(request: Request) -> Json:
    """Tell how the library stands, and what somebody should look at."""
    return Json(library_of(request).oversight.overview())


@router.get("/api/admin/quarantine", responses=examples.answers(REFUSED))
@policy("admin")
def quarantine(
    request: Request,
    code: Code = "",
    source: Source = "",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Json:
    """List what could not be read and why, newest first; `next` is the offset of what follows, 0 at the end."""
    return Json(library_of(request).oversight.refused(code, source, offset, limit))


@router.post("/api/admin/quarantine/retry", status_code=202, responses=examples.answers({"retried": 2}, status=202))
@policy("admin")
def retry(request: Request, wanted: Retry) -> Json:
    """Let what could not be read be read again."""
    oversight, by = library_of(request).oversight, Principal(f"user:{asker_of(request).person}")
    if wanted.items:
        return Json({"retried": oversight.retry(by, wanted.items)}, 202)
    return Json({"retried": oversight.retry_all(by, wanted.code, wanted.source)}, 202)


@router.get("/api/admin/storage", responses=examples.answers(STORAGE, "In bytes."))
@policy("admin")
def storage(request: Request) -> Json:
    """Tell what takes how much room: database, documents, vectors, renders, unused, index, models, backups, other."""
    return Json(library_of(request).oversight.storage())


@router.get("/api/admin/receipts", responses=examples.answers(RECEIPTS))
@policy("admin")
def receipts(request: Request) -> Json:
    """List what the last purges removed, newest first, and the backups that each could not reach."""
    found = []
    for receipt in library_of(request).oversight.receipts():
        beyond = [
            {"path": one.path, "created": from_row(one.created), "there": one.there} for one in receipt.unreachable
        ]
        shown = {"seconds": receipt.seconds, "removed": receipt.removed, "path": receipt.path}
        found.append({"at": from_row(receipt.at), **shown, "unreachable": beyond})
    return Json({"receipts": found})


@router.get("/api/jobs", responses=examples.answers({"jobs": [examples.JOB]}))
@policy("admin")
def jobs(request: Request, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> Json:
    """List the newest jobs, newest first."""
    return Json({"jobs": library_of(request).oversight.jobs(limit)})
