"""Every request that the server's routes allow for, from the router itself: a new route is asked without being named.

Values are chosen by a callable (`draw` of hypothesis, or a seeded random choice), from the schema where it says what
fits, and from pools of ids and names of things that are visible, hidden, gone or never were.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount, Route

from bowerbird.serve.policies import Policy, PolicyRoute
from bowerbird.testing.leak_world import Asked

Choose = Callable[[Sequence[Any]], Any]
"""Picks one of some values."""

OPEN_BY_HAND = ("/api/openapi.json", "/static")
"""All that answers without being a PolicyRoute: the description of the API and our own files."""

HOSTILE = ("", "%", "*", "' OR 1=1 --", "../../etc/passwd", "\u202e\u0000x", "0", "-1", "null", "a" * 300)

_PLACE = re.compile(r"{(\w+)(?::\w+)?}")


@dataclass(frozen=True, slots=True)
class Pools:
    """What parameters are filled with, by the name of the parameter (or of a field of a body)."""

    named: Mapping[str, Sequence[str]] = field(default_factory=dict)
    other: Sequence[str] = HOSTILE

    def of(self, name: str) -> Sequence[str]:
        """Return the values for a parameter."""
        return self.named.get(name, self.other)


@dataclass(frozen=True, slots=True)
class Door:
    """A route and one of its methods, with the policy it declares and its part of the OpenAPI description, if any."""

    method: str
    path: str
    policy: Policy
    described: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """What the door is counted as."""
        return f"{self.method} {self.path}"


def routes(app: FastAPI) -> Iterator[BaseRoute]:
    """Yield every route of an application, those of included routers as well."""
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        yield from inner.routes if inner is not None else (route,)


def undeclared(app: FastAPI) -> list[str]:
    """Return the paths that answer without a declared policy and are not on the short list of those that may."""
    others = [route for route in routes(app) if not isinstance(route, PolicyRoute)]
    paths = [route.path if isinstance(route, Mount | Route) else repr(route) for route in others]
    return [path for path in paths if path not in OPEN_BY_HAND]


def doors(app: FastAPI) -> list[Door]:
    """Return all routes of an application by method, sorted by path."""
    described = app.openapi()
    found = []
    for route in routes(app):
        if isinstance(route, PolicyRoute):
            plain = _PLACE.sub(r"{\1}", route.path)
            operations = described["paths"].get(plain, {})
            for method in sorted(route.methods or ()):
                found.append(Door(method, route.path, route.policy, operations.get(method.lower(), {})))
    return sorted(found, key=lambda door: door.name)


def request(app: FastAPI, door: Door, choose: Choose, pools: Pools, by: str = "session") -> Asked:
    """Return a request to a route with chosen values."""
    path = _PLACE.sub(lambda place: _encoded(_path_value(place[1], choose, pools)), door.path)
    query = []
    for parameter in door.described.get("parameters", ()):
        if parameter["in"] == "query" and choose((True, True, False)):
            value = _value(app, parameter["schema"], parameter["name"], choose, pools)
            query.append((parameter["name"], str(value)))
    content = door.described.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = _value(app, content["schema"], "", choose, pools) if content else None
    return Asked(door.method, path, tuple(query), body, by)


def _path_value(name: str, choose: Choose, pools: Pools) -> str:
    return str(choose((1, 1, 2, 3, 0, 99)) if name == "page" else choose(pools.of(name)))


def _encoded(text: str) -> str:
    """Return a path segment: what would end it, or is no character of a URL, is escaped."""
    from urllib.parse import quote

    return quote(text, safe=":@!$&'()*+,;=") or "%20"


def _value(app: FastAPI, schema: Mapping[str, Any], name: str, choose: Choose, pools: Pools) -> Any:
    if "$ref" in schema:
        schema = app.openapi()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        return _value(app, choose(schema["anyOf"]), name, choose, pools)
    if "enum" in schema or "const" in schema:
        return choose([*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())])
    make = {"object": _object, "array": _array, "integer": _number, "number": _number}.get(schema.get("type", ""))
    if make is not None:
        return make(app, schema, name, choose, pools)
    if schema.get("type") in ("boolean", "null"):
        return None if schema["type"] == "null" else choose((True, False))
    return choose(pools.of(name) if name in pools.named else (*schema.get("examples", ()), *pools.other))


def _object(app: FastAPI, schema: Mapping[str, Any], name: str, choose: Choose, pools: Pools) -> Any:
    del name
    return {one: _value(app, inner, one, choose, pools) for one, inner in schema.get("properties", {}).items()}


def _array(app: FastAPI, schema: Mapping[str, Any], name: str, choose: Choose, pools: Pools) -> Any:
    return [_value(app, schema.get("items", {}), name, choose, pools) for _ in range(choose((1, 2)))]


def _number(app: FastAPI, schema: Mapping[str, Any], name: str, choose: Choose, pools: Pools) -> Any:
    del app, name, pools
    low, high = int(schema.get("minimum", 0)), int(schema.get("maximum", 1_000))
    return choose((low, low + 1, min(high, low + 20), high))
