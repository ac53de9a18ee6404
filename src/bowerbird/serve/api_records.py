"""The routes about what is kept: backups and purges, as jobs of the writer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_faces import Json, library_of
from bowerbird.serve.policies import PolicyRoute, asker_of, policy
from bowerbird.store.moments import from_row

router = APIRouter(tags=["records"], route_class=PolicyRoute)

_BACKUPS = {"backups": [{"path": "/home/ada/.local/share/bowerbird/backups/bowerbird-20261124-101500.tar.zst",
                         "created": "2026-11-24T10:15:00Z", "there": True}]}  # fmt: skip


@router.get("/api/backups", responses=examples.answers(_BACKUPS))
@policy("admin")
def backups(request: Request) -> Response:
    """List the backups that were written, newest first, and whether each still is where it was written."""
    found = library_of(request).records.backups()
    faces = [{"path": one.path, "created": from_row(one.created), "there": one.there} for one in found]
    return Json({"backups": faces})


@router.post("/api/backup", status_code=202, responses=examples.answers({"job": examples.JOB}, "Enqueued.", 202))
@policy("admin")
def backup(request: Request) -> Response:
    """Write a backup into the data directory's own folder, as a job; its message names the file."""
    return Json({"job": library_of(request).records.ask("backup", asker_of(request).principal)}, 202)


@router.post("/api/purge", status_code=202, responses=examples.answers({"job": examples.JOB}, "Enqueued.", 202))
@policy("owner")
def purge(request: Request) -> Response:
    """Remove every byte of what was deleted, as a job; its message names the receipt."""
    return Json({"job": library_of(request).records.ask("purge", asker_of(request).principal)}, 202)
