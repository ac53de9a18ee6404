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


def _add(place: Place) -> None:
    @policy("admin")
    def shown(request: Request) -> Response:
        return page(request, f"admin/{place.name}.html", place=place, places=PLACES)

    router.add_api_route(place.path, shown, name=place.name)


for _place in PLACES:
    _add(_place)


@router.get("/status")
@policy("admin")
def status(_: Request) -> Response:
    """Send those who kept the address of the library's page to the overview."""
    return RedirectResponse("/admin", 308)
