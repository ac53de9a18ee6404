"""The routes of somebody's own account: signing in and out, password, second factor, sessions, tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from bowerbird.core.errors import ForbiddenError
from bowerbird.library.identity import Identity
from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_faces import Face, Json, library_of
from bowerbird.serve.bodies import Body
from bowerbird.serve.policies import Asker, PolicyRoute, asker_of, policy
from bowerbird.serve.security import give_session, take_session
from bowerbird.store.moments import from_row
from bowerbird.store.people import PersonRow
from bowerbird.store.sessions import SessionRow, TokenRow

router = APIRouter(tags=["account"], route_class=PolicyRoute)

MOST_SECRET = 4_096
"""Characters of a password that are looked at; the rules allow 1024 bytes."""

Password = Annotated[str, Field(max_length=MOST_SECRET, examples=["gravel otter seventeen"])]
Code = Annotated[str, Field(max_length=32, examples=["492039"])]
Secret = Annotated[str, Field(min_length=1, max_length=200, examples=["k3uB9x..."])]
Name = Annotated[str, Path(max_length=64)]

PERSON = {
    "id": "q8v7c2m4k1zte", "handle": "ada", "name": "Ada Lovelace", "address": "", "role": "member", "state": "active",
    "created": "2026-03-18T12:00:00Z", "seen": "2026-03-19T08:12:00Z", "has_password": True, "has_totp": False,
}  # fmt: skip
SESSION = {
    "id": "0f3a9c1d7e5b2a48", "created": "2026-03-18T12:00:00Z", "seen": "2026-03-19T08:12:00Z",
    "ends": "2026-04-17T12:00:00Z", "agent": "Firefox", "current": True,
}  # fmt: skip
TOKEN = {
    "id": "v2m4k1zteq8v7", "name": "backup", "grants": ["read"], "created": "2026-03-18T12:00:00Z", "seen": None,
    "ends": "2026-06-16T12:00:00Z",
}  # fmt: skip


class SignIn(Body):
    """A name with a password, and a code where there is a second factor."""

    handle: str = Field(max_length=200, examples=["ada"])
    password: Password
    code: Code = ""


class LinkSecret(Body):
    """The secret of a link to set a password."""

    secret: Secret


class SetUp(LinkSecret):
    """A password for whom the link was made."""

    password: Password


class PasswordChange(Body):
    """The present password, and the one to replace it."""

    current: Password
    new: Password


class Confirmation(Body):
    """The present password, said again."""

    password: Password


class TotpProof(Confirmation):
    """The secret that was offered, and a code that an app made of it."""

    secret: Secret
    code: Code


class NewToken(Body):
    """A token for a program; `days` 0 means until it is revoked."""

    name: str = Field(min_length=1, max_length=100, examples=["backup"])
    grants: list[Literal["read", "write", "admin"]] = Field(["read"], min_length=1, max_length=3)
    days: int = Field(0, ge=0, le=3650)


def person_face(person: PersonRow) -> Face:
    """Show somebody; what they sign in with stays inside."""
    shown = ("id", "handle", "name", "address", "role", "state", "has_password", "has_totp")
    face = {name: getattr(person, name) for name in shown}
    return {**face, "created": from_row(person.created), "seen": from_row(person.seen)}


def session_face(session: SessionRow) -> Face:
    """Show a browser that is signed in."""
    times = {name: from_row(getattr(session, name)) for name in ("created", "seen", "ends")}
    return {"id": session.id, **times, "agent": session.agent, "current": session.current}


def token_face(token: TokenRow) -> Face:
    """Show a token, without its secret."""
    times = {name: from_row(getattr(token, name)) for name in ("created", "seen", "ends")}
    return {"id": token.id, "name": token.name, "grants": token.grants, **times}


@router.post("/api/signin", responses=examples.answers(PERSON, "Signed in; the session is in the cookie."))
@policy("open")
def sign_in(request: Request, wanted: SignIn) -> Response:
    """Sign a browser in by a password; 401 for whatever is wrong, 429 with `Retry-After` after too many tries."""
    identity, address = _identity(request), request.client.host if request.client else ""
    session = identity.sign_in(wanted.handle, wanted.password, wanted.code, address, _agent(request))
    return _signed_in(request, session)


@router.post("/api/signout", responses=examples.answers({"signed_out": True}))
@policy("guest", "read")
def sign_out(request: Request) -> Response:
    """End the session of this browser."""
    response = Json({"signed_out": True})
    take_session(request, response)
    return response


@router.post("/api/setup/check", responses=examples.answers({"handle": "ada", "name": "Ada Lovelace"}))
@policy("open")
def check_link(request: Request, link: LinkSecret) -> Response:
    """Tell whose link to set a password this is, without using it up; 401 where it was used or has expired."""
    person = _identity(request).invited(link.secret)
    return Json({"handle": person.handle, "name": person.name})


@router.post("/api/setup", responses=examples.answers({"signed_in": True}))
@policy("open")
def set_up(request: Request, wanted: SetUp) -> Response:
    """Set a password by a one-time link. Signs in, except where a code is asked for, too: then `signed_in` is false."""
    session = _identity(request).set_up(wanted.secret, wanted.password, _agent(request))
    response = Json({"signed_in": bool(session)})
    if session:
        give_session(request, response, session)
    return response


@router.get("/api/me", responses=examples.answers({**PERSON, "via": "session", "viewing": None, "providers": []}))
@policy("guest")
def me(request: Request) -> Response:
    """Tell who asks, and for whom they look (`viewing`), if an admin looks through somebody else's eyes."""
    asker, identity = asker_of(request), _identity(request)
    viewing = None
    if asker.viewing:
        other = identity.person(asker.principal.name.removeprefix("user:"))
        viewing = {"id": other.id, "handle": other.handle, "name": other.name}
    more = {"via": asker.via, "viewing": viewing, "providers": identity.people.providers(asker.person)}
    return Json({**person_face(identity.person(asker.person)), **more})


@router.post("/api/me/password", responses=examples.answers({"changed": True}))
@policy("guest")
def change_password(request: Request, wanted: PasswordChange) -> Response:
    """Replace one's own password. All other sessions end; this browser gets a new one."""
    asker = _in_person(request)
    session = _identity(request).change_password(asker.person, wanted.current, wanted.new, _agent(request))
    response = Json({"changed": True})
    if asker.via == "session":
        give_session(request, response, session)
    return response


@router.post(
    "/api/me/totp", responses=examples.answers({"secret": "JBSW...", "uri": "otpauth://totp/Bowerbird:ada?..."})
)
@policy("guest")
def offer_totp(request: Request) -> Response:
    """Make a second factor; it is in force once it is confirmed."""
    offer = _identity(request).credentials.offer_totp(_in_person(request).person)
    return Json({"secret": offer.secret, "uri": offer.uri})


@router.post("/api/me/totp/confirm", responses=examples.answers({"has_totp": True}))
@policy("guest")
def enrol_totp(request: Request, proof: TotpProof) -> Response:
    """Put a second factor in force, by a code of it and the present password."""
    person = _in_person(request).person
    _identity(request).credentials.enrol_totp(person, proof.password, proof.secret, proof.code)
    return Json({"has_totp": True})


@router.post("/api/me/totp/remove", responses=examples.answers({"has_totp": False}))
@policy("guest")
def remove_totp(request: Request, proof: Confirmation) -> Response:
    """Do without a second factor from now on."""
    _identity(request).credentials.remove_totp(_in_person(request).person, proof.password)
    return Json({"has_totp": False})


@router.get("/api/me/sessions", responses=examples.answers({"sessions": [SESSION]}))
@policy("guest")
def list_sessions(request: Request) -> Response:
    """List the browsers in which the asker is signed in."""
    asker = asker_of(request)
    return Json({"sessions": [session_face(row) for row in _identity(request).sessions(asker.person, asker.key)]})


@router.delete("/api/me/sessions/{session}", responses=examples.answers({"ended": "0f3a9c1d7e5b2a48"}))
@policy("guest")
def end_session(request: Request, session: Name) -> Response:
    """End one of one's own sessions."""
    _identity(request).end_session(_in_person(request).person, session)
    return Json({"ended": session})


@router.get("/api/me/tokens", responses=examples.answers({"tokens": [TOKEN]}))
@policy("guest")
def list_tokens(request: Request) -> Response:
    """List one's own API tokens, without their secrets."""
    return Json({"tokens": [token_face(row) for row in _identity(request).tokens(asker_of(request).person)]})


@router.post(
    "/api/me/tokens", status_code=201, responses=examples.answers({"token": TOKEN, "secret": "bb_..."}, "Made.", 201)
)
@policy("guest")
def make_token(request: Request, wanted: NewToken) -> Response:
    """Make an API token. Its secret is in this answer and nowhere else."""
    person = _in_person(request).person
    row, secret = _identity(request).make_token(person, wanted.name, wanted.grants, wanted.days)
    return Json({"token": token_face(row), "secret": secret}, 201)


@router.delete("/api/me/tokens/{token}", responses=examples.answers({"revoked": "v2m4k1zteq8v7"}))
@policy("guest")
def revoke_token(request: Request, token: Name) -> Response:
    """Revoke one of one's own API tokens."""
    _identity(request).revoke_token(_in_person(request).person, token)
    return Json({"revoked": token})


def _identity(request: Request) -> Identity:
    return library_of(request).identity


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _in_person(request: Request) -> Asker:
    """Return the asker; raises ForbiddenError for a token, which must not make itself another way in."""
    asker = asker_of(request)
    if asker.via == "token":
        raise ForbiddenError("A token cannot change how somebody signs in.", "Sign in with a browser.")
    return asker


def _signed_in(request: Request, session: str) -> Response:
    identity = _identity(request)
    known = identity.session(session)
    response = Json(person_face(identity.person(known.person)) if known else {})
    give_session(request, response, session)
    return response
