"""The web pages: search, status, signing in. They are shells; what they show comes from the API by script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from bowerbird import __version__
from bowerbird.core.errors import BowerbirdError, SignInError
from bowerbird.core.kinds import KIND_ALIASES, KIND_NAMES, KINDS
from bowerbird.serve.api_faces import error_face
from bowerbird.serve.policies import PolicyRoute, policy
from bowerbird.serve.security import SESSION_SECONDS, cookie_name

HERE = Path(__file__).parent
STATIC = HERE / "static"

_ENDINGS = {ending: kind for kind, endings in KINDS.items() for ending in endings.split()}
KIND_WORDS = {**_ENDINGS, **KIND_ALIASES, **{kind: kind for kind in KIND_NAMES}}
"""What people type after `type:` -> the kind; the page knows by it that `type:slides` is the filter it shows."""

router = APIRouter(include_in_schema=False, route_class=PolicyRoute)
templates = Jinja2Templates(HERE / "templates")


def page(request: Request, template: str, status: int = 200, **values: object) -> Response:
    """Render a page."""
    return templates.TemplateResponse(request, template, {"version": __version__, **values}, status)


def wants_page(request: Request) -> bool:
    """Tell whether somebody looks at the answer in a browser, rather than a program."""
    is_data = request.url.path.startswith(("/api/", "/static/"))
    return not is_data and "text/html" in request.headers.get("accept", "")


def refusal(request: Request, problem: BowerbirdError, status: int) -> Response:
    """Answer a request that is refused or failed: as a page to a person, as JSON to a program."""
    if not wants_page(request):
        return error_face(problem, status)
    template = "signin.html" if isinstance(problem, SignInError) else "error.html"
    return page(request, template, status, problem=problem)


@router.get("/")
@policy("guest")
def search_page(request: Request) -> Response:
    """Show the search page."""
    return page(request, "search.html", kind_words=KIND_WORDS)


@router.get("/status")
@policy("admin")
def status_page(request: Request) -> Response:
    """Show the page about the library: sources, progress, what could not be read."""
    return page(request, "status.html")


@router.get("/signin")
@policy("open")
def sign_in(request: Request, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Exchange a one-time link for a session cookie, then go to the search page.

    The way on is a refresh and not a redirect: browsers leave a SameSite=Strict cookie out of a redirect that a foreign
    page (a web mail, a chat) began.
    """
    doors = request.app.state.doors
    if not token:
        problem = SignInError("You are not signed in to this library.", "Open the link that `bowerbird serve` prints.")
        return page(request, "signin.html", problem.status, problem=problem)
    session = doors.redeem(token)
    response = page(request, "welcome.html")
    response.set_cookie(cookie_name(request), session, SESSION_SECONDS, path="/", httponly=True, samesite="strict")
    return response


@router.get("/favicon.ico")
@policy("open")
def favicon() -> Response:
    """Send old browsers to the mark."""
    return RedirectResponse("/static/img/mark.svg", 308)
