"""The routes by which admins see and change who may read what, and look through somebody else's eyes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from bowerbird.core.errors import UsageError
from bowerbird.library.permissions import Permissions
from bowerbird.serve import api_examples as examples
from bowerbird.serve.api_faces import Face, Json, library_of
from bowerbird.serve.bodies import Body
from bowerbird.serve.policies import PolicyRoute, asker_of, policy
from bowerbird.store.inspection import Why

router = APIRouter(tags=["access"], route_class=PolicyRoute)

SourceName = Annotated[str, Path(max_length=200, description="The source's name.")]
ItemText = Annotated[str, Query(max_length=4_000, description="The item's id, or its path.")]
PersonText = Annotated[str, Query(max_length=64, description="A handle, or a person's id.")]

RULE = {"id": "0m5x2k9r3tq8w", "source": "Documents", "prefix": "hr", "principal": "group:board", "effect": "only"}
POLICY = {"source": "Documents", "policy": "members", "owner": "owner", "unmapped": []}
MAPPING = {"theirs": "user:alice", "principal": "ada", "scopes": 12}
SCOPE = {
    "path": "hr", "said": "hr", "items": 41,
    "entries": [{"principal": "group:board", "effect": "allow", "origin": "rule:0m5x2k9r3tq8w"}],
}  # fmt: skip
WHY = {
    "item": "q8v7c2m4k1zte", "person": "5zk0w8d2m1c7n", "visible": True,
    "reasons": [{"principal": "group:board", "effect": "allow", "origin": "source", "way": ["ada", "group:board"]}],
    "lines": ["ada may read hr/plan.md (source Documents).", "The source lets in group:board: ada → group:board."],
    "audience": {"people": 3, "active": 12, "public": False},
}  # fmt: skip
FINDING = {
    "source": "Documents", "path": "Payroll", "item": "", "to": ["group:role:member"], "people": 12, "items": 24,
    "signs": [{"kind": "pay", "why": "the name says “payroll”", "weak": False}],
}  # fmt: skip
FIX = {"source": "Documents", "prefix": "Payroll", "principal": "owner", "effect": "only", "items": 24}


class Viewed(Body):
    """Whose eyes to look through."""

    person: str = Field(min_length=1, max_length=64, description="A person's id, or a handle.", examples=["ada"])


class NewRule(Body):
    """Who may, or may not, read what is at or below a path of a source."""

    source: str = Field(max_length=200, examples=["Documents"])
    prefix: str = Field("", max_length=4_000, examples=["hr/payroll"])
    principal: str = Field(min_length=1, max_length=300, examples=["group:board"])
    effect: Literal["allow", "deny", "only"] = "allow"


class NewPolicy(Body):
    """Who may read a source."""

    policy: Literal["private", "members", "public", "source"]


class NewMapping(Body):
    """Who it is here whom a source names; "" for nobody."""

    theirs: str = Field(min_length=1, max_length=300, examples=["user:alice"])
    principal: str = Field("", max_length=300, examples=["ada"])


class Found(Body):
    """What to close: the source and the path of a finding."""

    source: str = Field(max_length=200, examples=["Documents"])
    path: str = Field(min_length=1, max_length=4_000, examples=["Payroll"])


class FixRequest(Body):
    """What to close. Nothing is changed unless `apply` is true: the rules that would be made are told."""

    wanted: list[Found] = Field(min_length=1, max_length=1_000)
    apply: bool = False


@router.post("/api/view-as", responses=examples.answers({"viewing": "5zk0w8d2m1c7n"}))
@policy("admin")
def view_as(request: Request, wanted: Viewed) -> Response:
    """Look through somebody else's eyes from the next request of this session on; nothing can be changed meanwhile.

    It is written to the audit log. Only an owner can look through an owner.
    """
    permissions, asker = _permissions(request), asker_of(request)
    person = permissions.person_id(wanted.person)
    _session(request)
    permissions.view_as(asker.key, person, asker.person)
    return Json({"viewing": person})


@router.delete("/api/view-as", responses=examples.answers({"viewing": ""}))
@policy("admin", "read")
def stop_viewing(request: Request) -> Response:
    """Look through one's own eyes again; it is written to the audit log."""
    _session(request)
    _permissions(request).stop_viewing(asker_of(request).key, asker_of(request).person)
    return Json({"viewing": ""})


@router.get("/api/access/policies/{source}", responses=examples.answers(POLICY))
@policy("admin")
def source_policy(request: Request, source: SourceName) -> Response:
    """Tell who may read a source, and whom it names in vain."""
    return Json(_permissions(request).policy(source))


@router.put("/api/access/policies/{source}", responses=examples.answers(POLICY))
@policy("admin")
def set_policy(request: Request, source: SourceName, wanted: NewPolicy) -> Response:
    """Change who may read a source, from the next request on.

    `source` asks the source itself: a sync is enqueued, and until it has ended nobody reads it but by a rule.
    """
    return Json(_permissions(request).set_policy(source, wanted.policy, asker_of(request).person))


@router.get("/api/access/scopes/{source}", responses=examples.answers({"scopes": [SCOPE]}))
@policy("admin")
def scopes(request: Request, source: SourceName) -> Response:
    """List the scopes of a source: where each begins, how many items it holds, and who may read them."""
    return Json({"scopes": _permissions(request).scopes(source)})


@router.get("/api/access/mappings/{source}", responses=examples.answers({"mappings": [MAPPING]}))
@policy("admin")
def mappings(request: Request, source: SourceName) -> Response:
    """List whom a source names, and who that is here ("" for nobody: they read nothing by it)."""
    return Json({"mappings": _permissions(request).mappings(source)})


@router.put("/api/access/mappings/{source}", responses=examples.answers({"mappings": [MAPPING]}))
@policy("admin")
def set_mapping(request: Request, source: SourceName, wanted: NewMapping) -> Response:
    """Say who it is here whom a source calls `user:NAME`, `group:NAME` or `public`; "" takes that back."""
    permissions, by = _permissions(request), asker_of(request).person
    return Json({"mappings": permissions.set_mapping(source, wanted.theirs, wanted.principal, by)})


@router.get("/api/access/rules", responses=examples.answers({"rules": [RULE]}))
@policy("admin")
def rules(
    request: Request,
    source: Annotated[str, Query(max_length=200, description="The name of a source; without it, of all.")] = "",
) -> Response:
    """List the rules, by source and path."""
    return Json({"rules": _permissions(request).rules(source)})


@router.post(
    "/api/access/rules",
    status_code=201,
    responses=examples.answers({"rule": RULE, "items": 24, "moved": 24, "conflicts": []}, "In force.", 201),
)
@policy("admin")
def add_rule(request: Request, wanted: NewRule) -> Response:
    """Make a rule and put it into force.

    Where an allow and a deny meet, the deny wins; `conflicts` names the rules on the other side. `only` also closes
    what is at or below the path to whoever was let in from above it.
    """
    permissions, by = _permissions(request), asker_of(request).person
    return Json(permissions.add_rule(wanted.source, wanted.prefix, wanted.principal, wanted.effect, by), 201)


@router.delete("/api/access/rules/{rule}", responses=examples.answers(RULE))
@policy("admin")
def remove_rule(request: Request, rule: Annotated[str, Path(max_length=64, description="The rule's id.")]) -> Response:
    """Undo a rule, from the next request on."""
    return Json(_permissions(request).remove_rule(rule, asker_of(request).person))


@router.get("/api/access/why", responses=examples.answers(WHY))
@policy("admin")
def why(request: Request, item: ItemText, person: PersonText) -> Response:
    """Say which entry lets a person read an item, or keeps them out, and through which groups."""
    permissions = _permissions(request)
    return _explained(request, permissions.item_id(item), permissions.person_id(person))


@router.get("/api/items/{item_id}/why", responses=examples.answers(WHY))
@policy("admin")
def why_item(
    request: Request,
    item_id: Annotated[str, Path(max_length=64, description="The item's id, as a hit names it.")],
    person: PersonText,
) -> Response:
    """Say the same of an item by its id."""
    return _explained(request, item_id, _permissions(request).person_id(person))


@router.get(
    "/api/access/oversharing",
    responses=examples.answers({"findings": [FINDING], "looked": 1260, "left": 0, "cursor": ""}),
)
@policy("admin")
def oversharing(
    request: Request,
    cursor: Annotated[str, Query(max_length=64, description="The cursor of the answer before, to go on there.")] = "",
    seconds: Annotated[float, Query(ge=1, le=60, description="How long to look.")] = 10.0,
) -> Response:
    """Look for what many can read although its folder, name or content suggests otherwise; each finding says why."""
    return Json(_permissions(request).oversharing.report(cursor, seconds))


@router.post("/api/access/oversharing/fix", responses=examples.answers({"fixes": [FIX], "applied": False}))
@policy("admin")
def fix_oversharing(request: Request, wanted: FixRequest) -> Response:
    """Tell which rules would close what was found; with `apply`, make them."""
    places = [(one.source, one.path) for one in wanted.wanted]
    report = _permissions(request).oversharing
    made = report.fix(places, asker_of(request).person) if wanted.apply else report.fixes(places)
    return Json({"fixes": made, "applied": wanted.apply})


def why_face(found: Why) -> Face:
    """Show why somebody may read an item or may not."""
    reasons = [
        {"principal": one.entry.principal, "effect": one.entry.effect, "origin": one.entry.origin, "way": one.way}
        for one in found.reasons
    ]
    told = {"item": found.item, "person": found.person, "visible": found.visible}
    return {**told, "reasons": reasons, "lines": found.lines}


def _explained(request: Request, item: str, person: str) -> Response:
    permissions = _permissions(request)
    found = permissions.why_visible(item, person, asker_of(request).person)
    return Json({**why_face(found), "audience": permissions.who_sees(item)})


def _permissions(request: Request) -> Permissions:
    return library_of(request).permissions


def _session(request: Request) -> None:
    if asker_of(request).via != "session":
        raise UsageError("Only a browser that is signed in can view as somebody.", "Use `search --as` instead.")
