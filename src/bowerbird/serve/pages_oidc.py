"""The three addresses of signing in by OpenID Connect: where it begins, where it links, and where it comes back to.

What a sign-in has to remember waits in a cookie of the browser that began it, for ten minutes. It is SameSite=Lax, as
the way back begins on the provider's page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bowerbird.core.errors import NotFoundError, RefusedError, SignInError
from bowerbird.serve.api_faces import library_of
from bowerbird.serve.pages import page, welcome
from bowerbird.serve.policies import PolicyRoute, asker_of, policy
from bowerbird.serve.security import OWN, cookie_name

if TYPE_CHECKING:
    from bowerbird.serve.oidc import Provider

FLOW_SECONDS = 600

router = APIRouter(include_in_schema=False, route_class=PolicyRoute)


@router.get("/oidc/start")
@policy("open")
def start(request: Request) -> Response:
    """Send the browser to the OpenID provider."""
    return _begin(request, "")


@router.get("/oidc/link")
@policy("guest", "write")
def link(request: Request) -> Response:
    """Send the browser to the OpenID provider, to tie an account there to whoever is signed in here."""
    asker = asker_of(request)
    if asker.via != "session":
        raise RefusedError("Only a person in a browser can link an account.", "Sign in with a browser.")
    return _begin(request, asker.key)


@router.get("/oidc/callback")
@policy("open")
def callback(request: Request) -> Response:
    """Take the browser back from the OpenID provider: sign it in, or link the account."""
    from bowerbird.serve.oidc import Flow

    provider, name = _provider(request), cookie_name(request, "oidc")
    flow = Flow.parse(request.cookies.get(name, ""))
    account = provider.finish(flow, _redirect(request), dict(request.query_params))
    identity = library_of(request).identity
    if flow.session:
        person = identity.holder(flow.session)
        if person is None:
            raise SignInError("The session that was to be linked has ended.", "Sign in and begin again.")
        identity.accounts.link(account, person)
        response = page(request, "welcome.html", next="/account")
    else:
        response = welcome(request, identity.accounts.sign_in(account, request.headers.get("user-agent", "")))
    response.delete_cookie(name, path="/", secure=_is_https(request), httponly=True, samesite="lax")
    return response


def _begin(request: Request, session: str) -> Response:
    if request.headers.get("sec-fetch-site", "none") not in OWN:
        raise RefusedError("The request comes from another site.", "Begin on Bowerbird's own page.")
    url, flow = _provider(request).begin(_redirect(request), session)
    response = RedirectResponse(url, 303)
    response.set_cookie(
        cookie_name(request, "oidc"), str(flow), FLOW_SECONDS,
        path="/", secure=_is_https(request), httponly=True, samesite="lax",
    )  # fmt: skip
    return response


def _provider(request: Request) -> Provider:
    """Return the provider of the settings; raises NotFoundError where there is none."""
    from bowerbird.serve.oidc import Provider

    settings = library_of(request).settings
    if not settings.get("oidc_issuer", str):
        raise NotFoundError("There is nothing at this address.", "Go to the search page.")
    state = request.app.state
    if getattr(state, "provider", None) is None:
        state.provider = Provider(settings)
    provider: Provider = state.provider
    return provider


def _redirect(request: Request) -> str:
    base = library_of(request).settings.get("base_url", str).rstrip("/")
    here = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return f"{base or here}/oidc/callback"


def _is_https(request: Request) -> bool:
    return request.url.scheme == "https"
