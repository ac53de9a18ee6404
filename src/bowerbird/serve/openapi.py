"""The description of the API (OpenAPI 3.1): what FastAPI knows of the routes, and what it cannot know.

That is: how somebody says who they are, which routes ask for that, every status that a route can answer, and the form
of each answer. The form is read off the example of the route, so an example that is not true fails the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from bowerbird.serve.policies import PolicyRoute

Schema = dict[str, Any]

SECURITY: Schema = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token, or the server's own secret."},
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-bowerbird", "description": "A browser's session."},
}

PROBLEM: Schema = {
    "type": "object",
    "required": ["code", "cause", "remedy"],
    "properties": {name: {"type": "string"} for name in ("code", "cause", "remedy")},
    "additionalProperties": {"type": "string"},
}

EVERY = {
    400: "The request is not HTTP as it should be: two lengths, or a body that is not what it says.",
    403: "Sent from another site or for another host, or the role or the token does not suffice.",
    404: "Not there, or not yours.",
    405: "The address cannot be used by this method.",
    408: "The body did not arrive in time.",
    413: "The body is larger than 64 KiB.",
    414: "The address is too long.",
    422: "The request is not of the right form.",
    503: "The library cannot be read or written now, or the server has too much to do.",
    507: "There is no room left on the disk.",
}
"""Statuses that every route can answer, whatever it does."""

MORE: tuple[tuple[str, int, str], ...] = (
    ("/api/signin", 429, "Too many attempts failed; `Retry-After` says how many seconds to wait."),
    ("/api/me/", 429, "Too many attempts failed; `Retry-After` says how many seconds to wait."),
    ("/api/sources", 409, "What lies there cannot be read."),
    ("/api/items/", 409, "The file cannot be read or shown."),
    ("/open/", 409, "The file cannot be read."),
    ("/open/", 206, "The range of bytes that was asked for."),
    ("/open/", 416, "There is no such range of bytes."),
)
"""Beginning of a path, a status that routes there can answer, and when."""

MAPS = frozenset({"codes", "fields", "rlimits", "removed"})
"""Fields of an example that hold an object by data: what its keys are called is not part of the form."""


def describe(app: FastAPI, routers: Iterable[APIRouter]) -> Schema:
    """Return the description of an application's API, made of these routers; made once."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = schema.setdefault("components", {})
        parts["securitySchemes"] = SECURITY
        parts.setdefault("schemas", {})["Problem"] = PROBLEM
        for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form of an error, which is never sent
            parts["schemas"].pop(name, None)
        for route in (route for router in routers for route in router.routes):
            if isinstance(route, PolicyRoute) and route.include_in_schema:
                for method in route.methods or ():
                    operation = schema["paths"][route.path_format][method.lower()]
                    more = {code: text for start, code, text in MORE if route.path.startswith(start)}
                    _complete(operation, route.policy.least == "open", {**EVERY, **more})
        app.openapi_schema = schema
    return app.openapi_schema


def _complete(operation: Schema, is_open: bool, statuses: Mapping[int, str]) -> None:
    """Add to an operation what FastAPI does not know of it."""
    operation["security"] = [] if is_open else [{name: []} for name in SECURITY]
    responses: dict[str, Schema] = operation["responses"]
    for status, description in statuses.items():
        responses.setdefault(str(status), {"description": description})
    for code, response in responses.items():
        if int(code) >= 400:
            content = response.get("content", {}).get("application/json", {})
            content = {**content, "schema": {"$ref": "#/components/schemas/Problem"}}
            response["content"] = {"application/json": content}
        elif "application/json" in response.get("content", {}):
            content = response["content"]["application/json"]
            content["schema"] = form_of(content.get("example"))


def form_of(example: object, name: str = "") -> Schema:
    """Return the JSON Schema of what looks like an example; all but a list and the whole may also be null.

    >>> form_of({"items": [3], "error": ""})["properties"]["items"]
    {'type': 'array', 'items': {'type': ['integer', 'null']}}
    """
    if isinstance(example, Mapping):
        fields = cast("Mapping[str, object]", example)
        kind = ["object", "null"] if name else "object"
        if name == "counts" or name in MAPS:
            inner = "codes" if name == "counts" else "value"
            values = [form_of(value, inner) for value in fields.values()]
            return {"type": kind, "additionalProperties": values[0] if values else True}
        properties = {key: form_of(value, key) for key, value in fields.items()}
        return {"type": kind, "required": sorted(fields), "properties": properties}
    if isinstance(example, list | tuple):
        return {"type": "array", "items": form_of(example[0], name) if example else {}}
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": [kinds[type(example)], "null"]} if type(example) in kinds else {}


def methods_at(path: str, routers: Iterable[APIRouter]) -> list[str]:
    """Return the methods that a path has, by name; empty where there is nothing at it."""
    routes = [route for router in routers for route in router.routes if isinstance(route, PolicyRoute)]
    routes = [route for route in routes if route.path == path] or routes
    return sorted({method for route in routes if route.path_regex.match(path) for method in route.methods or ()})
