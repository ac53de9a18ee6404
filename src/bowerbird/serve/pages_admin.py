"""The pages for admins: shells like the others; what they show comes from the API by script."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bowerbird.serve.pages import page
from bowerbird.serve.policies import PolicyRoute, policy

router = APIRouter(include_in_schema=False, route_class=PolicyRoute)


@dataclass(frozen=True, slots=True)
class Place:
    """One page of the administration: its address below `/admin`, its title and its icon."""

    name: str
    title: str
    icon: str

    @property
    def path(self) -> str:
        """Where it is."""
        return "/admin" if self.name == "overview" else f"/admin/{self.name}"


PLACES = (
    Place("overview", "Overview", "gauge"),
    Place("people", "People", "people"),
    Place("sources", "Sources", "folder"),
    Place("access", "Access", "lock"),
    Place("activity", "Activity", "pulse"),
    Place("audit", "Audit log", "log"),
    Place("storage", "Storage", "disk"),
)
_PLACES = {place.name: place for place in PLACES}


def _shown(request: Request, name: str) -> Response:
    return page(request, f"admin/{name}.html", place=_PLACES[name], places=PLACES)


@router.get("/admin")
@policy("admin")
def overview(request: Request) -> Response:
    """Show how the library stands and what needs attention."""
    return _shown(request, "overview")


@router.get("/admin/people")
@policy("admin")
def people(request: Request) -> Response:
    """Show people and groups."""
    return _shown(request, "people")


@router.get("/admin/sources")
@policy("admin")
def sources(request: Request) -> Response:
    """Show the sources and how they fare."""
    return _shown(request, "sources")


@router.get("/admin/access")
@policy("admin")
def access(request: Request) -> Response:
    """Show who may read what, and why."""
    return _shown(request, "access")


@router.get("/admin/activity")
@policy("admin")
def activity(request: Request) -> Response:
    """Show what is going on, and what could not be read."""
    return _shown(request, "activity")


@router.get("/admin/audit")
@policy("admin")
def audit(request: Request) -> Response:
    """Show who did what."""
    return _shown(request, "audit")


@router.get("/admin/storage")
@policy("admin")
def storage(request: Request) -> Response:
    """Show what takes how much room, and the backups."""
    return _shown(request, "storage")


@router.get("/status")
@policy("admin")
def status(_: Request) -> Response:
    """Send those who kept the address of the library's page to the overview."""
    return RedirectResponse("/admin", 308)
