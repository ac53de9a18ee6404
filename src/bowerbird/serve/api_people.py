"""The routes by which admins look after people and groups."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from bowerbird.library.links import Link
from bowerbird.library.people import People
from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_account import PERSON, person_face
from bowerbird.serve.api_faces import Face, Json, library_of
from bowerbird.serve.bodies import Body
from bowerbird.serve.policies import PolicyRoute, asker_of, policy
from bowerbird.store.groups import GroupRow, Member
from bowerbird.store.moments import from_row

router = APIRouter(tags=["people"], route_class=PolicyRoute)

PersonId = Annotated[str, Path(max_length=64, description="The person's id.")]
GroupId = Annotated[str, Path(max_length=300, description="The group's id, `group:local:NAME`.")]
Principal = Annotated[str, Field(max_length=300, description="`user:ID` or `group:SOURCE:NAME`.")]
Role = Literal["guest", "member", "admin", "owner"]

LINK = {"path": "/setup#k3uB9x...", "ends": "2026-03-25T12:00:00Z"}
GROUP = {"id": "group:local:board", "source": "local", "name": "board", "members": 3}
MEMBER = {"principal": "user:q8v7c2m4k1zte", "label": "ada", "origin": "local"}


class Invitation(Body):
    """Somebody to let in."""

    handle: str = Field(max_length=64, examples=["ada"])
    role: Role = "member"
    name: str = Field("", max_length=200, examples=["Ada Lovelace"])


class RoleChange(Body):
    """Another role for somebody."""

    role: Role


class Description(Body):
    """How somebody is called."""

    handle: str = Field(max_length=64, examples=["ada"])
    name: str = Field("", max_length=200, examples=["Ada Lovelace"])


class LinkRequest(Body):
    """Whether the second factor is to be removed, too."""

    without_code: bool = False


class GroupName(Body):
    """The name of a group to make."""

    name: str = Field(min_length=1, max_length=200, examples=["board"])


class NewMember(Body):
    """Who is to be in a group."""

    member: Principal


def link_face(link: Link) -> Face:
    """Show a link that was just made."""
    return {"path": link.path, "ends": from_row(link.ends)}


def group_face(group: GroupRow) -> Face:
    """Show a group."""
    return {"id": group.id, "source": group.source, "name": group.name, "members": group.members}


def member_face(member: Member) -> Face:
    """Show who is in a group."""
    return {"principal": member.principal, "label": member.label, "origin": member.origin}


@router.get("/api/people", responses=examples.answers({"people": [PERSON]}))
@policy("admin")
def list_people(request: Request) -> Response:
    """List everybody with a way in."""
    return Json({"people": [person_face(person) for person in _people(request).listed()]})


@router.post(
    "/api/people", status_code=201, responses=examples.answers({"person": PERSON, "link": LINK}, "Invited.", 201)
)
@policy("admin")
def invite(request: Request, wanted: Invitation) -> Response:
    """Let somebody in: enters them, and makes the link by which they set a password within seven days."""
    person, link = _people(request).invite(wanted.handle, wanted.role, _by(request), wanted.name)
    return Json({"person": person_face(person), "link": link_face(link)}, 201)


@router.patch("/api/people/{person}", responses=examples.answers(PERSON))
@policy("admin")
def describe(request: Request, person: PersonId, wanted: Description) -> Response:
    """Change somebody's handle and name."""
    return Json(person_face(_people(request).describe(person, wanted.handle, wanted.name, _by(request))))


@router.post("/api/people/{person}/role", responses=examples.answers(PERSON))
@policy("admin")
def set_role(request: Request, person: PersonId, wanted: RoleChange) -> Response:
    """Give somebody another role; their sessions end. Only an owner makes admins and owners, or changes them."""
    return Json(person_face(_people(request).set_role(person, wanted.role, _by(request))))


@router.post("/api/people/{person}/suspend", responses=examples.answers({**PERSON, "state": "suspended"}))
@policy("admin")
def suspend(request: Request, person: PersonId) -> Response:
    """Let somebody in no longer: sessions, tokens and links end at once."""
    return Json(person_face(_people(request).suspend(person, _by(request))))


@router.post("/api/people/{person}/reactivate", responses=examples.answers(PERSON))
@policy("admin")
def reactivate(request: Request, person: PersonId) -> Response:
    """Let somebody in again."""
    return Json(person_face(_people(request).reactivate(person, _by(request))))


@router.post("/api/people/{person}/link", status_code=201, responses=examples.answers(LINK, "Made.", 201))
@policy("admin")
def make_link(request: Request, person: PersonId, wanted: LinkRequest | None = None) -> Response:
    """Make a link by which somebody sets a new password, once, within seven days; it ends the one before."""
    without_code = wanted is not None and wanted.without_code
    return Json(link_face(_people(request).link(person, _by(request), without_code)), 201)


@router.delete("/api/people/{person}", responses=examples.answers({"removed": "q8v7c2m4k1zte"}))
@policy("admin")
def remove(request: Request, person: PersonId) -> Response:
    """Erase somebody: their row, ways in, memberships and entries."""
    library_of(request).identity.remove(person, _by(request))
    return Json({"removed": person})


@router.get("/api/groups", responses=examples.answers({"groups": [GROUP]}))
@policy("admin")
def list_groups(request: Request) -> Response:
    """List all groups: those made here, and those that a source or a provider named."""
    return Json({"groups": [group_face(group) for group in _people(request).groups()]})


@router.post("/api/groups", status_code=201, responses=examples.answers(GROUP, "Made.", 201))
@policy("admin")
def make_group(request: Request, wanted: GroupName) -> Response:
    """Make a group; the same name again is no error."""
    return Json(group_face(_people(request).make_group(wanted.name, _by(request))), 201)


@router.get("/api/groups/{group:path}/members", responses=examples.answers({"members": [MEMBER]}))
@policy("admin")
def list_members(request: Request, group: GroupId) -> Response:
    """List who is directly in a group."""
    return Json({"members": [member_face(member) for member in _people(request).members(group)]})


@router.post("/api/groups/{group:path}/members", status_code=201, responses=examples.answers(MEMBER, "Added.", 201))
@policy("admin")
def add_member(request: Request, group: GroupId, wanted: NewMember) -> Response:
    """Put a person or a group into a group; a group that would hold itself is refused."""
    people = _people(request)
    people.add_member(group, wanted.member, _by(request))
    added = next((member for member in people.members(group) if member.principal == wanted.member), None)
    return Json(member_face(added) if added else {}, 201)


@router.delete("/api/groups/{group:path}/members", responses=examples.answers({"removed": "user:q8v7c2m4k1zte"}))
@policy("admin")
def remove_member(
    request: Request, group: GroupId, member: Annotated[str, Query(max_length=300, description="Who leaves the group.")]
) -> Response:
    """Take a person or a group out of a group."""
    _people(request).remove_member(group, member, _by(request))
    return Json({"removed": member})


@router.delete("/api/groups/{group:path}", responses=examples.answers({"removed": "group:local:board"}))
@policy("admin")
def remove_group(request: Request, group: GroupId) -> Response:
    """Remove a group, with what it was allowed or denied."""
    _people(request).remove_group(group, _by(request))
    return Json({"removed": group})


def _people(request: Request) -> People:
    return library_of(request).identity.people


def _by(request: Request) -> str:
    return asker_of(request).person
