"""The routes about the library itself: status, sources, jobs, and invitations to sign in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_faces import Json, library_of, source_face, status_face
from bowerbird.serve.bodies import Body
from bowerbird.serve.policies import PolicyRoute, asker_of, policy

router = APIRouter(tags=["library"], route_class=PolicyRoute)

JobId = Annotated[str, Path(max_length=64)]
SourceName = Annotated[str, Path(max_length=200)]


class Location(Body):
    """Where a source lies: a folder of this machine, or an fsspec URL."""

    location: str = Field(min_length=1, max_length=4_000, pattern=r"^[^\x00]+$", examples=["/home/ada/Documents"])
    name: str = Field("", max_length=200, examples=["Documents"])


class SyncRequest(Body):
    """Which source to read again; without one, all of them."""

    source: str | None = Field(None, max_length=200, examples=["Documents"])


@router.get("/api/status", responses=examples.answers(examples.STATUS, "How the library stands."))
@policy("admin")
def status(request: Request) -> Response:
    """Tell how much is searchable, what is waiting, what could not be read and why, and what is going on."""
    return Json(status_face(library_of(request).status()))


@router.get("/api/sources", responses=examples.answers({"sources": [examples.SOURCE]}))
@policy("member")
def sources(request: Request) -> Response:
    """List the sources with their counts and their last sync; to members, those with something that they may see."""
    library, asker = library_of(request), asker_of(request)
    every = asker.role in ("admin", "owner") and not asker.viewing
    found = library.sources() if every else library.seen_sources(asker.principal)
    return Json({"sources": [source_face(source) for source in found]})


@router.post("/api/sources/preview", responses=examples.answers({"files": 1260, "bytes": 340_000_000, "ignored": 45}))
@policy("admin")
def preview(request: Request, place: Location) -> Response:
    """Tell what adding a folder would read, before it is added."""
    return Json(library_of(request).preview(place.location))


@router.post(
    "/api/sources",
    status_code=201,
    responses=examples.answers({"source": examples.SOURCE, "job": examples.JOB}, "Added.", 201),
)
@policy("admin")
def add_source(request: Request, place: Location) -> Response:
    """Add a folder and start to read it. Adding the same location again changes nothing and reads it again."""
    library = library_of(request)
    source = library.add(place.location, place.name, asker_of(request).person)
    return Json({"source": source_face(source), "job": library.enqueue("sync", source.name)}, 201)


@router.delete("/api/sources/{name}", responses=examples.answers({"removed": "Documents"}))
@policy("admin")
def remove_source(request: Request, name: SourceName) -> Response:
    """Forget a source and everything known of its items. The files themselves are not touched."""
    library_of(request).remove_source(name)
    return Json({"removed": name})


@router.post("/api/sync", status_code=202, responses=examples.answers({"job": examples.JOB}, "Enqueued.", 202))
@policy("admin")
def sync(request: Request, wanted: SyncRequest | None = None) -> Response:
    """Read a source again, or all of them, as a job."""
    source = wanted.source if wanted else None
    return Json({"job": library_of(request).enqueue("sync", source)}, 202)


@router.get("/api/jobs/{job_id}", responses=examples.answers(examples.JOB, "The job."))
@policy("admin")
def job(request: Request, job_id: JobId) -> Response:
    """Tell how far a job is."""
    return Json(library_of(request).job(job_id))


@router.post("/api/jobs/{job_id}/cancel", responses=examples.answers({**examples.JOB, "state": "cancelled"}))
@policy("admin")
def cancel(request: Request, job_id: JobId) -> Response:
    """Ask a job to stop; what it finished stays finished."""
    library = library_of(request)
    library.cancel(job_id)
    return Json(library.job(job_id))


@router.post("/api/invitations", status_code=201, responses=examples.answers({"path": "/signin?token=..."}, status=201))
@policy("owner")
def invite(request: Request) -> Response:
    """Make a link that signs one browser in, once."""
    return Json({"path": f"/signin?token={request.app.state.doors.invite()}"}, 201)
