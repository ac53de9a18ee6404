"""The web pages: search and signing in. They are shells; what they show comes from the API by script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from bowerbird import __version__
from bowerbird.core.errors import BowerbirdError, SignInError
from bowerbird.core.kinds import KIND_ALIASES, KIND_NAMES, KINDS
from bowerbird.serve.api_faces import error_face, library_of
from bowerbird.serve.policies import PolicyRoute, policy
from bowerbird.serve.security import give_session

HERE = Path(__file__).parent
STATIC = HERE / "static"

_ENDINGS = {ending: kind for kind, endings in KINDS.items() for ending in endings.split()}
KIND_WORDS = {**_ENDINGS, **KIND_ALIASES, **{kind: kind for kind in KIND_NAMES}}
"""What people type after `type:` -> the kind; the page knows by it that `type:slides` is the filter it shows."""

router = APIRouter(include_in_schema=False, route_class=PolicyRoute)
templates = Jinja2Templates(HERE / "templates")


def page(request: Request, template: str, status: int = 200, **values: object) -> Response:
    """Render a page."""
    values = {"version": __version__, "asker": request.scope.get("asker"), **values}
    return templates.TemplateResponse(request, template, values, status)


def wants_page(request: Request) -> bool:
    """Tell whether somebody looks at the answer in a browser, rather than a program."""
    is_data = request.url.path.startswith(("/api/", "/static/"))
    return not is_data and "text/html" in request.headers.get("accept", "")


def refusal(request: Request, problem: BowerbirdError, status: int) -> Response:
    """Answer a request that is refused or failed: as a page to a person, as JSON to a program."""
    if not wants_page(request):
        return error_face(problem, status)
    if isinstance(problem, SignInError):
        return sign_in_page(request, problem, status)
    return page(request, "error.html", status, problem=problem)


def sign_in_page(request: Request, problem: BowerbirdError, status: int = 401) -> Response:
    """Show the ways in that this library has."""
    library = library_of(request)
    ways = {
        "passwords": library.identity.has_passwords(),
        "provider": provider_name(library.settings.get("oidc_issuer", str)),
    }
    return page(request, "signin.html", status, problem=problem, **ways)


def provider_name(issuer: str) -> str:
    """Return the host of an OpenID provider, as people know it; "" for none."""
    return urlsplit(issuer).hostname or ""


@router.get("/")
@policy("guest")
def search_page(request: Request) -> Response:
    """Show the search page."""
    return page(request, "search.html", kind_words=KIND_WORDS)


@router.get("/signin")
@policy("open")
def sign_in(request: Request, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Exchange a one-time link for a session cookie, then go to the search page.

    The way on is a refresh and not a redirect: browsers leave a SameSite=Strict cookie out of a redirect that a foreign
    page (a web mail, a chat) began.
    """
    if not token:
        return sign_in_page(request, SignInError("You are not signed in to this library."))
    session = library_of(request).identity.redeem(token, request.headers.get("user-agent", ""))
    return welcome(request, session)


def welcome(request: Request, session: str) -> Response:
    """Let the browser keep a new session, and go to the search page."""
    response = page(request, "welcome.html")
    give_session(request, response, session)
    return response


@router.get("/setup")
@policy("open")
def setup_page(request: Request) -> Response:
    """Show where somebody sets a password; the link's secret is in the fragment, which stays in the browser."""
    return page(request, "setup.html")


@router.get("/account")
@policy("guest")
def account_page(request: Request) -> Response:
    """Show somebody's own account: password, second factor, sessions, tokens."""
    issuer = library_of(request).settings.get("oidc_issuer", str)
    return page(request, "account.html", provider=provider_name(issuer))


@router.get("/favicon.ico")
@policy("open")
def favicon() -> Response:
    """Send old browsers to the mark."""
    return RedirectResponse("/static/img/mark.svg", 308)
