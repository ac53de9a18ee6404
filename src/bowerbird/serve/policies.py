"""Which role a route asks for. A route without a declared policy cannot be built.

router = APIRouter(route_class=PolicyRoute)

@router.get("/api/search")
@policy("guest")
def search(request: Request) -> Response: ...
    asker_of(request).principal       # whose eyes read: for an admin who views as somebody, that person's
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from fastapi import Request
from fastapi.routing import APIRoute

from bowerbird.core.errors import ForbiddenError, SignInError
from bowerbird.core.records import Principal
from bowerbird.store.access import ROLES

Least = Literal["open", "guest", "member", "admin", "owner"]
"""The least role; `open` answers without credentials, and has nothing of the library in it."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_POLICY = "__bowerbird_policy__"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a route asks of the asker. `grant` is what an API token must hold."""

    least: Least
    grant: Literal["read", "write", "admin"]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who is behind a request. `principal` is whose eyes read; `person` is who really asks (its id).

    `via` is how they were recognized: `session`, `token` or `server` (the secret in run/server.json). `key` names the
    session (the hash of its secret) or the token (its id).
    """

    principal: Principal
    person: str
    role: str
    via: Literal["session", "token", "server"]
    grants: frozenset[str] = frozenset(("read", "write", "admin"))
    key: str = ""

    @property
    def viewing(self) -> bool:
        """Whether an admin looks through the eyes of somebody else."""
        return self.principal.name != f"user:{self.person}"


def policy(least: Least, grant: Literal["read", "write", "admin", ""] = "") -> Callable[[Endpoint], Endpoint]:
    """Declare the least role for a route; `grant` is `admin` for admins' routes and else by the method, if not said."""

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _POLICY, (least, grant))
        return endpoint

    return declare


class PolicyRoute(APIRoute):
    """A route that asks for a role before anything else; raises TypeError where none is declared."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        declared = getattr(endpoint, _POLICY, None)
        if declared is None:
            raise TypeError(f"the route {path} ({endpoint.__name__}) declares no policy")
        super().__init__(path, endpoint, **options)
        least, grant = declared
        reads = (self.methods or set()) <= {"GET", "HEAD"}
        self.policy = Policy(least, grant or ("admin" if least in ("admin", "owner") else "read" if reads else "write"))

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Return the handler behind the check."""
        handler = super().get_route_handler()

        async def checked(request: Request) -> Any:
            check(self.policy, request.scope.get("asker"))
            return await handler(request)

        return checked


def check(policy: Policy, asker: Asker | None) -> None:
    """Raise SignInError where nobody is signed in, ForbiddenError where the role or the token does not suffice."""
    if policy.least == "open":
        return
    if asker is None:
        raise SignInError(
            "You are not signed in to this library.",
            "Sign in, open the link that `bowerbird serve` prints, or send a token as `Authorization: Bearer`.",
        )
    if ROLES.index(asker.role) < ROLES.index(policy.least):
        raise ForbiddenError(f"This is for people with the role {policy.least}.", "Ask an admin of this library.")
    if policy.grant not in asker.grants:
        raise ForbiddenError(f"The token does not grant `{policy.grant}`.", "Make a token with that grant.")
    if asker.viewing and policy.grant != "read":
        raise ForbiddenError("Nothing can be changed while you view as somebody else.", "Stop viewing first.")


def asker_of(request: Request) -> Asker:
    """Return who asks; only for routes whose policy is not `open`."""
    asker: Asker = request.scope["asker"]
    return asker
